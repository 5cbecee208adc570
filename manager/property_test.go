package manager

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
	"hailo-depth/tensor"
)

// TestManagerUnderRandomUse lets several clients load, infer, unload and leave
// at random, on a device of random size that fails at random.
func TestManagerUnderRandomUse(t *testing.T) {
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 4))
		capacity := int64(5 + random.IntN(40))
		options := func(r *rig, o *Options) {
			o.Limits.MaxEvictions = random.IntN(5)
			o.Limits.Queue = 1 + random.IntN(8)
			o.Limits.LoadTimeout, o.Limits.InferTimeout = 5*time.Second, 2*time.Second
			o.Limits.GenerateTimeout, o.Limits.TokenTimeout = 4*time.Second, 2*time.Second
			o.Limits.Deaths = random.IntN(4)
			if random.IntN(2) == 0 {
				o.Settings.KeepAlive = seconds(random.IntN(5))
			}
			r.device.release = time.Duration(random.IntN(3)) * time.Second
			r.device.hidden = int64(random.IntN(3))
		}
		inBubbleWith(t, capacity, options, func(t *testing.T, r *rig) { useAtRandom(t, r, random) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// faultsAtRandom hits one operation in so many with a fault that suits it.
func faultsAtRandom(random *rand.Rand, oneIn int) func(string) error {
	return func(operation string) error {
		if random.IntN(oneIn) != 0 {
			return nil
		}
		statuses := []int{81, 4, 62, 8, 87, 2, 82}
		switch n := random.IntN(len(statuses) + 3); {
		case n < len(statuses):
			return lostDevice(statuses[n])
		case n == len(statuses):
			return errHang
		case n == len(statuses)+1 && operation != "start":
			return errCrash
		}
		return errors.New("no known status")
	}
}

func useAtRandom(t *testing.T, r *rig, random *rand.Rand) {
	var models []string
	for i := range 2 + random.IntN(5) {
		models = append(models, fmt.Sprintf("%c%d", 'a'+i, 1+random.IntN(20)))
	}
	r.device.took = time.Duration(random.IntN(3)) * 100 * time.Millisecond
	if oneIn := random.IntN(30); oneIn > 3 {
		r.device.setFault(faultsAtRandom(rand.New(rand.NewPCG(random.Uint64(), 5)), oneIn))
	}
	var clients sync.WaitGroup
	var mu sync.Mutex
	calls := map[string]int{} // by action and outcome
	for range 1 + random.IntN(5) {
		own := rand.New(rand.NewPCG(random.Uint64(), 6))
		clients.Go(func() {
			for range 1 + own.IntN(15) {
				time.Sleep(time.Duration(own.IntN(2000)) * time.Millisecond)
				action, err := r.act(t, own, models)
				mu.Lock()
				calls[action+" "+errorKind(err)]++
				mu.Unlock()
				r.checkStatus(t)
			}
		})
	}
	clients.Wait()
	r.device.setFault(nil)
	for _, name := range models { // what stays pinned may leave no room for the rest
		if err := r.Pin(t.Context(), r.model(name), false); err != nil && device.KindOf(err) != device.KindUnavailable {
			t.Errorf("unpinning: %v", err)
		}
		calls["unpin "+"ok"]++
	}
	time.Sleep(5 * time.Minute) // what is under way without an audience ends; the worker is repaired
	synctest.Wait()
	r.checkAtRest(t, calls)
	for _, name := range models { // and all is well again
		if err := r.infer(t.Context(), name); err != nil && device.KindOf(err) != device.KindMemoryFull {
			t.Errorf("after the faults: %v", err)
		}
	}
}

// act makes one call, which may be left early.
func (r *rig) act(t *testing.T, random *rand.Rand, models []string) (action string, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	if random.IntN(4) == 0 {
		ctx, cancel = context.WithTimeout(t.Context(), time.Duration(1+random.IntN(3000))*time.Millisecond)
	}
	defer cancel()
	name := models[random.IntN(len(models))]
	switch n := random.IntN(12); {
	case n == 10:
		return "pin", r.Pin(ctx, r.model(name), true)
	case n == 11:
		return "unpin", r.Pin(ctx, r.model(name), false)
	case n < 2:
		_, err = r.Load(ctx, r.model(name))
		return "load", err
	case n < 3:
		_, err = r.Unload(ctx, r.model(name))
		return "unload", err
	case n < 5:
		modelType := []string{"vlm", "vlm_chat"}[random.IntN(2)]
		_, err = r.Infer(ctx, r.typed(modelType, name), device.Input{Prompt: strings.Repeat("x ", random.IntN(30)) + "x", Frames: []tensor.Tensor{}})
		return "infer", err
	default:
		return "infer", r.infer(ctx, name)
	}
}

// checkStatus holds at any time.
func (r *rig) checkStatus(t *testing.T) {
	t.Helper()
	s := r.status(t)
	var sum int64
	for _, m := range s.Models {
		sum += m.MemoryBytes
	}
	if sum > r.device.capacity || s.QueueDepth < 0 {
		t.Errorf("models of %d bytes on a device of %d; queue %d", sum, r.device.capacity, s.QueueDepth)
	}
	if w := r.device.living(); w != nil && w.used() > r.device.capacity {
		t.Errorf("%d bytes in use of %d", w.used(), r.device.capacity)
	}
}

// checkAtRest compares what the manager says with what the device has.
func (r *rig) checkAtRest(t *testing.T, calls map[string]int) {
	t.Helper()
	r.checkStatus(t)
	s := r.status(t)
	w := r.device.living()
	if w == nil {
		t.Errorf("no worker lives; broken: %q", s.RuntimeBroken)
		return
	}
	listed := names(s.Models)
	slices.Sort(listed)
	if got := w.names(); !slices.Equal(listed, got) {
		t.Errorf("the status lists %v, the device has %v", listed, got)
	}
	if s.QueueDepth != 0 || r.Ready() != "" {
		t.Errorf("queue %d, ready %q", s.QueueDepth, r.Ready())
	}
	if n := r.metric(t, "hailo_device_model_evictions_total"); n != float64(s.Evictions) {
		t.Errorf("%d evictions, the metric says %v", s.Evictions, n)
	}
	var resident int64
	for _, m := range s.Models {
		resident += m.MemoryBytes
	}
	if n := r.metric(t, "hailo_device_model_resident_bytes"); n != float64(resident) {
		t.Errorf("%d bytes resident, the metric says %v", resident, n)
	}
	for call, n := range calls {
		var action, outcome string
		if _, err := fmt.Sscan(call, &action, &outcome); err != nil {
			t.Fatal(err)
		}
		if got := r.metric(t, "hailo_device_requests_total", "action="+action, "outcome="+outcome); got != float64(n) {
			t.Errorf("%d calls %q, the metric says %v", n, call, got)
		}
	}
}
