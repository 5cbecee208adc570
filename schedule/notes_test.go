package schedule

import (
	"fmt"
	"time"

	"hailo-depth/device"
)

// notes are the promises, checked from what was seen happening and not from the
// state of the list or of the reference.
type notes struct {
	rules  Rules
	most   Rules      // the largest of each number so far
	before map[ID]int // jobs that ran since it was overdue
	// served counts the turns of each pair's first client while both waited at
	// the level that was served.
	served map[[2]string]int
	model  string
	row    int
	since  time.Time
}

func newNotes(rules Rules) notes {
	return notes{rules: rules, most: rules, before: map[ID]int{}, served: map[[2]string]int{}}
}

func (n *notes) setRules(r Rules) {
	n.rules = r
	n.most = Rules{Jobs: max(n.most.Jobs, r.Jobs), Bytes: max(n.most.Bytes, r.Bytes), Group: max(n.most.Group, r.Group)}
}

// check is called with every choice, before it is taken.
func (n *notes) check(c Choice, g *game) error {
	j, ok := g.admitted[c.ID]
	switch {
	case !ok || j != c.Job:
		return fmt.Errorf("chose %+v, which was admitted as %+v", c, j)
	case expired(j, g.now):
		return fmt.Errorf("job %d runs after its deadline", c.ID)
	case j.Urgent:
		return nil
	}
	if err := n.starvation(c, g); err != nil {
		return err
	}
	own := g.ref.effectiveOf(c.ID, g.now)
	overdue := own > device.MostPriority
	var level []waiter
	for _, w := range g.ref.waiting {
		e := g.ref.effective(w, g.now)
		switch {
		case w.Urgent:
			return fmt.Errorf("job %d runs before the urgent %d", c.ID, w.ID)
		case overdue && e > device.MostPriority && w.ID < c.ID:
			return fmt.Errorf("overdue job %d runs before %d, which came first", c.ID, w.ID)
		case !overdue && e > own:
			return fmt.Errorf("job %d runs before %d of a higher effective priority", c.ID, w.ID)
		case e == own:
			level = append(level, w)
		}
	}
	if !overdue {
		if err := n.grouping(c, g, level); err != nil {
			return err
		}
	}
	if c.Job.Model != n.model || n.row == 0 {
		n.model, n.row, n.since = c.Job.Model, 0, g.now
	}
	n.row++
	return n.fairness(c, level, overdue)
}

// starvation: after (10-p) steps, counted anew when the rules change, a job waits
// for at most Jobs-1 others.
func (n *notes) starvation(c Choice, g *game) error {
	for _, w := range g.ref.waiting {
		if w.Urgent || w.ID == c.ID || g.now.Sub(w.since) < n.rules.Bound(w.Priority) {
			continue
		}
		if n.before[w.ID]++; n.before[w.ID] > n.most.Jobs-1 {
			return fmt.Errorf("%d jobs ran before %d since it is overdue; at most %d may", n.before[w.ID], w.ID, n.most.Jobs-1)
		}
	}
	return nil
}

// grouping: one model does not go on beyond the bounds while another waits
// beside it, but for clients that are too far ahead of the others.
func (n *notes) grouping(c Choice, g *game, level []waiter) error {
	if n.rules.Group == 0 || n.row == 0 || c.Job.Model != n.model || n.row < n.rules.Group && g.now.Sub(n.since) < n.rules.GroupTime {
		return nil
	}
	least := g.ref.clients[c.Job.Client].turns
	for _, w := range level {
		least = min(least, g.ref.clients[w.Client].turns)
	}
	for _, w := range level {
		if w.Model != n.model && g.ref.clients[w.Client].turns < least+int64(n.rules.Group) {
			return fmt.Errorf("%d jobs of %s in a row, for %v, while %d waits beside them", n.row+1, n.model, g.now.Sub(n.since), w.ID)
		}
	}
	return nil
}

// fairness: while two clients wait at the level that is served, their turns
// differ by at most twice the group and one.
func (n *notes) fairness(c Choice, level []waiter, overdue bool) error {
	waits := map[string]bool{}
	for _, w := range level {
		waits[w.Client] = true
	}
	for _, a := range sharers {
		for _, b := range sharers {
			pair := [2]string{a, b}
			switch {
			case a == b:
			case overdue || !waits[a] || !waits[b]:
				delete(n.served, pair)
			case c.Job.Client == a:
				n.served[pair]++
			case c.Job.Client == b:
				n.served[pair]--
			}
			if most := 2*int(n.most.lead()) + 1; n.served[pair] > most {
				return fmt.Errorf("%s had %d turns more than %s, who waited beside; at most %d may be", a, n.served[pair], b, most)
			}
		}
	}
	return nil
}
