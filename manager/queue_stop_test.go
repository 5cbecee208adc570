package manager

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
	"hailo-depth/schedule"
)

func TestQueueDrainFinishesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10)
		b.submit(t.Context(), "a", false)
		b.submit(t.Context(), "b", false)
		drained := false
		go func() {
			b.queue.drain(t.Context())
			drained = true
		}()
		synctest.Wait()
		b.submit(t.Context(), "new", false)
		b.submit(t.Context(), "repair", true)
		b.expectEnd(t, "new", device.KindUnavailable)
		b.expectEnd(t, "repair", device.KindUnavailable)
		b.finish("a")
		if drained {
			t.Error("drained before b ended")
		}
		b.finish("b")
		b.expectEnd(t, "b", "")
		if !drained {
			t.Error("not drained")
		}
	})
}

func TestQueueDrainOfAnIdleQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10)
		b.queue.drain(t.Context())
		b.submit(t.Context(), "new", false)
		b.expectEnd(t, "new", device.KindUnavailable)
	})
}

func TestQueueDrainGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10)
		b.submit(t.Context(), "a", false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		b.queue.drain(ctx)
		if d := time.Since(began); d != time.Minute {
			t.Errorf("drain took %v", d)
		}
		b.finish("a")
		b.expectEnd(t, "a", "")
	})
}

func TestQueueEndRefusesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10)
		b.submit(t.Context(), "running", false)
		b.submit(t.Context(), "waiting", false)
		b.end()
		synctest.Wait()
		b.expectEnd(t, "waiting", device.KindUnavailable)
		b.expectRunning(t, "running")
		b.submit(t.Context(), "late", false)
		b.finish("running")
		b.expectEnd(t, "running", "")
		b.expectEnd(t, "late", device.KindUnavailable)
		b.expectBegan(t, "running")
		select {
		case <-b.queue.stopped:
		default:
			t.Error("the loop still runs")
		}
		b.queue.drain(t.Context()) // returns at once
		if b.queue.alive(t.Context()) {
			t.Error("alive after its end")
		}
	})
}

// A job that does not end must hold nobody but the loop.
func TestQueueCallersLeaveWhileTheLoopEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10)
		ctx, cancel := context.WithCancel(t.Context())
		b.submit(ctx, "running", false)
		b.end()
		synctest.Wait()
		b.submit(t.Context(), "late", false)
		b.expectEnd(t, "late", device.KindUnavailable)
		cancel()
		synctest.Wait()
		b.expectEnd(t, "running", device.KindCanceled)
		b.finish("running")
	})
}

func TestQueueAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10)
		b.submit(t.Context(), "a", false)
		if !b.queue.alive(t.Context()) {
			t.Error("a turning loop is not alive")
		}
		b.finish("a")
		stuck, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if newQueue(order{rules: schedule.DefaultRules()}, nil).alive(stuck) { // nobody runs its loop
			t.Error("a loop that does not turn is alive")
		}
	})
}
