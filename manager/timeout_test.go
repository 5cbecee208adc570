package manager

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

// TestSilentWorkerIsKilled: after the limit of the operation, and no other.
func TestSilentWorkerIsKilled(t *testing.T) {
	limits := func(l *Limits) { l.LoadTimeout, l.InferTimeout = 7*time.Second, 3*time.Second }
	for _, c := range []struct {
		operation string
		timeoutMS int64
		after     time.Duration
	}{
		{"load", 0, 7 * time.Second},
		{"infer", 0, 3*time.Second + answerGrace},
		{"infer", 500, 500*time.Millisecond + answerGrace},
		{"infer", 60_000, 3*time.Second + answerGrace},             // the manager's own limit holds
		{"infer", 18_446_744_073_710, 3*time.Second + answerGrace}, // more than a Duration holds
		{"infer", -5, 3*time.Second + answerGrace},
	} {
		inBubble(t, 30, limits, func(t *testing.T, r *rig) {
			r.device.setFault(onNth(c.operation, 1, errHang))
			in := picture(1)
			in.TimeoutMS = c.timeoutMS
			began := time.Now()
			_, err := r.Infer(t.Context(), r.model("a10"), in)
			expectKind(t, err, device.KindTimeout, "did not answer within")
			if d := time.Since(began); d != c.after {
				t.Errorf("%s %d ms: took %v, want %v", c.operation, c.timeoutMS, d, c.after)
			}
			r.expectModels(t)
			if err := r.infer(t.Context(), "a10"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestUnloadThatHangs: the model is gone all the same.
func TestUnloadThatHangs(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10", "b10")
		r.device.setFault(onNth("unload", 1, errHang))
		was, err := r.Unload(t.Context(), r.model("a10"))
		if !was || err != nil {
			t.Errorf("%v, %v", was, err)
		}
		r.expectModels(t)
		r.load(t, "b10")
	})
}

// TestCallerLeavesWhileItsInferenceHangs: the others wait for the limit, and
// are served.
func TestCallerLeavesWhileItsInferenceHangs(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.setFault(onNth("infer", 1, errHang))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		expectKind(t, r.infer(ctx, "a10"), device.KindTimeout, "deadline passed")
		if d := time.Since(began); d != time.Second {
			t.Errorf("the caller was held for %v", d)
		}
		if err := r.infer(t.Context(), "a10"); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d != DefaultLimits().InferTimeout+answerGrace {
			t.Errorf("the next one was served after %v", d)
		}
	})
}

// TestStatusWhileTheDeviceHangs: it answers at once, and readings of a device
// that is silent hold nobody up.
func TestStatusWhileTheDeviceHangs(t *testing.T) {
	inBubble(t, 30, func(l *Limits) { l.Overlap = false }, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.setFault(func(op string) error {
			if op == "infer" || op == "statistics" {
				return errHang
			}
			return nil
		})
		hanging := make(chan error)
		for range 3 {
			go func() { hanging <- r.infer(t.Context(), "a10") }()
		}
		time.Sleep(20 * time.Second)
		s := r.status(t)
		if s.QueueDepth != 2 || len(s.Models) != 1 || s.TemperatureErr == "" || s.Temperature != nil {
			t.Errorf("%+v", s)
		}
		if !r.Alive(t.Context()) {
			t.Error("not alive while an operation hangs")
		}
		for range 3 {
			expectKind(t, <-hanging, device.KindTimeout, "")
		}
	})
}

// TestSilentStatisticsBlockHardlyAnything: the first load after a repair waits
// for them once, for a moment; what comes later does not.
func TestSilentStatisticsBlockHardlyAnything(t *testing.T) {
	inBubble(t, 30, func(l *Limits) { l.Statistics = time.Second }, func(t *testing.T, r *rig) {
		r.device.setFault(func(op string) error {
			if op == "statistics" {
				return errHang
			}
			return nil
		})
		r.device.living().die("die")
		time.Sleep(leastRespawnDelay)
		synctest.Wait() // the worker was just replaced; its first reading is under way
		began := time.Now()
		for range 5 {
			if err := r.infer(t.Context(), "a10"); err != nil {
				t.Error(err)
			}
		}
		if d := time.Since(began); d > measureTimeout {
			t.Errorf("inferences waited %v for statistics", d)
		}
		began = time.Now()
		r.load(t, "b10") // which sleeps for a second first
		if d := time.Since(began); d != time.Second {
			t.Errorf("a load waited %v for statistics that were known to be silent", d-time.Second)
		}
	})
}
