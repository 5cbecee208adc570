package manager

import (
	"testing"
	"time"

	"hailo-depth/device"
)

func TestLeastRecentlyUsedIsEvicted(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10", "b10", "c10")
		if err := r.infer(t.Context(), "a10"); err != nil { // b10 is now the oldest
			t.Fatal(err)
		}
		r.device.events()
		r.load(t, "d10")
		r.expectEvents(t, "load d10", "unload b10", "load d10")
		r.expectModels(t, "a10", "c10", "d10")
		s := r.status(t)
		if s.Evictions != 1 || r.metric(t, "hailo_device_model_evictions_total") != 1 {
			t.Errorf("%d evictions, metric %v", s.Evictions, r.metric(t, "hailo_device_model_evictions_total"))
		}
		if e := s.CapacityEvent; e.Model != r.model("b10").Path || e.Reason != "RESOURCE_EXHAUSTED while loading d10 (depth)" || e.At != time.Now() {
			t.Errorf("capacity event %+v", e)
		}
	})
}

func TestThenAllOthersAreEvicted(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10", "b10", "c10")
		r.device.events()
		r.load(t, "d25")
		r.expectEvents(t, "load d25", "unload a10", "load d25", "unload b10", "unload c10", "load d25")
		r.expectModels(t, "d25")
		if n := r.status(t).Evictions; n != 3 {
			t.Errorf("%d evictions", n)
		}
	})
}

func TestInferenceEvictsAsWell(t *testing.T) {
	inBubble(t, 10, nil, func(t *testing.T, r *rig) {
		for range 3 {
			for _, name := range []string{"a10", "b9"} {
				if err := r.infer(t.Context(), name); err != nil {
					t.Fatal(err)
				}
				r.expectModels(t, name)
			}
		}
	})
}

// TestResetOnce: a device that says it is full with nothing on it is reset once.
func TestResetOnce(t *testing.T) {
	full := lostDevice(81)
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.setFault(func(op string) error {
			if op == "load" {
				return full
			}
			return nil
		})
		r.device.events()
		_, err := r.Load(t.Context(), r.model("b10"))
		expectKind(t, err, device.KindMemoryFull, "RESOURCE_EXHAUSTED and no models available to evict: ")
		if e := err.(*device.Error); e.Status != 81 {
			t.Errorf("status %d", e.Status)
		}
		r.expectEvents(t, "load b10", "unload a10", "load b10", "close", "start", "load b10")
		r.expectModels(t)
		r.device.setFault(nil)
		r.load(t, "b10")
	})
}

func TestResetHelps(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.device.setFault(onNth("load", 1, lostDevice(81)))
		r.device.events()
		r.load(t, "b10")
		r.expectEvents(t, "load b10", "close", "start", "load b10")
		r.expectModels(t, "b10")
	})
}

func TestMaxEvictionsBounds(t *testing.T) {
	for limit, want := range map[int][]string{
		0: {"load d25"},
		1: {"load d25", "unload a10", "load d25"},
		2: {"load d25", "unload a10", "load d25", "unload b10", "unload c10", "load d25"},
	} {
		inBubble(t, 30, func(l *Limits) { l.MaxEvictions = limit }, func(t *testing.T, r *rig) {
			r.load(t, "a10", "b10", "c10")
			r.device.events()
			_, err := r.Load(t.Context(), r.model("d25"))
			r.expectEvents(t, want...)
			if limit == 2 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			expectKind(t, err, device.KindMemoryFull, "the limit of evictions")
			if n := r.status(t).Evictions; n != limit {
				t.Errorf("limit %d: %d evictions", limit, n)
			}
		})
	}
}

func TestWhatNeverFitsEvictsNobody(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10", "b10")
		r.device.events()
		_, err := r.Load(t.Context(), r.model("d31"))
		expectKind(t, err, device.KindMemoryFull, "RESOURCE_EXHAUSTED and evicting other models would not help")
		r.expectEvents(t, "load d31")
		r.expectModels(t, "a10", "b10")
		if s := r.status(t); s.Evictions != 0 || s.CapacityEvent.Model != r.model("d31").Path {
			t.Errorf("%d evictions, event %+v", s.Evictions, s.CapacityEvent)
		}
	})
}

// TestWorkerDiesWhileEvicting: what was to be evicted is gone with the worker.
func TestWorkerDiesWhileEvicting(t *testing.T) {
	for _, fault := range []error{errCrash, errHang} {
		inBubble(t, 30, nil, func(t *testing.T, r *rig) {
			r.load(t, "a10", "b10", "c10")
			r.device.setFault(onNth("unload", 2, fault)) // of b10, when all are to go
			r.load(t, "d25")
			r.expectModels(t, "d25")
		})
	}
}

// TestFailedUnloadIsForgotten: a model whose unloading failed is not offered any longer.
func TestFailedUnloadIsForgotten(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.setFault(onNth("unload", 1, lostDevice(8)))
		was, err := r.Unload(t.Context(), r.model("a10"))
		if !was || err != nil {
			t.Errorf("unload: %v, %v", was, err)
		}
		r.expectModels(t)
		r.load(t, "a10")
	})
}
