package manager

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
	"hailo-depth/schedule"
)

// referee is the queue as it should be: a list, without goroutines.
type referee struct {
	limit             int
	waiting           []string
	urgent            map[string]bool // the manager's own, which no client waits for
	running           string
	draining, stopped bool
	began             []string
	ends              map[string]device.Kind // "" for a job that ran
}

func (r *referee) submit(name string, urgent bool) {
	switch {
	case r.draining || r.stopped:
		r.ends[name] = device.KindUnavailable
	case urgent:
		r.urgent[name] = true
		r.waiting = slices.Insert(r.waiting, r.urgents(), name)
	case int(r.depth()) >= r.limit:
		r.ends[name] = device.KindBusy
	default:
		r.waiting = append(r.waiting, name)
	}
	r.next()
}

// urgents counts those that wait; they are at the head.
func (r *referee) urgents() int { return len(r.waiting) - int(r.depth()) }

func (r *referee) next() {
	if r.running == "" && len(r.waiting) > 0 {
		r.running, r.waiting = r.waiting[0], r.waiting[1:]
		r.began = append(r.began, r.running)
	}
}

// expire ends what waits beyond its deadline; what runs goes on.
func (r *referee) expire(name string) {
	if _, ended := r.ends[name]; !ended {
		r.cancel(name)
		r.ends[name] = device.KindTimeout
	}
}

func (r *referee) cancel(name string) {
	r.ends[name] = device.KindCanceled
	r.waiting = slices.DeleteFunc(r.waiting, func(w string) bool { return w == name })
}

func (r *referee) finish() {
	if _, left := r.ends[r.running]; !left {
		r.ends[r.running] = ""
	}
	r.running = ""
	r.next()
}

func (r *referee) stop() {
	r.stopped = true
	for _, name := range r.waiting {
		r.ends[name] = device.KindUnavailable
	}
	r.waiting = nil
}

// TestQueueAgainstReferee plays random events to the queue and to the referee
// and compares them after each.
func TestQueueAgainstReferee(t *testing.T) {
	for seed := range uint64(400) {
		synctest.Test(t, func(t *testing.T) { playQueue(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func playQueue(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 2))
	limit := 1 + random.IntN(4)
	b := newBench(t, limit)
	r := &referee{limit: limit, urgent: map[string]bool{}, ends: map[string]device.Kind{}}
	cancels, deadlines := map[string]context.CancelFunc{}, map[string]time.Time{}
	var names []string
	steps := 10 + random.IntN(40)
	for step := range steps {
		var event string
		switch p := random.IntN(100); {
		case p < 45:
			name, urgent := fmt.Sprint("job", step), random.IntN(6) == 0
			event = fmt.Sprintf("submit %s urgent %v", name, urgent)
			ctx, cancel := context.WithCancel(t.Context())
			if random.IntN(3) == 0 {
				deadlines[name] = time.Now().Add(time.Duration(1+random.IntN(20)) * time.Second)
				ctx, cancel = context.WithDeadline(t.Context(), deadlines[name])
			}
			cancels[name] = cancel
			names = append(names, name)
			b.submit(ctx, name, urgent)
			r.submit(name, urgent)
		case p < 65 && len(names) > 0:
			name := names[random.IntN(len(names))]
			event = "cancel " + name
			cancels[name]()
			synctest.Wait()
			if _, ended := r.ends[name]; !ended {
				r.cancel(name)
			}
		case p < 75:
			event = "time"
			time.Sleep(time.Duration(random.IntN(10)) * time.Second)
			synctest.Wait()
			for name, d := range deadlines {
				if !d.After(time.Now()) {
					r.expire(name)
				}
			}
		case p < 94 && r.running != "":
			event = "finish " + r.running
			b.finish(r.running)
			r.finish()
		case p < 97 && step > steps/2 && !r.draining:
			event = "drain"
			go b.queue.drain(t.Context())
			synctest.Wait()
			r.draining = true
		case p == 99 && step > steps/2:
			event = "stop"
			b.end()
			synctest.Wait()
			r.stop()
		}
		r.compare(t, b, event)
	}
	for r.running != "" {
		b.finish(r.running)
		r.finish()
	}
	r.compare(t, b, "the end")
	for _, name := range names {
		if _, ended := b.ended(name); !ended {
			t.Errorf("%s never ended", name)
		}
		cancels[name]()
	}
}

func (r *referee) depth() (n int64) {
	for _, name := range r.waiting {
		if !r.urgent[name] {
			n++
		}
	}
	return n
}

func (r *referee) compare(t *testing.T, b *bench, event string) {
	t.Helper()
	b.expectBegan(t, r.began...)
	b.expectDepth(t, r.depth())
	for name := range b.gates {
		if want, ended := r.ends[name]; ended {
			b.expectEnd(t, name, want)
		} else {
			b.expectRunning(t, name)
		}
	}
	if t.Failed() {
		t.Fatalf("after %q", event)
	}
}

// TestQueueUnderLoad lets many callers come, leave and stop the queue at the
// same time, so that events cross: never two jobs at once, every call returns,
// a call that succeeded ran exactly once and one that was refused never.
func TestQueueUnderLoad(t *testing.T) {
	for seed := range uint64(60) {
		synctest.Test(t, func(t *testing.T) { crowd(t, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func crowd(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 3))
	rules := schedule.DefaultRules()
	rules.Jobs = 1 + random.IntN(8)
	q := newQueue(order{rules: rules}, func() []string { return []string{"m1"} })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go q.run(ctx)
	var inside, returned atomic.Int64
	const callers = 40
	var errs [callers]error
	var ran [callers]atomic.Int64
	for i := range callers {
		arrives, works := time.Duration(random.IntN(50))*time.Millisecond, time.Duration(random.IntN(4))*time.Millisecond
		patience, urgent := time.Duration(1+random.IntN(60))*time.Millisecond, random.IntN(10) == 0
		go func() {
			time.Sleep(arrives)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			terms := schedule.Job{Model: fmt.Sprint("m", i%3), Client: fmt.Sprint(i % 5), Priority: i % 10, Urgent: urgent}
			_, errs[i] = q.ask(ctx, "infer", terms, func() {
				if inside.Add(1) != 1 {
					t.Errorf("two jobs at once")
				}
				time.Sleep(works)
				inside.Add(-1)
				ran[i].Add(1)
			})
			if d := q.depths.total(); d < 0 || d > callers {
				t.Errorf("depth %d", d)
			}
			returned.Add(1)
		}()
	}
	switch random.IntN(3) {
	case 0:
		time.Sleep(20 * time.Millisecond)
		stop()
	case 1:
		time.Sleep(20 * time.Millisecond)
		q.drain(t.Context())
	}
	time.Sleep(time.Second)
	synctest.Wait()
	if n := returned.Load(); n != callers {
		t.Fatalf("%d of %d calls returned", n, callers)
	}
	for i, err := range errs {
		kind, n := device.KindOf(err), ran[i].Load()
		switch {
		case err == nil && n != 1:
			t.Errorf("caller %d: no error, ran %d times", i, n)
		case err != nil && (kind == device.KindBusy || kind == device.KindUnavailable) && n != 0:
			t.Errorf("caller %d: refused with %v, and it ran", i, err)
		}
	}
	if d := q.depths.total(); d != 0 {
		t.Errorf("depth %d at the end", d)
	}
}
