package manager

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

// wants makes Settings of models.
func wants(models ...Wanted) Settings { return Settings{Models: models} }

// TestPreload: what the configuration names is there before the manager says
// that it is ready, warm where asked for; what cannot be loaded is given up.
func TestPreload(t *testing.T) {
	inBubbleWith(t, 100, func(r *rig, o *Options) {
		r.device.took = time.Second
		gone := r.model("c10")
		gone.Path += "-gone"
		o.Settings = wants(Wanted{Name: "ours", Model: r.model("a10"), Preload: true, WarmUp: true}, Wanted{Model: r.model("b10"), Preload: true}, Wanted{Model: gone, Preload: true}, Wanted{Model: r.model("d10")})
	}, func(t *testing.T, r *rig) {
		if why := r.Ready(); why != "being loaded: ours, b10, c10-gone" {
			t.Errorf("ready: %q", why)
		}
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		if why := r.Ready(); why != "being loaded: b10, c10-gone" {
			t.Errorf("ready: %q", why)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if why := r.Ready(); why != "" {
			t.Errorf("ready: %q", why)
		}
		r.expectEvents(t, "start", "load a10", "infer a10", "load b10", "load c10-gone")
		r.expectModels(t, "a10", "b10")
		// New settings are another chance for what was given up, and only for that.
		s := r.runtime.tuned.Load().settings
		s.KeepAlive = seconds(3600)
		if err := r.Apply(DefaultLimits(), s); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if why := r.Ready(); why != "" {
			t.Errorf("not ready during a reload: %q", why)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		r.expectEvents(t, "load c10-gone")
		if n := r.metric(t, "hailo_device_inference_duration_seconds"); n != 0 {
			t.Errorf("the warm-up counts as %v inferences", n)
		}
		// Preloading is for the start: a dead worker's successor waits for requests.
		r.device.living().die("die")
		time.Sleep(time.Minute)
		synctest.Wait()
		r.expectModels(t)
	})
}

// TestPreloadWaitsForTheDevice, which may come later.
func TestPreloadWaitsForTheDevice(t *testing.T) {
	inBubbleWith(t, 100, func(r *rig, o *Options) {
		o.Settings = wants(Wanted{Model: r.model("a10"), Preload: true})
		r.device.fault = func(op string) error {
			if op == "start" {
				return errors.New("no such device")
			}
			return nil
		}
	}, func(t *testing.T, r *rig) {
		time.Sleep(45 * time.Second)
		if why := r.Ready(); why != "no such device" {
			t.Errorf("ready: %q", why)
		}
		r.device.setFault(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if why := r.Ready(); why != "" {
			t.Errorf("ready: %q", why)
		}
		r.expectModels(t, "a10")
	})
}

// TestApply: what is wrong changes nothing; what is right holds at once.
func TestApply(t *testing.T) {
	inBubble(t, 100, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10", "b10")
		l := DefaultLimits()
		negative := wants()
		negative.Types = map[string]TypeLimits{"depth": {Load: -1}}
		unknown := wants()
		unknown.Types = map[string]TypeLimits{"sound": {}}
		wrong := r.model("a10")
		wrong.Params = []byte(`[]`)
		for want, s := range map[string]Settings{
			`models[0] (sound:/x): "sound" is no model type`: wants(Wanted{Model: device.Model{Type: "sound", Path: "/x"}}),
			`models[0] (depth:): it has no path`:             wants(Wanted{Model: device.Model{Type: "depth"}}),
			`it is listed twice`:                             wants(Wanted{Model: r.model("a10")}, Wanted{Model: r.model("a10"), Pinned: true}),
			`model_params must be an object`:                 wants(Wanted{Model: wrong, Pinned: true}),
			`types: "sound" is no model type`:                unknown,
			`types.depth: times must not be negative`:        negative,
		} {
			if err := r.Apply(l, s); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
			if _, err := New(Options{Limits: l, Settings: s}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("a new manager: %v, want %q", err, want)
			}
		}
		synctest.Wait()
		s := wants(Wanted{Model: r.model("b10"), Pinned: true}, Wanted{Model: r.model("c10"), Preload: true})
		s.KeepAlive = seconds(20)
		s.Types = map[string]TypeLimits{"depth": {Infer: 300 * time.Millisecond}}
		if err := r.Apply(l, s); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.expectModels(t, "a10", "b10", "c10")
		r.device.setFault(onNth("infer", 1, errHang))
		began := time.Now()
		expectKind(t, r.infer(t.Context(), "a10"), device.KindTimeout, "")
		if took := time.Since(began); took != 300*time.Millisecond+answerGrace {
			t.Errorf("took %v", took)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		r.expectModels(t, "b10") // pinned; c10 was preloaded once
		if err := r.Apply(l, Settings{KeepAlive: seconds(5)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		r.expectModels(t)
	})
}
