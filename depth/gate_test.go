package depth

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

func TestGateBoundsPicturesAndWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(Limits{Pictures: 2, Queue: 3, WorkPixels: 100})
		for range 2 {
			if err := g.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		entered := make(chan error)
		for range 3 {
			go func() { entered <- g.enter(t.Context()) }()
		}
		synctest.Wait()
		if n := g.waiting.Load(); n != 3 {
			t.Errorf("%d wait, want 3", n)
		}
		err := g.enter(t.Context())
		var busy *device.Error
		if !errors.As(err, &busy) || busy.Kind != device.KindBusy || busy.RetryAfter <= 0 {
			t.Errorf("a queue that is full: %v", err)
		}
		for range 3 {
			g.leave()
			if err := <-entered; err != nil {
				t.Error(err)
			}
		}
		if n := g.waiting.Load(); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

func TestGateGivesUpWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(Limits{Pictures: 1, Queue: 3, WorkPixels: 100})
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		late, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if kind := device.KindOf(g.enter(late)); kind != device.KindTimeout {
			t.Errorf("after the deadline: %s", kind)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if kind := device.KindOf(g.enter(gone)); kind != device.KindCanceled {
			t.Errorf("after the caller left: %s", kind)
		}
		g.leave()
		if err := g.enter(t.Context()); err != nil {
			t.Errorf("the place was not given back: %v", err)
		}
	})
}

// Small pictures run on every core and no more; pixels bound large ones; one
// that is larger than all that is allowed at once still gets its turn, alone.
func TestGateBoundsWork(t *testing.T) {
	cores := int64(runtime.GOMAXPROCS(0))
	for name, c := range map[string]struct {
		pixels, want int64
	}{"small": {1, cores}, "over half": {61, 1}, "all": {120, 1}, "over": {1e9, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(Limits{Pictures: 1, WorkPixels: 120 - 120%cores})
				release := make(chan struct{})
				var running, most atomic.Int64
				done := make(chan struct{})
				const jobs = 12
				for range jobs {
					go func() {
						end, err := g.begin(t.Context(), c.pixels)
						if err != nil {
							t.Error(err)
						} else {
							most.Store(max(most.Load(), running.Add(1)))
							<-release
							running.Add(-1)
							end()
						}
						done <- struct{}{}
					}()
				}
				synctest.Wait()
				if n := running.Load(); n != c.want {
					t.Errorf("%d run at once, want %d", n, c.want)
				}
				for range jobs {
					release <- struct{}{}
					<-done
				}
				if n := most.Load(); n > c.want {
					t.Errorf("%d ran at once, want %d", n, c.want)
				}
			})
		})
	}
}
