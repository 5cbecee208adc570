package depth

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

// watched runs the estimator's loop in a bubble of fake time until the test's
// body has ended.
func watched(t *testing.T, keepAlive time.Duration, body func(t *testing.T, e *Estimator, d *fakeDevice)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDevice()
		e := newEstimator(t, d, keepAlive, someLimits())
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			e.Run(ctx)
			close(ended)
		}()
		synctest.Wait()
		body(t, e, d)
		cancel()
		<-ended
	})
}

func pass(d time.Duration) {
	time.Sleep(d) // fake time, inside the bubble
	synctest.Wait()
}

func somePicture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 6))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func estimate(t *testing.T, e *Estimator) {
	t.Helper()
	if _, err := e.Estimate(t.Context(), Request{Data: somePicture(t)}); err != nil {
		t.Fatal(err)
	}
}

func TestModelIsLoadedBeforeTheFirstRequest(t *testing.T) {
	watched(t, -1, func(t *testing.T, e *Estimator, d *fakeDevice) {
		pass(2 * time.Second)
		s := e.State()
		if s.Reason != "" || !s.Loaded || s.Model == nil || s.Model.Name != "scdepthv3" || d.count("load") != 1 {
			t.Errorf("state %+v after %d loads", s, d.count("load"))
		}
	})
}

func TestKeepAliveForEver(t *testing.T) {
	watched(t, -1, func(t *testing.T, e *Estimator, d *fakeDevice) {
		estimate(t, e)
		pass(2 * time.Hour)
		if d.count("unload") != 0 || d.count("load") != 1 {
			t.Errorf("%d loads and %d unloads", d.count("load"), d.count("unload"))
		}
	})
}

func TestKeepAliveUnloadsAfterIdleSeconds(t *testing.T) {
	watched(t, 30*time.Second, func(t *testing.T, e *Estimator, d *fakeDevice) {
		pass(20 * time.Second)
		estimate(t, e)
		pass(29 * time.Second)
		if d.count("unload") != 0 {
			t.Fatal("the model was unloaded before its time")
		}
		pass(3 * time.Second)
		if d.count("unload") != 1 || e.State().Loaded {
			t.Fatalf("%d unloads; loaded: %v", d.count("unload"), e.State().Loaded)
		}
		if e.State().Reason != "" {
			t.Errorf("an unloaded model makes the service unready: %q", e.State().Reason)
		}
		estimate(t, e) // loads it again
		pass(2 * time.Second)
		if !e.State().Loaded || d.count("load") != 1 {
			t.Errorf("after use: loaded %v, %d loads by the service itself", e.State().Loaded, d.count("load"))
		}
	})
}

func TestKeepAliveZeroUnloadsAfterTheRequest(t *testing.T) {
	watched(t, 0, func(t *testing.T, e *Estimator, d *fakeDevice) {
		pass(10 * time.Second)
		if d.count("load") != 0 {
			t.Fatal("the model was loaded without a request")
		}
		estimate(t, e)
		synctest.Wait()
		if d.count("unload") != 1 {
			t.Errorf("%d unloads right after the request", d.count("unload"))
		}
	})
}

func TestModelInUseIsNotUnloaded(t *testing.T) {
	watched(t, time.Second, func(t *testing.T, e *Estimator, d *fakeDevice) {
		release := make(chan struct{})
		usual := d.infer
		d.set(func() {
			d.infer = func(ctx context.Context, in device.Input) (device.Result, error) {
				<-release
				return usual(ctx, in)
			}
		})
		done := make(chan struct{})
		go func() {
			estimate(t, e)
			close(done)
		}()
		pass(time.Minute)
		if d.count("unload") != 0 {
			t.Error("the model was unloaded while it was in use")
		}
		close(release)
		<-done
	})
}

func TestReconnects(t *testing.T) {
	watched(t, -1, func(t *testing.T, e *Estimator, d *fakeDevice) {
		pass(2 * time.Second)
		d.set(func() { d.away = true })
		_, err := e.Estimate(t.Context(), Request{Data: somePicture(t)})
		if device.KindOf(err) != device.KindUnavailable {
			t.Fatalf("during the gap: %v", err)
		}
		synctest.Wait() // the failure made the loop look at once
		if s := e.State(); s.Reason == "" || s.Device != nil {
			t.Fatalf("state during the gap: %+v", s)
		}
		d.set(func() { d.away, d.loaded, d.born = false, nil, time.Now() })
		pass(2 * time.Second)
		if s := e.State(); s.Reason != "" || !s.Loaded || d.count("load") != 2 {
			t.Errorf("after the gap: %+v, %d loads", s, d.count("load"))
		}
		estimate(t, e)
	})
}

// A manager that was restarted between two looks has lost the models, though
// it was never seen away.
func TestRestartBetweenTwoLooksReloads(t *testing.T) {
	watched(t, -1, func(t *testing.T, e *Estimator, d *fakeDevice) {
		pass(time.Hour)
		d.set(func() { d.loaded, d.born = nil, time.Now() })
		pass(2 * time.Second)
		if !e.State().Loaded || d.count("load") != 2 {
			t.Errorf("loaded %v after %d loads", e.State().Loaded, d.count("load"))
		}
	})
}

func TestBrokenDeviceIsSaid(t *testing.T) {
	watched(t, -1, func(t *testing.T, e *Estimator, d *fakeDevice) {
		d.set(func() { d.broken = "worker does not start" })
		pass(2 * time.Second)
		if reason := e.State().Reason; !strings.Contains(reason, "worker does not start") {
			t.Errorf("reason %q", reason)
		}
	})
}

func TestLoadThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFakeDevice()
		d.loadErr = &device.Error{Kind: device.KindModel, Message: "Failed to load model: broken file"}
		e := newEstimator(t, d, -1, someLimits())
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			e.Run(ctx)
			close(ended)
		}()
		pass(5 * time.Second)
		if reason := e.State().Reason; !strings.Contains(reason, "broken file") {
			t.Errorf("reason %q", reason)
		}
		d.set(func() { d.loadErr = nil })
		pass(2 * time.Second)
		if reason := e.State().Reason; reason != "" {
			t.Errorf("reason %q after the file was mended", reason)
		}
		cancel()
		<-ended
	})
}
