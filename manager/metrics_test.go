package manager

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hailo-depth/device"
)

func TestMetrics(t *testing.T) {
	inBubble(t, 20, nil, func(t *testing.T, r *rig) {
		r.device.took = 100 * time.Millisecond
		r.load(t, "a10", "b10")
		for range 3 {
			if err := r.infer(t.Context(), "a10"); err != nil {
				t.Fatal(err)
			}
		}
		r.load(t, "c10") // evicts b10
		_, err := r.Load(t.Context(), r.model("d21"))
		expectKind(t, err, device.KindMemoryFull, "")
		_, err = r.Load(t.Context(), device.Model{Type: "sound", Path: r.model("a10").Path})
		expectKind(t, err, device.KindInvalid, "Unsupported model_type: sound")
		time.Sleep(10 * time.Second) // a reading of the statistics
		for _, c := range []struct {
			name   string
			labels []string
			want   float64
		}{
			{"hailo_device_requests_total", []string{"action=load", "model_type=depth", "outcome=ok"}, 3},
			{"hailo_device_requests_total", []string{"action=load", "outcome=device_memory_full"}, 1},
			{"hailo_device_requests_total", []string{"action=infer", "outcome=ok"}, 3},
			{"hailo_device_inference_duration_seconds", []string{"model=a10"}, 3},
			{"hailo_device_model_loads_total", []string{"outcome=ok"}, 3},
			{"hailo_device_model_loads_total", []string{"outcome=device_memory_full", "model=d21"}, 1},
			{"hailo_device_model_evictions_total", []string{"model=b10"}, 1},
			{"hailo_device_model_resident_bytes", nil, 20},
			{"hailo_device_model_resident_bytes", []string{"model=b10"}, 0},
			{"hailo_device_queue_wait_seconds", nil, 7},
			{"hailo_device_memory_total_bytes", nil, 20},
			{"hailo_device_memory_used_bytes", nil, 20},
			{"hailo_device_temperature_celsius", nil, 40},
			{"hailo_device_up", nil, 1},
		} {
			if got := r.metric(t, c.name, c.labels...); got != c.want {
				t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
			}
		}
	})
}

// TestFileNameThatIsNotUTF8: a label must be UTF-8, a file name need not be.
func TestFileNameThatIsNotUTF8(t *testing.T) {
	inBubble(t, 20, nil, func(t *testing.T, r *rig) {
		m := r.model("a10")
		odd := filepath.Join(r.dir, "\xff\xfe.hef")
		if err := os.Rename(m.Path, odd); err != nil {
			t.Fatal(err)
		}
		m.Path = odd
		if _, err := r.Infer(t.Context(), m, picture(1)); err != nil {
			t.Error(err)
		}
		if n := r.metric(t, "hailo_device_model_resident_bytes", "model=\ufffd.hef"); n != 10 {
			t.Errorf("%v bytes counted", n)
		}
	})
}

func TestTwoManagersCannotShareARegistry(t *testing.T) {
	registry := prometheus.NewRegistry()
	for i, wantErr := range []bool{false, true} {
		m, err := New(Options{Limits: DefaultLimits(), Log: slog.New(slog.DiscardHandler), Registry: registry})
		if (err != nil) != wantErr || (m == nil) != wantErr {
			t.Errorf("manager %d: %v", i, err)
		}
	}
}
