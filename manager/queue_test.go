package manager

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
	"hailo-depth/schedule"
)

// bench is a queue whose jobs run until the test lets them end.
type bench struct {
	queue *queue
	end   context.CancelFunc // of the loop
	gates map[string]chan struct{}

	mu    sync.Mutex
	began []string         // the jobs that were started, in order
	ends  map[string]error // what each do returned
}

// newBench must be called within a synctest bubble.
func newBench(t *testing.T, limit int) *bench {
	rules := schedule.DefaultRules()
	rules.Jobs = limit
	b := &bench{queue: newQueue(order{rules: rules}, func() []string { return nil }), gates: map[string]chan struct{}{}, ends: map[string]error{}}
	ctx, cancel := context.WithCancel(t.Context())
	b.end = cancel
	go b.queue.run(ctx)
	t.Cleanup(cancel)
	return b
}

// submit queues a job and settles.
func (b *bench) submit(ctx context.Context, name string, urgent bool) {
	b.submitJob(ctx, name, schedule.Job{Urgent: urgent, Priority: device.DefaultPriority})
}

func (b *bench) submitJob(ctx context.Context, name string, terms schedule.Job) {
	gate := make(chan struct{})
	b.gates[name] = gate
	go func() {
		_, err := b.queue.ask(ctx, "infer", terms, func() {
			b.mu.Lock()
			b.began = append(b.began, name)
			b.mu.Unlock()
			<-gate
		})
		b.mu.Lock()
		defer b.mu.Unlock()
		b.ends[name] = err
	}()
	synctest.Wait()
}

func (b *bench) finish(name string) {
	close(b.gates[name])
	synctest.Wait()
}

func (b *bench) ended(name string) (error, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	err, ended := b.ends[name]
	return err, ended
}

func (b *bench) expectDepth(t *testing.T, want int64) {
	t.Helper()
	if got := b.queue.depths.total(); got != want {
		t.Errorf("depth %d, want %d", got, want)
	}
}

func (b *bench) expectBegan(t *testing.T, want ...string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.began, want) {
		t.Errorf("began %v, want %v", b.began, want)
	}
}

func (b *bench) expectEnd(t *testing.T, name string, want device.Kind) {
	t.Helper()
	err, ended := b.ended(name)
	switch {
	case !ended:
		t.Errorf("%s has not ended", name)
	case want == "" && err != nil:
		t.Errorf("%s ended with %v", name, err)
	case want != "" && device.KindOf(err) != want:
		t.Errorf("%s ended with %v (%s), want kind %s", name, err, errorKind(err), want)
	}
}

func (b *bench) expectRunning(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if err, ended := b.ended(name); ended {
			t.Errorf("%s ended already: %v", name, err)
		}
	}
}

func TestQueueFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10)
		for _, name := range []string{"a", "b", "c", "d"} {
			b.submit(t.Context(), name, false)
		}
		b.expectBegan(t, "a")
		b.expectDepth(t, 3)
		for i, name := range []string{"a", "b", "c", "d"} {
			b.finish(name)
			b.expectEnd(t, name, "")
			b.expectBegan(t, []string{"a", "b", "c", "d"}[:min(i+2, 4)]...)
		}
		b.expectDepth(t, 0)
	})
}

func TestQueueUrgentGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 2)
		b.submit(t.Context(), "running", false)
		b.submit(t.Context(), "first", false)
		b.submit(t.Context(), "second", false)
		b.submit(t.Context(), "repair", true) // over the limit, too
		b.expectDepth(t, 2)                   // requests; a repair is none
		b.finish("running")
		b.expectBegan(t, "running", "repair")
		b.finish("repair")
		b.expectBegan(t, "running", "repair", "first")
		b.finish("first")
		b.finish("second")
	})
}

func TestQueueFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 2)
		for _, name := range []string{"a", "b", "c", "d"} {
			b.submit(t.Context(), name, false)
		}
		b.expectEnd(t, "d", device.KindBusy)
		err, _ := b.ended("d")
		if e, ok := errors.AsType[*device.Error](err); !ok || e.RetryAfter <= 0 {
			t.Errorf("no RetryAfter in %+v", err)
		}
		b.expectRunning(t, "a", "b", "c")
		b.finish("a")
		b.submit(t.Context(), "e", false) // there is room again
		b.expectRunning(t, "e")
		b.expectDepth(t, 2)
		for _, name := range []string{"b", "c", "e"} {
			b.finish(name)
		}
		b.expectBegan(t, "a", "b", "c", "e")
	})
}

// TestQueueOtherRules: a smaller queue keeps who waits and refuses who comes, a
// larger one takes more, and the next decision is by the new numbers.
func TestQueueOtherRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 3)
		hold := func(jobs, group int) {
			o := *b.queue.order.Load()
			o.rules.Jobs, o.rules.Group = jobs, group
			b.queue.order.Store(&o)
		}
		ask := func(name, model string) {
			b.submitJob(t.Context(), name, schedule.Job{Model: model, Client: name[:1], Priority: device.DefaultPriority})
		}
		for _, j := range [][2]string{{"a1", "m"}, {"a2", "m"}, {"b1", "n"}} {
			ask(j[0], j[1])
		}
		hold(1, 8)
		ask("c1", "n")
		b.expectEnd(t, "c1", device.KindBusy)
		b.expectRunning(t, "a2", "b1")
		if o := b.queue.look().overview; o.Limit != 1 || o.Waiting != 2 {
			t.Errorf("the queue is %+v", o)
		}
		hold(4, 8)
		ask("b2", "n")
		b.expectDepth(t, 3)
		b.finish("a1") // m goes on: its group is not over
		hold(4, 0)
		b.finish("a2") // turns alone: b's, who has had none
		b.finish("b1")
		b.finish("b2")
		b.expectBegan(t, "a1", "a2", "b1", "b2")
		ask("a3", "m")
		ask("a4", "m")
		ask("b3", "n")
		b.finish("a3")
		b.expectBegan(t, "a1", "a2", "b1", "b2", "a3", "b3") // with groups it were a4
		b.finish("b3")
		b.finish("a4")
		b.expectDepth(t, 0)
	})
}

func TestQueueCanceledJobNeverRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10)
		b.submit(t.Context(), "a", false)
		ctx, cancel := context.WithCancel(t.Context())
		b.submit(ctx, "left", false)
		late, cancelLate := context.WithTimeout(t.Context(), time.Minute)
		defer cancelLate()
		b.submit(late, "late", false)
		b.submit(t.Context(), "b", false)
		cancel()
		synctest.Wait()
		b.expectEnd(t, "left", device.KindCanceled)
		b.expectDepth(t, 2)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		b.expectEnd(t, "late", device.KindTimeout)
		b.expectDepth(t, 1)
		b.finish("a")
		b.finish("b")
		b.expectBegan(t, "a", "b")
	})
}

func TestQueueCallerLeavesWhileItsJobRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10)
		ctx, cancel := context.WithCancel(t.Context())
		b.submit(ctx, "a", false)
		b.submit(t.Context(), "b", false)
		cancel()
		synctest.Wait()
		b.expectEnd(t, "a", device.KindCanceled)
		b.expectBegan(t, "a") // it still holds the device
		b.expectDepth(t, 1)
		b.finish("a")
		b.expectBegan(t, "a", "b")
		b.expectRunning(t, "b")
		b.finish("b")
		b.expectEnd(t, "b", "")
	})
}

func TestQueueWaitedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10)
		go func() {
			_, _ = b.queue.ask(t.Context(), "infer", schedule.Job{}, func() { time.Sleep(3 * time.Second) })
		}()
		synctest.Wait()
		waited, err := b.queue.ask(t.Context(), "infer", schedule.Job{}, func() { time.Sleep(time.Hour) })
		if err != nil || waited != 3*time.Second {
			t.Errorf("waited %v, %v; want 3s", waited, err)
		}
	})
}
