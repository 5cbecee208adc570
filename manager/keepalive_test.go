package manager

import (
	"testing"
	"testing/synctest"
	"time"
)

func seconds(n int) *time.Duration {
	d := time.Duration(n) * time.Second
	return &d
}

// TestKeepAlive: a model goes when nobody has used it for so long, and each
// model's own setting counts over the one for all.
func TestKeepAlive(t *testing.T) {
	inBubbleWith(t, 100, func(r *rig, o *Options) {
		o.Settings = wants(Wanted{Model: r.model("b10"), KeepAlive: seconds(60)}, Wanted{Model: r.model("c10"), KeepAlive: seconds(-1)})
		o.Settings.KeepAlive = seconds(30)
	}, func(t *testing.T, r *rig) {
		for _, name := range []string{"a10", "b10", "c10"} {
			if err := r.infer(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Second)
		if err := r.infer(t.Context(), "a10"); err != nil { // it stays for another 30 s
			t.Fatal(err)
		}
		for _, step := range []struct {
			until  time.Duration
			models []string
		}{{29 * time.Second, []string{"a10", "b10", "c10"}}, {2 * time.Second, []string{"b10", "c10"}}, {8 * time.Second, []string{"b10", "c10"}}, {2 * time.Second, []string{"c10"}}, {time.Hour, []string{"c10"}}} {
			time.Sleep(step.until)
			synctest.Wait()
			r.expectModels(t, step.models...)
		}
		if n := r.metric(t, "hailo_device_model_unloads_total", "reason=expired"); n != 2 {
			t.Errorf("%v expired", n)
		}
		if n := r.status(t).Evictions; n != 0 {
			t.Errorf("expiry counts as %d evictions", n)
		}
	})
}

// TestKeepAliveZero unloads after the request; what was loaded by request waits
// a while for its first use.
func TestKeepAliveZero(t *testing.T) {
	inBubbleWith(t, 100, func(_ *rig, o *Options) { o.Settings.KeepAlive = seconds(0) }, func(t *testing.T, r *rig) {
		if err := r.infer(t.Context(), "a10"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.expectModels(t)
		r.load(t, "a10")
		time.Sleep(unservedGrace - time.Millisecond)
		synctest.Wait()
		r.expectModels(t, "a10")
		if err := r.infer(t.Context(), "a10"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.expectModels(t)
		r.load(t, "b10")
		time.Sleep(unservedGrace)
		synctest.Wait()
		r.expectModels(t)
	})
}

// TestExpiryWaitsForTheDevice: a model that is used while its expiry waits stays.
func TestExpiryWaitsForTheDevice(t *testing.T) {
	inBubbleWith(t, 100, func(_ *rig, o *Options) { o.Settings.KeepAlive = seconds(10) }, func(t *testing.T, r *rig) {
		if err := r.infer(t.Context(), "a10"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		r.device.mu.Lock()
		r.device.took = 7 * time.Second
		r.device.mu.Unlock()
		if err := r.infer(t.Context(), "a10"); err != nil { // is running at 10 s, ends at 12 s
			t.Fatal(err)
		}
		synctest.Wait()
		r.expectModels(t, "a10")
		time.Sleep(9 * time.Second)
		synctest.Wait()
		r.expectModels(t, "a10")
		time.Sleep(time.Second)
		synctest.Wait()
		r.expectModels(t)
	})
}

// TestKeepAliveZeroWithWaiters: a model that requests wait for is not unloaded
// between them.
func TestKeepAliveZeroWithWaiters(t *testing.T) {
	inBubbleWith(t, 100, func(_ *rig, o *Options) { o.Settings.KeepAlive = seconds(0) }, func(t *testing.T, r *rig) {
		r.device.took = time.Second
		r.device.events()
		outcomes := make(chan error)
		for range 5 {
			go func() { outcomes <- r.infer(t.Context(), "a10") }()
		}
		for range 5 {
			if err := <-outcomes; err != nil {
				t.Error(err)
			}
		}
		time.Sleep(2 * time.Second)
		r.expectEvents(t, "load a10", "infer a10", "infer a10", "infer a10", "infer a10", "infer a10", "unload a10")
	})
}
