package depth

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
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
		if n := g.waiting(); n != 3 {
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
		if n := g.waiting(); n != 0 {
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

// Places go to the highest priority first and to clients in turn, and nobody is
// kept out for ever.
func TestGateHasTheDevicesOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(Limits{Pictures: 1, Queue: 8, WorkPixels: 100})
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		var order []string
		var clients sync.WaitGroup
		come := func(name, client string, priority int) {
			ctx := device.WithTerms(t.Context(), device.Terms{Priority: priority, Client: client})
			clients.Go(func() {
				if err := g.enter(ctx); err != nil {
					t.Error(err)
				}
				order = append(order, name) // one place: nobody else is in
				time.Sleep(time.Second)
				g.leave()
			})
			synctest.Wait()
		}
		come("old", "c", 0)
		time.Sleep(101 * time.Second) // by which its priority counts no more, only its age
		come("a1", "a", 5)
		come("a2", "a", 5)
		come("a3", "a", 5)
		come("b1", "b", 5)
		come("low", "b", 1)
		come("high", "d", 9)
		g.leave()
		clients.Wait()
		if want := []string{"old", "high", "a1", "b1", "a2", "a3", "low"}; !slices.Equal(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
		if g.waiting() != 0 || g.inside() != 0 {
			t.Errorf("%d wait, %d inside", g.waiting(), g.inside())
		}
	})
}

// However callers come, leave and give up, no place is lost and none is given twice.
func TestGateLosesNoPlace(t *testing.T) {
	const places = 3
	g := newGate(Limits{Pictures: places, Queue: 5, WorkPixels: 100})
	var inside, most atomic.Int64
	var callers sync.WaitGroup
	for i := range 40 {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 9))
			for range 200 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(200))*time.Microsecond)
				ctx = device.WithTerms(ctx, device.Terms{Priority: random.IntN(10), Client: fmt.Sprint(i % 7)})
				if err := g.enter(ctx); err == nil {
					most.Store(max(most.Load(), inside.Add(1)))
					runtime.Gosched()
					inside.Add(-1)
					g.leave()
				}
				cancel()
			}
		})
	}
	callers.Wait()
	if g.waiting() != 0 || g.inside() != 0 || most.Load() > places || most.Load() == 0 {
		t.Errorf("%d wait, %d inside at the end; at most %d at once", g.waiting(), g.inside(), most.Load())
	}
	for range places {
		if err := g.enter(t.Context()); err != nil {
			t.Error(err)
		}
	}
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
