package manager

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

// TestLostDeviceIsReopenedAndTriedOnce: whatever status says that it is lost.
func TestLostDeviceIsReopenedAndTriedOnce(t *testing.T) {
	for _, status := range []int{62, 77, 89, 96, 97, 87, 36, 8} {
		inBubble(t, 30, nil, func(t *testing.T, r *rig) {
			r.load(t, "a10", "b10")
			r.device.setFault(onNth("infer", 1, lostDevice(status)))
			r.device.events()
			if err := r.infer(t.Context(), "a10"); err != nil {
				t.Fatalf("status %d: %v", status, err)
			}
			r.expectEvents(t, "infer a10", "close", "start", "load a10", "infer a10")
			r.expectModels(t, "a10") // b10 is loaded again when it is used
			r.device.setFault(onNth("load", 1, lostDevice(status)))
			r.load(t, "c10")
			r.expectEvents(t, "load c10", "close", "start", "load c10")
			if n := r.metric(t, "hailo_device_worker_restarts_total", "reason=lost"); n != 2 {
				t.Errorf("%v restarts counted", n)
			}
		})
	}
}

func TestDeviceLostAgain(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		for _, operation := range []string{"load", "infer"} {
			r.device.setFault(func(op string) error {
				if op == operation {
					return lostDevice(62)
				}
				return nil
			})
			_, err := r.Infer(t.Context(), r.model("a10"), picture(1))
			expectKind(t, err, device.KindUnavailable, "HAILO_COMMUNICATION_CLOSED(62)")
			if e := err.(*device.Error); e.Status != 62 || e.RetryAfter <= 0 {
				t.Errorf("%+v", e)
			}
			if s := r.status(t); s.RuntimeBroken == "" || r.Ready() != s.RuntimeBroken {
				t.Errorf("%s: broken %q, ready %q", operation, s.RuntimeBroken, r.Ready())
			}
			r.device.setFault(nil)
			if err := r.infer(t.Context(), "a10"); err != nil {
				t.Error(err)
			}
			if s := r.status(t); s.RuntimeBroken != "" || r.Ready() != "" {
				t.Errorf("%s: still broken %q", operation, s.RuntimeBroken)
			}
		}
	})
}

// TestOpeningIsTriedThreeTimes: 250 ms apart, then the request fails.
func TestOpeningIsTriedThreeTimes(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.events()
		var tries []time.Time
		r.device.setFault(func(op string) error {
			if op == "start" {
				tries = append(tries, time.Now())
				return errors.New("no such device")
			}
			return nil
		})
		r.device.living().die("die")
		began := time.Now()
		err := r.infer(t.Context(), "a10")
		expectKind(t, err, device.KindUnavailable, "the device cannot be used: no such device")
		want := []time.Time{began, began.Add(250 * time.Millisecond), began.Add(500 * time.Millisecond)}
		r.device.mu.Lock()
		if !slices.EqualFunc(tries[:3], want, time.Time.Equal) {
			t.Errorf("tried at %v", tries)
		}
		r.device.mu.Unlock()
		if s := r.status(t); s.RuntimeBroken != "no such device" || s.IdentifyErr == "" || len(s.Models) != 0 {
			t.Errorf("%+v", s)
		}
		r.device.setFault(nil)
		if err := r.infer(t.Context(), "a10"); err != nil {
			t.Fatal(err)
		}
		if s := r.status(t); s.RuntimeBroken != "" || r.Ready() != "" {
			t.Errorf("still broken: %q", s.RuntimeBroken)
		}
	})
}

// TestSecondTryOpens: a device that comes back within the three attempts costs nobody an error.
func TestSecondTryOpens(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.device.living().die("die")
		r.device.setFault(onNth("start", 1, errors.New("not yet")))
		if err := r.infer(t.Context(), "a10"); err != nil {
			t.Error(err)
		}
	})
}

// TestBrokenDeviceIsTriedAgain without a request, every 30 s.
func TestBrokenDeviceIsTriedAgain(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.device.setFault(func(op string) error {
			if op == "start" {
				return errors.New("no such device")
			}
			return nil
		})
		r.device.living().die("die")
		time.Sleep(2 * time.Minute)
		if reason := r.Ready(); reason != "no such device" {
			t.Errorf("ready: %q", reason)
		}
		if n := len(r.device.events()); n < 3*4 || n > 3*6+2 {
			t.Errorf("%d attempts in two minutes", n)
		}
		r.device.setFault(nil)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if reason := r.Ready(); reason != "" {
			t.Errorf("ready: %q", reason)
		}
	})
}

// TestIdleDeathIsRepaired: the worker is replaced without a request, ever more
// slowly while it dies young, and at once again after it lived.
func TestIdleDeathIsRepaired(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		for _, after := range []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second} {
			r.device.living().die("die")
			time.Sleep(after - time.Millisecond)
			synctest.Wait()
			if r.device.living() != nil {
				t.Errorf("replaced before %v", after)
			}
			time.Sleep(time.Millisecond)
			synctest.Wait()
			if r.device.living() == nil {
				t.Errorf("not replaced after %v", after)
			}
			r.expectModels(t)
		}
		time.Sleep(time.Minute)
		r.device.living().die("die")
		time.Sleep(leastRespawnDelay)
		synctest.Wait()
		if r.device.living() == nil {
			t.Error("a worker that lived long was not replaced at once")
		}
	})
}
