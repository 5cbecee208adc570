package schedule

import (
	"iter"
	"time"

	"hailo-depth/device"
)

const levels = device.MostPriority - device.LeastPriority + 1

func clamp(priority int) int {
	return min(max(priority, device.LeastPriority), device.MostPriority)
}

// List is who waits for the device, and who has it: one job, or two of one model
// of which the second waits for the end of the first. Its methods take the time
// now, which must not go back: an earlier one counts as the latest seen.
type List struct {
	rules Rules
	epoch time.Time // beats are counted from it, on from those before
	beats int64     // before it
	now   time.Time

	nodes     map[ID]*node
	ids       ID
	urgent    chain
	arrivals  [levels]chain // by priority
	depth     [levels]int
	classes   classes
	clients   clients
	deadlines heap[expiry]
	waiting   int // urgent ones apart
	bytes     int64

	running int
	alone   bool // nobody may be beside the one that runs
	since   time.Time
	service time.Duration // mean of the last ones
	streak  streak
}

// streak is what grouping remembers.
type streak struct {
	model   string // that ran last
	jobs    int    // of it in a row
	since   time.Time
	passing bool // one whose model is not on the device was passed over
	passed  int  // jobs that ran instead of it
	passes  time.Time
}

// New makes an empty list.
func New(rules Rules, now time.Time) *List {
	return &List{rules: rules, epoch: now, now: now, nodes: map[ID]*node{}, clients: clients{byName: map[string]*client{}}}
}

// SetRules changes the numbers. Those who wait go on waiting, even if they are more
// than may now, and keep the priority that they have gained; the beat under way
// begins anew.
func (l *List) SetRules(rules Rules, now time.Time) {
	l.advance(now)
	l.beats, l.epoch, l.rules = l.beat(l.now), l.now, rules
}

// Admit adds a job, or refuses it when too many or too large ones wait.
func (l *List) Admit(j Job, now time.Time) (ID, *Refusal) {
	l.advance(now)
	j.Priority, j.Bytes, j.Arrival = clamp(j.Priority), max(j.Bytes, 0), l.now
	if r := l.refuse(j); r != nil {
		return 0, r
	}
	l.ids++
	n := &node{id: l.ids, job: j, at: -1}
	l.nodes[n.id] = n
	if !j.Deadline.IsZero() {
		l.deadlines.push(expiry{n})
	}
	if j.Urgent {
		l.urgent.append(n, byArrival)
		return n.id, nil
	}
	n.class = int64(j.Priority) - l.beat(l.now)
	l.waiting++
	l.bytes += j.Bytes
	l.depth[j.Priority]++
	l.arrivals[j.Priority].append(n, byArrival)
	l.classes.add(n, l.clients.arrives(j.Client))
	return n.id, nil
}

func (l *List) refuse(j Job) *Refusal {
	r := &Refusal{Waiting: l.waiting, Bytes: l.bytes, Rules: l.rules}
	switch {
	case j.Urgent:
		return nil
	case j.Bytes > l.rules.Bytes:
		r.Cause = TooLarge
		return r
	case l.waiting >= l.rules.Jobs:
		r.Cause = TooMany
	case j.Bytes > l.rules.Bytes-l.bytes:
		r.Cause = TooMuch
	default:
		return nil
	}
	r.RetryAfter = MaxRetry
	if l.service < MaxRetry/time.Duration(l.waiting) { // compared so, the product is safe
		r.RetryAfter = max(MinRetry, l.service*time.Duration(l.waiting))
	}
	return r
}

// Take gives the device to a job that Next or Beside chose. It reports false, and
// changes nothing, when the job no longer waits or may not have the device now.
func (l *List) Take(c Choice, now time.Time) bool {
	n, ok := l.nodes[c.ID]
	if !ok || l.running > 0 && !l.mayJoin(n.job) {
		return false
	}
	l.advance(now)
	if l.running == 0 {
		l.since = l.now
	}
	l.running++
	l.alone = n.job.Urgent
	if n.job.Urgent {
		l.drop(n)
		return true
	}
	who := n.line.client
	l.drop(n)
	for _, line := range who.lines {
		line.exit()
	}
	l.clients.served(who, l.rules.lead())
	for _, line := range who.lines {
		line.enter()
	}
	l.streak.took(c, l.now)
	return true
}

// mayJoin reports whether a job may be given the device beside the one that runs.
func (l *List) mayJoin(j Job) bool {
	return l.running == 1 && !l.alone && !j.Urgent && j.Model == l.streak.model
}

func (s *streak) took(c Choice, now time.Time) {
	if c.Job.Model != s.model || s.jobs == 0 {
		s.model, s.jobs, s.since = c.Job.Model, 0, now
	}
	s.jobs++
	switch {
	case c.Why == Turn:
		s.passing = false
	case c.Why == Resident && !s.passing:
		s.passing, s.passed, s.passes = true, 1, now
	default:
		s.passed++
	}
}

// Done takes the device back from the job that has it, of two from the first.
func (l *List) Done(now time.Time) {
	l.advance(now)
	if l.running == 0 {
		return
	}
	l.running--
	took := l.now.Sub(l.since)
	l.since = l.now
	if l.service == 0 {
		l.service = took
	}
	l.service += (took - l.service) / 8
}

// Remove takes a job that waits out of the list; it reports false when there is none.
func (l *List) Remove(id ID) bool {
	n, ok := l.nodes[id]
	if ok {
		l.drop(n)
	}
	return ok
}

// Expire takes out the jobs whose deadline has come and returns them.
func (l *List) Expire(now time.Time) (gone []ID) {
	l.advance(now)
	for l.expired(l.now) {
		n := l.deadlines[0].node
		gone = append(gone, n.id)
		l.drop(n)
	}
	return gone
}

// Waiting counts the jobs that wait, urgent ones apart, and the bytes of their inputs.
func (l *List) Waiting() (jobs int, bytes int64) { return l.waiting, l.bytes }

// Depth counts the jobs of a priority that wait, urgent ones apart.
func (l *List) Depth(priority int) int { return l.depth[clamp(priority)] }

// Jobs yields the jobs that wait, urgent ones apart, the lowest priority first
// and each by arrival.
func (l *List) Jobs() iter.Seq2[ID, Job] {
	return func(yield func(ID, Job) bool) {
		for _, c := range l.arrivals {
			for n := c.first; n != nil; n = n.links[byArrival].after {
				if !yield(n.id, n.job) {
					return
				}
			}
		}
	}
}

func (l *List) advance(now time.Time) {
	if now.After(l.now) {
		l.now = now
	}
}

func (l *List) beat(t time.Time) int64 { return l.beats + int64(t.Sub(l.epoch)/l.rules.Step) }

func (l *List) expired(now time.Time) bool {
	return len(l.deadlines) > 0 && !l.deadlines[0].job.Deadline.After(now)
}

// drop takes a node out of all indices.
func (l *List) drop(n *node) {
	delete(l.nodes, n.id)
	if n.at >= 0 {
		l.deadlines.remove(expiry{n})
	}
	if n.job.Urgent {
		l.urgent.remove(n, byArrival)
		return
	}
	l.waiting--
	l.bytes -= n.job.Bytes
	l.depth[n.job.Priority]--
	l.arrivals[n.job.Priority].remove(n, byArrival)
	who := n.line.client
	l.classes.remove(n)
	if len(who.lines) == 0 {
		l.clients.rests(who)
	}
}
