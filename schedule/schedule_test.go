package schedule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
)

// bench is a list whose jobs are named, and a clock that is moved by hand.
type bench struct {
	*List
	now   time.Time
	names map[ID]string
}

func newBench(change func(*Rules)) *bench {
	rules := DefaultRules()
	if change != nil {
		change(&rules)
	}
	return &bench{List: New(rules, epoch), now: epoch, names: map[ID]string{}}
}

// admit adds jobs that are written name/model/client/priority.
func (b *bench) admit(t *testing.T, jobs ...string) {
	t.Helper()
	for _, text := range jobs {
		f := strings.Split(text, "/")
		var priority int
		if _, err := fmt.Sscan(f[3], &priority); err != nil {
			t.Fatal(err)
		}
		id, refused := b.Admit(Job{Model: f[1], Client: f[2], Priority: priority, Bytes: 1}, b.now)
		if refused != nil {
			t.Fatalf("%s: %v", text, refused)
		}
		b.names[id] = f[0]
	}
}

// serve runs n jobs of a millisecond each and returns their names.
func (b *bench) serve(n int, resident ...string) (names []string) {
	for range n {
		c, ok := b.Next(b.now, resident)
		if !ok {
			return append(names, "-")
		}
		b.Take(c, b.now)
		b.now = b.now.Add(time.Millisecond)
		b.Done(b.now)
		names = append(names, b.names[c.ID])
	}
	return names
}

func expect(t *testing.T, got []string, want string) {
	t.Helper()
	if !slices.Equal(got, strings.Fields(want)) {
		t.Errorf("served %v, want %s", got, want)
	}
}

func TestPriorityThenArrival(t *testing.T) {
	b := newBench(nil)
	b.admit(t, "a/m/c/5", "b/m/c/0", "c/m/c/9", "d/m/c/5", "e/m/c/99", "f/m/c/-3")
	expect(t, b.serve(7), "c e a d b f -")
}

func TestClientsTakeTurns(t *testing.T) {
	b := newBench(nil)
	b.admit(t, "a1/m/ann/5", "a2/m/ann/5", "a3/m/ann/5", "b1/m/bob/5", "b2/m/bob/5", "c1/m/cat/5")
	expect(t, b.serve(3), "a1 b1 c1")
	b.admit(t, "c2/m/cat/5") // comes back: neither first nor last
	expect(t, b.serve(4), "a2 b2 c2 a3")
}

// A client that asks for one thing at a time shares with one that has asked for
// many, and leaves it its share.
func TestReturningClientsAndABacklog(t *testing.T) {
	b := newBench(nil)
	for range 200 {
		b.admit(t, "batch/m/batch/5")
	}
	served := map[string]int{}
	clients := []string{"x", "y", "z"}
	for _, c := range clients {
		b.admit(t, c+"/m/"+c+"/5")
	}
	for range 400 {
		name := b.serve(1)[0]
		served[name]++
		if name != "batch" {
			b.admit(t, name+"/m/"+name+"/5")
		}
	}
	for _, name := range append(clients, "batch") {
		if n := served[name]; n < 98 || n > 102 {
			t.Errorf("%s had %d of 400 turns", name, n)
		}
	}
}

func TestAgeing(t *testing.T) {
	b := newBench(func(r *Rules) { r.Step = time.Second })
	b.admit(t, "old/m/a/5")
	b.now = b.now.Add(3 * time.Second)
	b.admit(t, "new8/m/b/8", "new9/m/c/9")
	expect(t, b.serve(1), "new9")
	b.now = b.now.Add(2 * time.Second) // old has 10, and is overdue
	b.admit(t, "late9/m/d/9")
	expect(t, b.serve(3), "old new8 late9")
}

func TestGroupingIsBounded(t *testing.T) {
	b := newBench(func(r *Rules) { r.Group = 3 })
	for _, client := range []string{"ann", "bob"} {
		model := map[string]string{"ann": "X", "bob": "Y"}[client]
		for range 8 {
			b.admit(t, fmt.Sprintf("%s/%s/%s/5", model, model, client))
		}
	}
	expect(t, b.serve(17), "X X X Y Y Y X X X Y Y Y X X Y Y -")
	b.admit(t, "X/X/ann/5", "X/X/ann/5", "Y/Y/bob/6")
	expect(t, b.serve(3), "Y X X") // not before a higher priority
}

func TestGroupingIsBoundedInTime(t *testing.T) {
	b := newBench(func(r *Rules) { r.GroupTime = 2 * time.Millisecond })
	for range 4 {
		b.admit(t, "X/X/ann/5", "Y/Y/bob/5")
	}
	expect(t, b.serve(8), "X X Y Y X X Y Y")
}

// A model on the device is preferred, for as long as a group goes on.
func TestResidentModels(t *testing.T) {
	b := newBench(func(r *Rules) { r.Group = 2 })
	b.admit(t, "X/X/ann/5", "X/X/ann/5", "Y/Y/ann/5", "Z/Z/ann/5", "Z/Z/ann/5", "X/X/ann/5", "X/X/ann/5")
	expect(t, b.serve(8, "X", "Z"), "X X Z Z Y X X -")
}

func TestWhatRunsBesideAnother(t *testing.T) {
	b := newBench(nil)
	b.admit(t, "a/m/c/5", "b/m/c/5", "d/n/c/5", "e/m/c/5")
	c, _ := b.Next(b.now, nil)
	if !b.Take(c, b.now) {
		t.Fatal("not taken")
	}
	if other, ok := b.Next(b.now, nil); ok {
		t.Errorf("%v was chosen beside it", other)
	}
	if b.Take(Choice{ID: 3}, b.now) {
		t.Error("another model was given the device beside it")
	}
	if c, ok := b.Beside(b.now, nil); !ok || c.ID != 2 || !b.Take(c, b.now) {
		t.Errorf("the next of the model is %+v, %v", c, ok)
	}
	if c, ok := b.Beside(b.now, nil); ok || b.Take(Choice{ID: 4}, b.now) {
		t.Errorf("a third, %+v, was given the device", c)
	}
	b.Done(b.now)
	b.Done(b.now)
	expect(t, b.serve(3), "e d -")
}

func TestRefusals(t *testing.T) {
	b := newBench(func(r *Rules) { r.Jobs, r.Bytes = 2, 10 })
	admit := func(bytes int64) *Refusal {
		_, r := b.Admit(Job{Bytes: bytes}, b.now)
		return r
	}
	if r := admit(11); r == nil || r.Cause != TooLarge || r.RetryAfter != 0 {
		t.Errorf("%+v", r)
	}
	if r := admit(8); r != nil {
		t.Errorf("%+v", r)
	}
	if r := admit(3); r == nil || r.Cause != TooMuch || r.RetryAfter != MinRetry || r.Error() != "the inputs that wait are too large together: 1 of 2 requests, 8 of 10 bytes" {
		t.Errorf("%+v", r)
	}
	if r := admit(2); r != nil {
		t.Errorf("%+v", r)
	}
	if r := admit(0); r == nil || r.Cause != TooMany {
		t.Errorf("%+v", r)
	}
	if _, r := b.Admit(Job{Urgent: true, Bytes: 100}, b.now); r != nil {
		t.Errorf("an urgent job was refused: %v", r)
	}
	for _, c := range []struct{ took, want time.Duration }{{4 * time.Second, 8 * time.Second}, {time.Hour, MaxRetry}} {
		l := New(Rules{Jobs: 2, Bytes: 1, Step: time.Second}, epoch)
		l.Admit(Job{}, epoch)
		choice, _ := l.Next(epoch, nil)
		l.Take(choice, epoch)
		l.Done(epoch.Add(c.took))
		l.Admit(Job{}, epoch)
		l.Admit(Job{}, epoch)
		if _, r := l.Admit(Job{}, epoch); r == nil || r.RetryAfter != c.want {
			t.Errorf("after a job of %v: %+v", c.took, r)
		}
	}
}

// A clock that goes back, as wall clocks do, counts as one that stands still.
func TestClockThatGoesBack(t *testing.T) {
	b := newBench(func(r *Rules) { r.Step = time.Second })
	b.now = b.now.Add(time.Hour)
	b.admit(t, "a/m/c/5")
	b.now = epoch
	b.admit(t, "b/m/c/5", "c/m/c/9")
	expect(t, b.serve(4), "c a b -")
}

// Names of clients come from outside; those that wait for nothing are forgotten
// in the end.
func TestClientsAreForgotten(t *testing.T) {
	b := newBench(nil)
	for i := range 5 * remembered {
		b.admit(t, fmt.Sprintf("x/m/client%d/5", i))
		b.serve(1)
	}
	if known, entries := len(b.clients.byName), len(b.clients.idles); known > remembered || entries > 2*remembered {
		t.Errorf("%d clients are remembered, with %d entries", known, entries)
	}
	for range 5 * remembered { // the same one again and again takes one place
		b.admit(t, "x/m/same/5")
		b.serve(1)
	}
	if known, entries := len(b.clients.byName), len(b.clients.idles); known > remembered || entries > 2*remembered || b.clients.idleNow != known {
		t.Errorf("%d clients are remembered (%d at rest), with %d entries", known, b.clients.idleNow, entries)
	}
}

func TestBound(t *testing.T) {
	r := DefaultRules()
	for priority, want := range map[int]time.Duration{device.MostPriority: 10 * time.Second, device.DefaultPriority: 50 * time.Second, device.LeastPriority: 100 * time.Second} {
		if got := r.Bound(priority); got != want {
			t.Errorf("priority %d: %v, want %v", priority, got, want)
		}
	}
}
