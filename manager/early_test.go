package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

// askInOrder has clients ask for a10, each after the one before waits or runs;
// the answers come in the same order as the contexts.
func (r *rig) askInOrder(t *testing.T, contexts ...context.Context) (answers []chan error) {
	t.Helper()
	for i, ctx := range contexts {
		answer := make(chan error, 1)
		answers = append(answers, answer)
		go func() {
			result, err := r.Infer(ctx, r.model("a10"), picture(byte(i+1)))
			if err == nil {
				if values, bad := result.Tensor.Float32s(); bad != nil || !slices.Equal(values, []float32{float32(i + 1)}) {
					err = fmt.Errorf("picture %d was answered with %v (%w)", i+1, values, bad)
				}
			}
			answer <- err
		}()
		synctest.Wait()
	}
	return answers
}

func (r *rig) counts() (early, dropped int) {
	r.device.mu.Lock()
	defer r.device.mu.Unlock()
	return r.device.early, r.device.dropped
}

// TestOverlapIsSwitchedOff by new limits while the manager runs, and on again.
func TestOverlapIsSwitchedOff(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.took = time.Second
		for i, c := range []struct {
			overlap bool
			early   int // until now
		}{{true, 2}, {false, 2}, {true, 4}} {
			l := r.options.Limits
			l.Overlap = c.overlap
			if err := r.Apply(l, Settings{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // the keeper looks at the settings, in a turn of its own
			ctx := t.Context()
			for _, a := range r.askInOrder(t, ctx, ctx, ctx) {
				if err := <-a; err != nil {
					t.Error(err)
				}
			}
			synctest.Wait()
			if early, _ := r.counts(); early != c.early {
				t.Errorf("round %d: %d were sent early, want %d", i, early, c.early)
			}
		}
	})
}

// TestTheNextRequestIsSentEarly, unless it is for another model, or that is
// switched off, or there is no room for it; the answers are the same.
func TestTheNextRequestIsSentEarly(t *testing.T) {
	for _, c := range []struct {
		overlap, noRoom bool
		early           int
	}{{true, false, 3}, {false, false, 0}, {true, true, 0}} {
		inBubble(t, 90, func(l *Limits) { l.Overlap = c.overlap }, func(t *testing.T, r *rig) {
			r.load(t, "a10", "b10")
			r.device.took, r.device.noEarly = time.Second, c.noRoom
			began := time.Now()
			ctx := t.Context()
			answers := r.askInOrder(t, ctx, ctx, ctx, ctx)
			other := make(chan error, 1)
			go func() { other <- r.infer(as(ctx, "x", 0), "b10") }()
			synctest.Wait()
			q := r.Overview(ctx).Queue
			prepared := 0
			if c.overlap {
				prepared = 1
			}
			if q.Running == nil || q.Prepared != prepared || q.Waiting != 4-prepared {
				t.Errorf("%+v: the queue is %+v", c, q)
			}
			for _, a := range append(answers, other) {
				if err := <-a; err != nil {
					t.Error(err)
				}
			}
			if took := time.Since(began); took != 5*time.Second {
				t.Errorf("%+v: five inferences took %v", c, took)
			}
			if early, dropped := r.counts(); early != c.early || dropped != 0 {
				t.Errorf("%+v: %d were sent early, %d dropped; want %d, 0", c, early, dropped, c.early)
			}
		})
	}
}

// TestTimesOfARequestSentEarly begin when the one before it has ended.
func TestTimesOfARequestSentEarly(t *testing.T) {
	inBubble(t, 30, func(l *Limits) { l.InferTimeout = time.Second }, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.took = 4 * time.Second // with the worker's grace within the limit, but not twice
		first := r.askInOrder(t, t.Context())
		second, err := r.Infer(t.Context(), r.model("a10"), picture(2))
		if err != nil || <-first[0] != nil {
			t.Fatal(err)
		}
		want := device.Timing{Queue: 4 * time.Second, Infer: 4 * time.Second, Library: 4 * time.Second}
		if second.Timing != want {
			t.Errorf("the second's times are %+v, want %+v", second.Timing, want)
		}
	})
}

// TestEarlyRequestsAndFaults: whatever hits one, the other has its own answer.
func TestEarlyRequestsAndFaults(t *testing.T) {
	gone := func(err error) bool { return device.KindOf(err) == device.KindUnavailable }
	late := func(err error) bool { return device.KindOf(err) == device.KindTimeout }
	fine := func(err error) bool { return err == nil }
	for _, c := range []struct {
		name          string
		atOnce        bool // the fault, not after the inference's time
		fault         func(string) error
		first, second func(error) bool
		starts        int
	}{
		{"the first hangs", false, onNth("infer", 1, errHang), late, fine, 1},
		{"the first kills the worker", false, onNth("infer", 1, errCrash), fine, fine, 1},
		{"the first loses the device", false, onNth("infer", 1, lostDevice(62)), fine, fine, 1},
		{"the first is aborted", false, onNth("infer", 1, lostDevice(57)), fine, fine, 0},
		{"the second hangs", false, onNth("infer", 2, errHang), fine, late, 1},
		{"the second kills the worker", false, onNth("infer", 2, errCrash), fine, fine, 1},
		{"the second kills two workers", false, fromNth("infer", 2, errCrash), fine, gone, 2},
		{"the second kills two workers before the first is looked at", true, fromNth("infer", 2, errCrash), fine, gone, 2},
		{"the second loses the device", false, onNth("infer", 2, lostDevice(62)), fine, fine, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, 30, nil, func(t *testing.T, r *rig) {
				r.load(t, "a10")
				r.device.took, r.device.faultsLate = time.Second, !c.atOnce
				r.device.events()
				r.device.setFault(c.fault)
				answers := r.askInOrder(t, t.Context(), t.Context())
				if err := <-answers[0]; !c.first(err) {
					t.Errorf("the first: %v", err)
				}
				if err := <-answers[1]; !c.second(err) {
					t.Errorf("the second: %v", err)
				}
				starts := 0
				time.Sleep(time.Minute)
				for _, e := range r.device.events() {
					if e == "start" {
						starts++
					}
				}
				if early, _ := r.counts(); early == 0 || starts != c.starts {
					t.Errorf("%d sent early, %d workers started; want at least 1, %d", early, starts, c.starts)
				}
			})
		})
	}
}

// fromNth gives err to all operations of a kind from the n-th on.
func fromNth(operation string, n int, err error) func(string) error {
	seen := 0
	return func(op string) error {
		if op == operation {
			if seen++; seen >= n {
				return err
			}
		}
		return nil
	}
}

// TestCallersLeaveEarlyRequests: their answers are discarded, and nobody else's.
func TestCallersLeaveEarlyRequests(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.took = time.Second
		deadline, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer stop()
		began := time.Now()
		answers := r.askInOrder(t, t.Context(), deadline, t.Context())
		if err := <-answers[1]; device.KindOf(err) != device.KindTimeout || time.Since(began) != 500*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if err := errors.Join(<-answers[0], <-answers[2]); err != nil {
			t.Error(err)
		}
	})
}

// TestUnloadWaitsForEarlyRequests: it has the device alone.
func TestUnloadWaitsForEarlyRequests(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.took = time.Second
		r.device.events()
		answers := r.askInOrder(t, t.Context(), t.Context())
		began := time.Now()
		if was, err := r.Unload(t.Context(), r.model("a10")); !was || err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("unloaded: %v, %v after %v", was, err, time.Since(began))
		}
		if err := errors.Join(<-answers[0], <-answers[1]); err != nil {
			t.Error(err)
		}
		r.expectEvents(t, "infer a10", "infer a10", "unload a10")
	})
}
