package manager

import (
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/sizes"
)

// known loads models once and unloads them, so that their sizes are measured.
func (r *rig) known(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		r.load(t, name)
		if _, err := r.Unload(t.Context(), r.model(name)); err != nil {
			t.Fatal(err)
		}
	}
	r.device.events()
}

// TestRoomIsMadeBeforeTheLoad of a model whose size is known: no load fails.
func TestRoomIsMadeBeforeTheLoad(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.known(t, "d15")
		for _, name := range []string{"a10", "b10", "c10"} {
			time.Sleep(time.Minute)
			if err := r.infer(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		r.device.events()
		r.load(t, "d15")
		r.expectEvents(t, "unload a10", "unload b10", "load d15")
		r.expectModels(t, "c10", "d15")
		if n := r.metric(t, "hailo_device_model_evictions_total", "reason=predicted"); n != 2 || r.status(t).Evictions != 2 {
			t.Errorf("%v evictions counted, %d in the status", n, r.status(t).Evictions)
		}
		if e := r.status(t).CapacityEvent; e.Model != r.model("b10").Path || !strings.HasPrefix(e.Reason, "RESOURCE_EXHAUSTED while loading d15") {
			t.Errorf("%+v", e)
		}
	})
}

// TestMeasuredSizesCount, not what the library claims, and what the device's
// own system takes is nobody's.
func TestMeasuredSizesCount(t *testing.T) {
	inBubbleWith(t, 60, func(r *rig, o *Options) { r.device.hidden, r.device.system = 10, 10 }, func(t *testing.T, r *rig) {
		r.load(t, "a10", "b10") // 20 bytes each
		for _, m := range r.status(t).Models {
			if m.MemoryBytes != 20 {
				t.Errorf("%s takes %d bytes", m.Path, m.MemoryBytes)
			}
		}
		time.Sleep(time.Minute) // both could have been used by now
		r.known(t, "c1")        // 11 bytes, which go just beside them: evicts a10 after a failure
		r.load(t, "a10")
		time.Sleep(time.Minute)
		r.device.events()
		r.load(t, "c1")
		r.expectEvents(t, "unload b10", "load c1") // the older
	})
}

// TestSizesAreOfTheFile: a changed one is another model.
func TestSizesAreOfTheFile(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.known(t, "d15")
		r.load(t, "a10", "b10")
		time.Sleep(time.Minute)
		r.device.events()
		r.touch(t, "d15", 10) // small enough now, which nobody has measured
		r.load(t, "d15")
		r.expectEvents(t, "load d15")
		r.expectModels(t, "a10", "b10", "d15")
	})
}

// TestUnservedModelsAreKept where another will do, and go where none will.
func TestUnservedModelsAreKept(t *testing.T) {
	inBubble(t, 20, nil, func(t *testing.T, r *rig) {
		r.known(t, "c10", "d20")
		r.load(t, "a10", "b10")
		if err := r.infer(t.Context(), "b10"); err != nil {
			t.Fatal(err)
		}
		r.device.events()
		r.load(t, "c10") // a10 is the older one, but nobody has used it yet
		r.expectEvents(t, "unload b10", "load c10")
		r.load(t, "d20")
		r.expectEvents(t, "unload a10", "unload c10", "load d20")
	})
}

// TestPredictionIsARoundOfEviction, so max_evictions bounds both together.
func TestPredictionIsARoundOfEviction(t *testing.T) {
	for limit, want := range map[int][]string{
		0: {"load d15"},
		1: {"unload a10", "load d15"},
		2: {"unload a10", "load d15", "unload b10", "load d15"},
	} {
		inBubble(t, 30, func(l *Limits) { l.MaxEvictions = limit }, func(t *testing.T, r *rig) {
			r.known(t, "d15")
			r.load(t, "a10", "b10")
			time.Sleep(time.Minute)
			r.device.events()
			r.device.mu.Lock()
			r.device.capacity = 24 // shrunk: prediction alone is not enough
			r.device.mu.Unlock()
			_, err := r.Load(t.Context(), r.model("d15"))
			r.expectEvents(t, want...)
			if (err == nil) != (limit == 2) {
				t.Errorf("limit %d: %v", limit, err)
			}
			if err != nil {
				expectKind(t, err, device.KindMemoryFull, "the limit of evictions is reached")
				expectKind(t, err, device.KindMemoryFull, "15 bytes were needed when it was last loaded")
			}
		})
	}
}

// TestMemoryThatComesBackLate is waited for, not loaded into: a load that comes
// too early would cost another model its place.
func TestMemoryThatComesBackLate(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10", "b10", "c10")
		r.device.mu.Lock()
		r.device.release = 1500 * time.Millisecond
		r.device.mu.Unlock()
		r.device.events()
		began := time.Now()
		if err := r.infer(t.Context(), "d10"); err != nil {
			t.Fatal(err)
		}
		r.expectEvents(t, "load d10", "unload a10", "load d10", "infer d10")
		if took := time.Since(began); took < 1500*time.Millisecond || took > 1500*time.Millisecond+mostReleasePoll {
			t.Errorf("waited %v for memory that was back after 1.5 s", took)
		}
		if n := r.metric(t, "hailo_device_memory_release_wait_seconds", "outcome=released"); n != 1 {
			t.Errorf("%v waits counted", n)
		}
	})
}

// TestMemoryThatDoesNotComeBack is waited for a bounded time; then the worker is
// given up, which frees what it has leaked.
func TestMemoryThatDoesNotComeBack(t *testing.T) {
	inBubble(t, 20, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10", "b10")
		r.device.mu.Lock()
		r.device.release = 24 * time.Hour
		r.device.mu.Unlock()
		r.device.events()
		began := time.Now()
		if err := r.infer(t.Context(), "d15"); err != nil {
			t.Fatal(err)
		}
		r.expectEvents(t, "load d15", "unload a10", "load d15", "unload b10", "load d15", "close", "start", "load d15", "infer d15")
		if took := time.Since(began); took < 2*DefaultLimits().ReleaseWait || took > 2*(DefaultLimits().ReleaseWait+mostReleasePoll) {
			t.Errorf("took %v", took)
		}
		if n := r.metric(t, "hailo_device_memory_release_wait_seconds", "outcome=not_released"); n != 2 {
			t.Errorf("%v waits counted", n)
		}
		if n := r.metric(t, "hailo_device_worker_restarts_total", "reason=memory"); n != 1 {
			t.Errorf("%v restarts counted", n)
		}
	})
}

// TestModelsStayWhileTheyFit: using many in turn loads each once.
func TestModelsStayWhileTheyFit(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		for range 50 {
			for _, name := range []string{"a10", "b10", "c10"} {
				if err := r.infer(t.Context(), name); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n := r.metric(t, "hailo_device_model_loads_total"); n != 3 || r.status(t).Evictions != 0 {
			t.Errorf("%v loads, %d evictions", n, r.status(t).Evictions)
		}
	})
}

// TestOneLoadForManyWaiters: whoever waits for the same model waits for one load.
func TestOneLoadForManyWaiters(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.device.took = time.Second
		r.device.events()
		outcomes := make(chan error)
		for range 20 {
			go func() { outcomes <- r.infer(t.Context(), "a10") }()
		}
		for range 20 {
			if err := <-outcomes; err != nil {
				t.Error(err)
			}
		}
		loads := 0
		for _, e := range r.device.events() {
			if e == "load a10" {
				loads++
			}
		}
		if loads != 1 {
			t.Errorf("%d loads", loads)
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
