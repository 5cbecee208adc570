package manager

import (
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

// TestStopFinishesWhatWaits: the manager drains, says so, and closes the device.
func TestStopFinishesWhatWaits(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.took = 2 * time.Second
		r.device.events()
		ends := make(chan error, 3)
		for range 3 {
			go func() { ends <- r.infer(t.Context(), "a10") }()
		}
		synctest.Wait()
		r.stop()
		synctest.Wait()
		if reason := r.Ready(); reason != "shutting down" {
			t.Errorf("ready: %q", reason)
		}
		expectKind(t, r.infer(t.Context(), "a10"), device.KindUnavailable, "shutting down")
		for range 3 {
			if err := <-ends; err != nil {
				t.Errorf("a request that waited was not served: %v", err)
			}
		}
		<-r.stopped
		r.expectEvents(t, "infer a10", "infer a10", "infer a10", "close")
		r.expectModels(t)
		expectKind(t, r.infer(t.Context(), "a10"), device.KindUnavailable, "shutting down")
	})
}

// TestStopDoesNotWaitForAHang: beyond the time for draining, what runs is
// killed and what waits is refused; both are told the true reason.
func TestStopDoesNotWaitForAHang(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.setFault(onNth("infer", 1, errHang))
		ends := make(chan error, 3)
		for range 3 {
			go func() { ends <- r.infer(t.Context(), "a10") }()
		}
		synctest.Wait()
		began := time.Now()
		r.stop()
		<-r.stopped
		if d := time.Since(began); d != DefaultLimits().DrainTimeout {
			t.Errorf("stopping took %v", d)
		}
		for range 3 {
			expectKind(t, <-ends, device.KindUnavailable, "shutting down")
		}
	})
}

// TestStopWhileTheDeviceIsBroken ends with the drain, and requests are told why.
func TestStopWhileTheDeviceIsBroken(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.device.setFault(func(op string) error {
			if op == "start" {
				return errHang
			}
			return nil
		})
		r.device.living().die("die")
		asked := make(chan error, 1)
		go func() { asked <- r.infer(t.Context(), "a10") }()
		time.Sleep(time.Second)
		began := time.Now()
		r.stop()
		<-r.stopped
		expectKind(t, <-asked, device.KindUnavailable, "shutting down")
		if d := time.Since(began); d > DefaultLimits().DrainTimeout {
			t.Errorf("stopping took %v", d)
		}
	})
}

// TestStopKillsWhatDoesNotClose within Limits.CloseTimeout.
func TestStopKillsWhatDoesNotClose(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.device.setFault(onNth("close", 1, errHang))
		r.device.events()
		began := time.Now()
		r.stop()
		<-r.stopped
		if d := time.Since(began); d != DefaultLimits().CloseTimeout {
			t.Errorf("stopping took %v", d)
		}
		r.expectEvents(t, "kill")
	})
}
