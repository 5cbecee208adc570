package schedule

import (
	"slices"
	"time"

	"hailo-depth/device"
)

// reference is the rule as the package's documentation states it, by looking at
// every job: too slow for use, and simple enough to be read.
type reference struct {
	rules   Rules
	epoch   time.Time
	ids     ID
	waiting []waiter
	clients map[string]*sharer
	reached int64
	taken   uint64
	running []Job
	last    string // model
	row     int    // jobs of it in a row
	rowFrom time.Time
	passing bool
	passed  int
	passes  time.Time
}

type waiter struct {
	ID
	Job
	gained int       // priorities by waiting, before the rules last changed
	since  time.Time // it came, or they changed
}

type sharer struct {
	turns int64
	last  uint64
}

func newReference(rules Rules, now time.Time) *reference {
	return &reference{rules: rules, epoch: now, clients: map[string]*sharer{}}
}

func (r *reference) admit(j Job, now time.Time) (ID, bool) {
	jobs, bytes := r.counts()
	if !j.Urgent && (jobs+1 > r.rules.Jobs || bytes+j.Bytes > r.rules.Bytes) {
		return 0, false
	}
	if !j.Urgent {
		s, ok := r.clients[j.Client]
		switch {
		case !ok:
			r.clients[j.Client] = &sharer{turns: r.reached}
		case !slices.ContainsFunc(r.waiting, func(w waiter) bool { return w.Client == j.Client && !w.Urgent }):
			s.turns = max(s.turns, r.reached)
		}
	}
	r.ids++
	j.Arrival = now
	r.waiting = append(r.waiting, waiter{r.ids, j, 0, now})
	return r.ids, true
}

func (r *reference) counts() (jobs int, bytes int64) {
	for _, w := range r.waiting {
		if !w.Urgent {
			jobs++
			bytes += w.Bytes
		}
	}
	return jobs, bytes
}

func (r *reference) remove(id ID) {
	r.waiting = slices.DeleteFunc(r.waiting, func(w waiter) bool { return w.ID == id })
}

func (r *reference) expire(now time.Time) (gone []ID) {
	for _, w := range r.waiting {
		if expired(w.Job, now) {
			gone = append(gone, w.ID)
		}
	}
	for _, id := range gone {
		r.remove(id)
	}
	return gone
}

func expired(j Job, now time.Time) bool { return !j.Deadline.IsZero() && !now.Before(j.Deadline) }

func (r *reference) setRules(rules Rules, now time.Time) {
	for i, w := range r.waiting {
		r.waiting[i].gained, r.waiting[i].since = r.effective(w, now)-w.Priority, now
	}
	r.rules, r.epoch = rules, now
}

// effective counts the beats after the arrival, until now.
func (r *reference) effective(w waiter, now time.Time) int {
	beats := func(t time.Time) int { return int(t.Sub(r.epoch) / r.rules.Step) }
	return w.Priority + w.gained + beats(now) - beats(w.since)
}

// effectiveOf is effective by number.
func (r *reference) effectiveOf(id ID, now time.Time) int {
	return r.effective(r.waiting[slices.IndexFunc(r.waiting, func(w waiter) bool { return w.ID == id })], now)
}

func (r *reference) next(now time.Time, resident []string) (Choice, bool) {
	var level []waiter // of the highest effective priority
	top := -1
	var overdue *waiter
	for i, w := range r.waiting {
		if expired(w.Job, now) {
			return Choice{}, false
		}
		e := r.effective(w, now)
		switch {
		case w.Urgent:
		case e > device.MostPriority && overdue == nil: // the first to come
			overdue = &r.waiting[i]
		case e > top:
			top, level = e, []waiter{w}
		case e == top:
			level = append(level, w)
		}
	}
	if len(r.running) > 0 {
		return Choice{}, false
	}
	for _, w := range r.waiting {
		if w.Urgent {
			return Choice{ID: w.ID, Job: w.Job, Why: Urgent}, true
		}
	}
	if overdue != nil {
		return r.choice(*overdue, Overdue), true
	}
	if level == nil {
		return Choice{}, false
	}
	return r.within(level, now, resident), true
}

// beside is next as if nothing ran, where a second job may be committed.
func (r *reference) beside(now time.Time, resident []string) (Choice, bool) {
	if len(r.running) != 1 {
		return Choice{}, false
	}
	free := *r
	free.running = nil
	c, ok := free.next(now, resident)
	if first := r.running[0]; !ok || first.Urgent || c.Job.Urgent || c.Job.Model != first.Model {
		return Choice{}, false
	}
	return c, true
}

func (r *reference) choice(w waiter, why Why) Choice {
	return Choice{ID: w.ID, Job: w.Job, Why: why, Switch: r.row == 0 || w.Model != r.last}
}

// turn is the job of those that which accepts whose turn it is; ok is false when there is none.
func (r *reference) turn(level []waiter, which func(waiter) bool) (best waiter, ok bool) {
	for _, w := range level {
		if !which(w) {
			continue
		}
		mine, its := r.clients[w.Client], r.clients[best.Client]
		if !ok || mine.turns < its.turns || mine.turns == its.turns && (mine.last < its.last || mine.last == its.last && w.ID < best.ID) {
			best, ok = w, true
		}
	}
	return best, ok
}

func (r *reference) within(level []waiter, now time.Time, resident []string) Choice {
	turn, _ := r.turn(level, func(waiter) bool { return true })
	if r.rules.Group == 0 {
		return r.choice(turn, Turn)
	}
	may := func(w waiter) bool {
		return r.clients[w.Client].turns < r.clients[turn.Client].turns+int64(r.rules.Group)
	}
	same := func(w waiter) bool { return r.row > 0 && w.Model == r.last }
	goesOn := r.row < r.rules.Group && now.Sub(r.rowFrom) < r.rules.GroupTime
	if w, ok := r.turn(level, func(w waiter) bool { return may(w) && same(w) }); ok && goesOn {
		return r.named(w, turn, Grouped)
	}
	next, ok := r.turn(level, func(w waiter) bool { return may(w) && !same(w) })
	if !ok {
		return r.choice(turn, Turn)
	}
	if r.passing && (r.passed >= r.rules.Group || now.Sub(r.passes) >= r.rules.GroupTime) {
		return r.choice(next, Turn)
	}
	w, ok := r.turn(level, func(w waiter) bool { return may(w) && !same(w) && slices.Contains(resident, w.Model) })
	if !ok {
		return r.choice(next, Turn)
	}
	return r.named(w, next, Resident)
}

func (r *reference) named(w, turn waiter, why Why) Choice {
	if w.ID == turn.ID {
		why = Turn
	}
	return r.choice(w, why)
}

func (r *reference) take(c Choice, now time.Time) {
	r.running = append(r.running, c.Job)
	r.remove(c.ID)
	if c.Job.Urgent {
		return
	}
	s := r.clients[c.Job.Client]
	had := max(s.turns, r.reached-int64(max(r.rules.Group, 1)))
	r.reached = max(r.reached, had)
	r.taken++
	s.turns, s.last = had+1, r.taken
	if c.Switch {
		r.last, r.row, r.rowFrom = c.Job.Model, 0, now
	}
	r.row++
	switch {
	case c.Why == Turn:
		r.passing = false
	case c.Why == Resident && !r.passing:
		r.passing, r.passed, r.passes = true, 1, now
	default:
		r.passed++
	}
}
