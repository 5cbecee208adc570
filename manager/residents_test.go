package manager

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
	"hailo-depth/sizes"
)

func seconds(n int) *time.Duration {
	d := time.Duration(n) * time.Second
	return &d
}

// wants makes Settings of models.
func wants(models ...Wanted) Settings { return Settings{Models: models} }

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

// TestPinnedModelsStay: nothing evicts, expires or unloads them, and a dead
// worker's successor gets them back without being asked.
func TestPinnedModelsStay(t *testing.T) {
	inBubbleWith(t, 30, func(_ *rig, o *Options) { o.Settings.KeepAlive = seconds(30) }, func(t *testing.T, r *rig) {
		if err := r.Pin(t.Context(), r.model("a10"), true); err != nil {
			t.Fatal(err)
		}
		r.expectModels(t, "a10") // pinning loads
		for _, name := range []string{"b10", "c10", "d10", "e20"} {
			time.Sleep(time.Second)
			if err := r.infer(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		r.expectModels(t, "a10", "e20")
		r.device.events()
		_, err := r.Load(t.Context(), r.model("f25"))
		expectKind(t, err, device.KindMemoryFull, "RESOURCE_EXHAUSTED and no models available to evict: ")
		expectKind(t, err, device.KindMemoryFull, "models take 30 bytes of 30 bytes; pinned: a10")
		r.expectEvents(t, "load f25") // e20 would have gone for nothing
		_, err = r.Unload(t.Context(), r.model("a10"))
		expectKind(t, err, device.KindInvalid, "is pinned to the device; unpin it first")
		time.Sleep(time.Hour)
		synctest.Wait()
		r.expectModels(t, "a10")
		r.device.events()
		r.device.living().die("die")
		time.Sleep(leastRespawnDelay)
		synctest.Wait()
		r.expectEvents(t, "die", "start", "load a10")
		if err := r.Pin(t.Context(), r.model("a10"), false); err != nil {
			t.Fatal(err)
		}
		if was, err := r.Unload(t.Context(), r.model("a10")); !was || err != nil {
			t.Errorf("%v, %v", was, err)
		}
	})
}

// TestPinThatFails pins nothing.
func TestPinThatFails(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		expectKind(t, r.Pin(t.Context(), r.model("a31"), true), device.KindMemoryFull, "RESOURCE_EXHAUSTED")
		expectKind(t, r.Pin(t.Context(), device.Model{Type: "depth"}, true), device.KindInvalid, "model_path required")
		expectKind(t, r.Pin(t.Context(), device.Model{Type: "depth", Path: r.dir + "/gone"}, true), device.KindNotFound, "")
		r.device.events()
		time.Sleep(time.Hour)
		synctest.Wait()
		r.expectEvents(t)
	})
}

// TestPinnedModelThatFailsIsTriedAgain and again, not all the time.
func TestPinnedModelThatFailsIsTriedAgain(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		if err := r.Pin(t.Context(), r.model("a10"), true); err != nil {
			t.Fatal(err)
		}
		r.device.setFault(func(op string) error {
			if op == "load" {
				return lostDevice(26)
			}
			return nil
		})
		r.device.living().die("die")
		time.Sleep(2*time.Minute + time.Second)
		tries := 0
		for _, e := range r.device.events() {
			if e == "load a10" {
				tries++
			}
		}
		if tries != 1+5 { // the first load, and one in 30 s since
			t.Errorf("%d loads", tries)
		}
		r.device.setFault(nil)
		time.Sleep(retry)
		synctest.Wait()
		r.expectModels(t, "a10")
	})
}

// TestLeakWithPinnedModels: a device that leaks is opened anew for a request, and the
// pinned model comes back.
func TestLeakWithPinnedModels(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.known(t, "b15")
		if err := r.Pin(t.Context(), r.model("a10"), true); err != nil {
			t.Fatal(err)
		}
		r.device.setFault(onNth("load", 1, lostDevice(81))) // though there is room for b15
		r.device.events()
		r.load(t, "b15")
		synctest.Wait()
		r.expectEvents(t, "load b15", "close", "start", "load b15", "load a10")
		r.expectModels(t, "b15", "a10")
	})
}

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

// TestUnfinishedJobs: a worker whose library keeps the buffers of a job is
// replaced once it has for too long, not before, and not if it ends after all.
func TestUnfinishedJobs(t *testing.T) {
	limits := func(l *Limits) { l.Unfinished = 30 * time.Second }
	stuck := func(r *rig, since time.Time) {
		r.device.mu.Lock()
		defer r.device.mu.Unlock()
		r.device.stuck = since
	}
	inBubble(t, 30, limits, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.events()
		stuck(r, time.Now())
		time.Sleep(25 * time.Second)
		if n := r.metric(t, "hailo_device_unfinished_jobs"); n != 1 {
			t.Errorf("%v unfinished jobs counted", n)
		}
		stuck(r, time.Time{})
		time.Sleep(time.Minute)
		r.expectEvents(t)
		stuck(r, time.Now())
		time.Sleep(29 * time.Second)
		r.expectEvents(t)
		if err := r.infer(t.Context(), "a10"); err != nil { // the rest goes on meanwhile
			t.Error(err)
		}
		time.Sleep(time.Minute)
		r.expectEvents(t, "infer a10", "kill", "start")
		if n := r.metric(t, "hailo_device_worker_restarts_total", "reason=unfinished"); n != 1 {
			t.Errorf("%v restarts counted", n)
		}
		if err := r.infer(t.Context(), "a10"); err != nil {
			t.Error(err)
		}
	})
}

// TestOverview says what there is and should be, without waiting.
func TestOverview(t *testing.T) {
	inBubbleWith(t, 100, func(r *rig, o *Options) {
		o.Settings = wants(Wanted{Name: "ours", Model: r.model("a10"), KeepAlive: seconds(90)}, Wanted{Name: "missing", Model: r.model("d10"), KeepAlive: seconds(0)})
	}, func(t *testing.T, r *rig) {
		r.device.took = 2 * time.Second
		for range 3 {
			if err := r.infer(t.Context(), "a10"); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Pin(t.Context(), r.model("b10"), true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		left := make(chan struct{}, 3)
		for _, name := range []string{"c10", "a10", "a10"} {
			go func() { _ = r.infer(t.Context(), name); left <- struct{}{} }()
			synctest.Wait()
		}
		time.Sleep(time.Second)
		began := time.Now()
		o := r.Overview(t.Context())
		if time.Since(began) != 0 {
			t.Error("it took time")
		}
		if o.Models[0].Waiting != 2 || o.Queue.Waiting != 2 {
			t.Errorf("%d wait for %s, %d in all", o.Models[0].Waiting, o.Models[0].Name, o.Queue.Waiting)
		}
		type line struct {
			name, state              string
			pinned                   bool
			uses, bytes              int64
			keep, load, infer, first float64
		}
		var got []line
		for _, m := range o.Models {
			got = append(got, line{m.Name, m.State, m.Pinned, m.Uses, m.MemoryBytes, m.KeepAlive, m.LoadSeconds, m.InferSeconds, m.FirstSeconds})
		}
		want := []line{
			{"ours", device.StateIdle, false, 3, 10, 90, 2, 2, 2},
			{"b10", device.StateIdle, true, 0, 10, -1, 2, 0, 0},
			{"c10", device.StateLoading, false, 0, 0, -1, 0, 0, 0},
			{"missing", device.StateUnloaded, false, 0, 0, 0, 0, 0, 0},
		}
		if len(got) != len(want) {
			t.Fatalf("%+v", got)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%+v, want %+v", got[i], want[i])
			}
		}
		if at := o.Models[0].ExpiresAt; at.Sub(o.Models[0].LastUsed) != 90*time.Second || o.Models[0].IdleSeconds != 8 || !o.Models[1].ExpiresAt.IsZero() {
			t.Errorf("%+v", o.Models[:2])
		}
		d := o.Device
		if d.ID != "fake0" || d.Backend != "fake" || d.BusySeconds != 2+3*2+2+1 || d.MemoryTotalBytes != 100 || d.TemperatureCelsius == nil || d.OpenedAt.IsZero() || d.WorkerRestarts != 0 {
			t.Errorf("%+v", d)
		}
		if q := o.Queue; q.Running == nil || q.Running.Model != r.key("c10").String() || q.Running.Action != "infer" || q.Limit != DefaultLimits().Queue {
			t.Errorf("%+v", q)
		}
		time.Sleep(2 * time.Second)
		if o := r.Overview(t.Context()); o.Models[2].State != device.StateRunning || o.Ready != "" {
			t.Errorf("%+v", o.Models[2])
		}
		for range 3 {
			<-left
		}
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

// key is that of a model.
func (r *rig) key(name string) key {
	m := r.model(name)
	return key{m.Type, m.Path}
}

// TestDriftShows in the overview and the metrics.
func TestDriftShows(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		for _, took := range []time.Duration{10 * time.Millisecond, 40 * time.Millisecond} {
			r.device.mu.Lock()
			r.device.took = took
			r.device.mu.Unlock()
			for range 200 {
				if err := r.infer(t.Context(), "a10"); err != nil {
					t.Fatal(err)
				}
			}
		}
		m := r.Overview(t.Context()).Models[0]
		if m.FirstSeconds != 0.010 || m.InferSeconds < 0.039 || m.InferSeconds > 0.040 {
			t.Errorf("first %v, now %v", m.FirstSeconds, m.InferSeconds)
		}
		now, first := r.metric(t, "hailo_device_inference_mean_seconds", "when=now"), r.metric(t, "hailo_device_inference_mean_seconds", "when=after_load")
		if now != m.InferSeconds || first != m.FirstSeconds {
			t.Errorf("metrics: %v, %v", now, first)
		}
	})
}

// TestSizesOutliveTheManager: the next one makes room before its first load.
func TestSizesOutliveTheManager(t *testing.T) {
	path := t.TempDir() + "/sizes.json"
	dir := ""
	for run := range 2 {
		inBubbleWith(t, 30, func(r *rig, o *Options) {
			if run > 0 {
				r.dir = dir // the same files
			}
			dir = r.dir
			var err error
			if o.Sizes, err = sizes.Open(path); err != nil {
				t.Fatal(err)
			}
		}, func(t *testing.T, r *rig) {
			if run == 0 {
				r.load(t, "d15", "a10")
				return
			}
			r.load(t, "b20")
			time.Sleep(time.Minute)
			r.device.events()
			r.load(t, "d15")
			r.expectEvents(t, "unload b20", "load d15")
		})
	}
}
