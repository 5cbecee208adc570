package manager

import (
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

// TestPinnedModelsStay: nothing evicts, expires or unloads them, and a dead
// worker's successor gets them back without being asked.
func TestPinnedModelsStay(t *testing.T) {
	inBubbleWith(t, 30, func(_ *rig, o *Options) { o.Settings.KeepAlive = seconds(30) }, func(t *testing.T, r *rig) {
		if err := r.Pin(t.Context(), r.model("a10"), true); err != nil {
			t.Fatal(err)
		}
		r.expectModels(t, "a10") // pinning loads
		time.Sleep(unservedGrace)
		if m := r.Overview(t.Context()).Models[0]; !m.Pinned || !m.ExpiresAt.IsZero() || m.KeepAlive != 30 {
			t.Errorf("%+v", m)
		}
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

// TestPinnedModelWithoutRoom is tried ever more seldom: each try may cost others
// their place.
func TestPinnedModelWithoutRoom(t *testing.T) {
	inBubble(t, 20, nil, func(t *testing.T, r *rig) {
		for _, name := range []string{"a10", "b10"} {
			if err := r.Pin(t.Context(), r.model(name), true); err != nil {
				t.Fatal(err)
			}
		}
		r.device.mu.Lock()
		r.device.capacity = 15
		r.device.mu.Unlock()
		r.device.living().die("die")
		r.device.events()
		time.Sleep(time.Hour)
		synctest.Wait()
		tries := 0
		for _, e := range r.device.events() {
			if e == "load b10" {
				tries++
			}
		}
		if tries != 7 { // at once, then 30 s, 1, 2, 4, 8 and 16 min after the one before
			t.Errorf("%d loads", tries)
		}
		r.expectModels(t, "a10")
	})
}

// TestPinnedLanguageModelKeepsOthersOut: the device holds one at a time.
func TestPinnedLanguageModelKeepsOthersOut(t *testing.T) {
	inBubble(t, 100, nil, func(t *testing.T, r *rig) {
		first, second := r.model("a10"), r.model("b10")
		first.Type, second.Type = "vlm", "vlm_chat"
		if err := r.Pin(t.Context(), first, true); err != nil {
			t.Fatal(err)
		}
		_, err := r.Load(t.Context(), second)
		expectKind(t, err, device.KindMemoryFull, "the device holds one vision-language model at a time, and a10 (vlm) is pinned")
		r.expectModels(t, "a10")
		if err := r.Pin(t.Context(), first, false); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Load(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		r.expectModels(t, "b10")
		if n := r.metric(t, "hailo_device_model_evictions_total", "reason=generative"); n != 1 {
			t.Errorf("%v evictions counted", n)
		}
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
