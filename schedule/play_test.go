package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hailo-depth/device"
)

// A script is what happens to a list, in bytes: four for the rules, then four
// for each event. Every string of bytes is a script.
type script []byte

const record = 4

func (s script) rules() Rules {
	var b [record]byte
	copy(b[:], s)
	return rulesOf(b)
}

func rulesOf(b [record]byte) Rules {
	return Rules{
		Jobs:      1 + int(b[0]%12),
		Bytes:     1 + int64(b[1]%64),
		Step:      time.Duration(1+b[2]%40) * time.Millisecond,
		Group:     int(b[3] % 5),
		GroupTime: time.Duration(1+b[3]/5%32) * time.Millisecond,
	}
}

func (s script) events() (events [][record]byte) {
	for i := record; i+record <= len(s); i += record {
		events = append(events, [record]byte(s[i:]))
	}
	return events
}

func (s script) without(from, n int) script {
	from, n = record*(1+from), record*n
	return slices.Concat(s[:from], s[from+n:])
}

// shrunk leaves out what the failure does not need.
func (s script) shrunk() script {
	s = s[:record*(1+len(s.events()))]
	for size := len(s.events()); size > 0; {
		smaller := false
		for at := 0; at+size <= len(s.events()); {
			if shorter := s.without(at, size); play(shorter, nil) != nil {
				s, smaller = shorter, true
			} else {
				at++
			}
		}
		if !smaller || size > len(s.events()) {
			size /= 2
		}
	}
	return s
}

// String is what one needs to understand and to repeat a failure.
func (s script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%+v\n", s.rules())
	_ = play(s, func(line string) { fmt.Fprintln(&b, line) })
	fmt.Fprintf(&b, "repeat it with: go test ./schedule -run TestReplay -replay %x", []byte(s))
	return b.String()
}

// play runs the script on a List and on the reference and checks both against
// what the documentation promises. It tells what happens, if tell is not nil.
func play(s script, tell func(string)) (err error) {
	g := newGame(s.rules())
	say := func(format string, args ...any) {
		if tell != nil {
			tell(fmt.Sprintf("%4d ms  ", g.now.Sub(epoch).Milliseconds()) + fmt.Sprintf(format, args...))
		}
	}
	defer func() {
		if err != nil {
			say("%v", err)
		}
	}()
	for _, e := range s.events() {
		if err := g.event(e, say); err != nil {
			return err
		}
		if err := g.agree(); err != nil {
			return err
		}
	}
	return g.finish(say)
}

var (
	epoch   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	models  = []string{"mA", "mB", "mC", "mD"}
	sharers = []string{"ann", "bob", "cat", "dan"}
)

// game is a list, the reference beside it, and the referee's own notes.
type game struct {
	now      time.Time
	resident []string
	list     *List
	ref      *reference
	rules    Rules
	admitted map[ID]Job
	ended    map[ID]string
	runs     []ID // at most two
	notes    notes
}

func newGame(rules Rules) *game {
	return &game{now: epoch, rules: rules, list: New(rules, epoch), ref: newReference(rules, epoch),
		admitted: map[ID]Job{}, ended: map[ID]string{}, notes: newNotes(rules)}
}

func (g *game) event(e [record]byte, say func(string, ...any)) error {
	switch op := e[0] % 16; {
	case op < 6:
		return g.admit(e, say)
	case op < 7:
		if n := len(g.ref.waiting); n > 0 {
			id := g.ref.waiting[int(e[1])%n].ID
			say("cancel %d", id)
			if !g.list.Remove(id) {
				return fmt.Errorf("job %d waits, and cannot be removed", id)
			}
			g.ref.remove(id)
			return g.end(id, "cancelled")
		}
		if g.list.Remove(ID(e[1])) {
			return fmt.Errorf("removed job %d, which does not wait", e[1])
		}
	case op == 8 && e[2]%16 == 0:
		g.rules = rulesOf([record]byte{e[1], e[3], e[3] ^ e[1], e[0] ^ e[3]})
		say("rules %+v", g.rules)
		g.list.SetRules(g.rules, g.now)
		g.ref.setRules(g.rules, g.now)
		g.notes.setRules(g.rules)
	case op < 9:
		g.now = g.now.Add(time.Duration(e[1]%64) * time.Millisecond)
		say("time")
	case op < 10:
		return g.expire(say)
	case op < 14:
		g.resident = nil
		for i, m := range models {
			if e[1]&(1<<i) != 0 {
				g.resident = append(g.resident, m)
			}
		}
		if err := g.expire(say); err != nil {
			return err
		}
		return g.take(say)
	default:
		return g.done(say)
	}
	return nil
}

func (g *game) admit(e [record]byte, say func(string, ...any)) error {
	j := Job{
		Model:    models[e[1]%4],
		Client:   sharers[e[1]/4%4],
		Priority: int(e[2] % 10),
		Bytes:    int64(e[3] % 16),
		Urgent:   e[1]/16 == 3,
	}
	if e[0]/16%3 == 0 { // most priorities alike, so that turns matter
		j.Priority = device.DefaultPriority
	}
	if d := e[3] / 16; d%2 == 1 {
		j.Deadline = g.now.Add(time.Duration(d*8) * time.Millisecond)
	}
	id, refusal := g.list.Admit(j, g.now)
	want, ok := g.ref.admit(j, g.now)
	say("admit %d: %v", want, spelled(j))
	if id != want || (refusal == nil) != ok {
		return fmt.Errorf("admitted as %d, refusal %v; want %d, %v", id, refusal, want, ok)
	}
	switch {
	case ok:
		j.Arrival = g.now
		g.admitted[id] = j
	case (refusal.Cause == TooLarge) != (j.Bytes > g.rules.Bytes), (refusal.Cause == TooLarge) != (refusal.RetryAfter == 0),
		refusal.RetryAfter > MaxRetry, refusal.RetryAfter != 0 && refusal.RetryAfter < MinRetry:
		return fmt.Errorf("refused with %+v", *refusal)
	}
	return nil
}

// spelled is a job, printed as what matters of it.
type spelled Job

func (j spelled) String() string {
	s := fmt.Sprintf("%s of %s, priority %d, %d bytes", j.Model, j.Client, j.Priority, j.Bytes)
	if !j.Deadline.IsZero() {
		s += fmt.Sprintf(", until %d ms", j.Deadline.Sub(epoch).Milliseconds())
	}
	if j.Urgent {
		s += ", urgent"
	}
	return s
}

// end notes that an admitted job has left, and how.
func (g *game) end(id ID, how string) error {
	if before, ok := g.ended[id]; ok {
		return fmt.Errorf("job %d ended twice: %s, %s", id, before, how)
	}
	if _, ok := g.admitted[id]; !ok {
		return fmt.Errorf("job %d was never admitted", id)
	}
	g.ended[id] = how
	return nil
}

func (g *game) expire(say func(string, ...any)) error {
	gone, want := g.list.Expire(g.now), g.ref.expire(g.now)
	slices.Sort(gone)
	if !slices.Equal(gone, want) {
		return fmt.Errorf("expired %v, want %v", gone, want)
	}
	for _, id := range gone {
		say("expire %d", id)
		if err := g.end(id, "expired"); err != nil {
			return err
		}
	}
	return nil
}

func (g *game) take(say func(string, ...any)) error {
	choose := g.list.Next
	if len(g.runs) > 0 {
		choose = g.list.Beside
	}
	c, ok := choose(g.now, g.resident)
	if !ok {
		return nil
	}
	say("run %d: %s of %s, %s, resident %v", c.ID, c.Job.Model, c.Job.Client, c.Why, g.resident)
	if err := g.notes.check(c, g); err != nil {
		return err
	}
	for _, id := range g.runs {
		if j := g.admitted[id]; len(g.runs) > 1 || j.Urgent || c.Job.Urgent || j.Model != c.Job.Model {
			return fmt.Errorf("job %d chosen while %v run", c.ID, g.runs)
		}
	}
	if !g.list.Take(c, g.now) || g.list.Take(c, g.now) {
		return fmt.Errorf("job %d was not taken exactly once", c.ID)
	}
	g.ref.take(c, g.now)
	g.runs = append(g.runs, c.ID)
	return nil
}

func (g *game) done(say func(string, ...any)) error {
	g.list.Done(g.now)
	if len(g.runs) == 0 {
		return nil
	}
	g.ref.running = g.ref.running[1:]
	say("done %d", g.runs[0])
	id := g.runs[0]
	g.runs = g.runs[1:]
	return g.end(id, "ran")
}

// agree compares the two, and Next with itself: it must not change anything.
func (g *game) agree() error {
	want, wantOK := g.ref.next(g.now, g.resident)
	for range 2 {
		if got, ok := g.list.Next(g.now, g.resident); got != want || ok != wantOK {
			return fmt.Errorf("next is %d (%s, switch %v), want %d (%s, switch %v)", got.ID, got.Why, got.Switch, want.ID, want.Why, want.Switch)
		}
	}
	want, wantOK = g.ref.beside(g.now, g.resident)
	if got, ok := g.list.Beside(g.now, g.resident); got != want || ok != wantOK {
		return fmt.Errorf("beside is %d (%s, switch %v), want %d (%s, switch %v)", got.ID, got.Why, got.Switch, want.ID, want.Why, want.Switch)
	}
	jobs, bytes := g.list.Waiting()
	wantJobs, wantBytes := g.ref.counts()
	if jobs != wantJobs || bytes != wantBytes || jobs > g.notes.most.Jobs || bytes > g.notes.most.Bytes {
		return fmt.Errorf("%d jobs and %d bytes wait, want %d and %d, at most %d and %d", jobs, bytes, wantJobs, wantBytes, g.notes.most.Jobs, g.notes.most.Bytes)
	}
	depth, listed := 0, 0
	for p := range levels {
		depth += g.list.Depth(p)
	}
	for id, j := range g.list.Jobs() {
		if listed++; g.admitted[id] != j {
			return fmt.Errorf("job %d is listed as %+v, admitted as %+v", id, j, g.admitted[id])
		}
	}
	if depth != jobs || listed != jobs {
		return fmt.Errorf("%d jobs wait, %d by priority, %d listed", jobs, depth, listed)
	}
	return nil
}

// finish lets what waits run, and counts.
func (g *game) finish(say func(string, ...any)) error {
	for len(g.runs) > 0 || len(g.ref.waiting) > 0 {
		before := len(g.ended)
		for _, step := range []func(func(string, ...any)) error{g.done, g.expire, g.take} {
			if err := step(say); err != nil {
				return err
			}
		}
		if len(g.runs) == 0 && len(g.ended) == before {
			return fmt.Errorf("%d jobs wait, and none is chosen", len(g.ref.waiting))
		}
	}
	if jobs, bytes := g.list.Waiting(); jobs != 0 || bytes != 0 || g.list.running != 0 || len(g.list.nodes) != 0 || len(g.list.classes) != 0 || len(g.list.deadlines) != 0 {
		return fmt.Errorf("at the end %d jobs, %d bytes, %d nodes, %d classes are left", jobs, bytes, len(g.list.nodes), len(g.list.classes))
	}
	if len(g.ended) != len(g.admitted) {
		return fmt.Errorf("%d jobs were admitted, %d ended", len(g.admitted), len(g.ended))
	}
	return nil
}
