package manager

import (
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

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
