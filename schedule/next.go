package schedule

import "time"

// Next decides which job has the device next, when the models in resident are
// on it; see the package's rule. It changes nothing: Take gives the device away.
// It reports false when no job waits, while one has the device, and while a job
// is in the list whose deadline has come (see Expire), so that none such runs.
func (l *List) Next(now time.Time, resident []string) (Choice, bool) {
	if l.running > 0 {
		return Choice{}, false
	}
	return l.decide(now, resident)
}

// Beside decides which job is committed to the device while another still has
// it: the one that Next would choose if that ended now, and only where it is of
// the same model, neither is urgent, and no other is committed already.
func (l *List) Beside(now time.Time, resident []string) (Choice, bool) {
	if l.running != 1 {
		return Choice{}, false
	}
	c, ok := l.decide(now, resident)
	if !ok || !l.mayJoin(c.Job) {
		return Choice{}, false
	}
	return c, true
}

func (l *List) decide(now time.Time, resident []string) (Choice, bool) {
	if now.Before(l.now) {
		now = l.now
	}
	switch {
	case l.expired(now):
		return Choice{}, false
	case l.urgent.first != nil:
		n := l.urgent.first
		return Choice{ID: n.id, Job: n.job, Why: Urgent}, true
	}
	if n := l.overdue(now); n != nil {
		return l.choice(n, Overdue), true
	}
	if len(l.classes) == 0 {
		return Choice{}, false
	}
	line, why := l.within(l.classes[0], now, resident)
	return l.choice(line.jobs.first, why), true
}

func (l *List) choice(n *node, why Why) Choice {
	return Choice{ID: n.id, Job: n.job, Why: why, Switch: l.streak.jobs == 0 || n.job.Model != l.streak.model}
}

// overdue is the one that arrived first of those that are. Among jobs of one
// priority the first to come is the first to be overdue, so only these count.
func (l *List) overdue(now time.Time) (first *node) {
	beat := l.beat(now)
	for _, c := range l.arrivals {
		n := c.first
		if n != nil && n.class+beat >= levels && (first == nil || n.id < first.id) {
			first = n
		}
	}
	return first
}

// within chooses among the jobs of one effective priority.
func (l *List) within(c *class, now time.Time, resident []string) (*line, Why) {
	turn := c.groups[0].lines[0]
	if l.rules.Group == 0 {
		return turn, Turn
	}
	limit := turn.client.turns + l.rules.lead() // who has had so many must let others catch up
	next := turn
	if same := c.models[l.streak.model]; same != nil && l.streak.jobs > 0 {
		first := same.lines[0]
		if l.streak.jobs < l.rules.Group && now.Sub(l.streak.since) < l.rules.GroupTime && first.client.turns < limit {
			return first, outOfTurn(first, turn, Grouped)
		}
		other := c.but(same)
		if other == nil || other.client.turns >= limit {
			return turn, Turn // nobody else may
		}
		next = other
	}
	if l.streak.passing && (l.streak.passed >= l.rules.Group || now.Sub(l.streak.passes) >= l.rules.GroupTime) {
		return next, Turn
	}
	var best *line
	for _, model := range resident {
		g := c.models[model]
		if g == nil || model == l.streak.model {
			continue
		}
		if first := g.lines[0]; first.client.turns < limit && (best == nil || first.before(best)) {
			best = first
		}
	}
	if best == nil {
		return next, Turn
	}
	return best, outOfTurn(best, next, Resident)
}

func outOfTurn(chosen, turn *line, why Why) Why {
	if chosen == turn {
		return Turn
	}
	return why
}

// but is the line whose turn it is when a group's are left out.
func (c *class) but(left *group) *line {
	if c.groups[0] != left {
		return c.groups[0].lines[0]
	}
	if g, ok := c.groups.second(); ok {
		return g.lines[0]
	}
	return nil
}
