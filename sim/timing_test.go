package sim

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/worker"
)

// took measures on the bubble's clock, on which only waiting takes time.
func took(t *testing.T, do func() error) time.Duration {
	t.Helper()
	began := time.Now()
	if err := do(); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

func TestLoadTime(t *testing.T) {
	path := modelPath(t, "a.hef", nil)
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, "LOAD_MS=40000", "LATENCY_MS=7.5")
		var n worker.LoadedNetwork
		if d := took(t, func() (err error) { n, err = d.Load(worker.LoadSpec{Path: path}); return err }); d != 40*time.Second {
			t.Errorf("the load took %v", d)
		}
		if d := took(t, func() error { _, err := n.Infer(0); return err }); d != 7500*time.Microsecond {
			t.Errorf("the inference took %v", d)
		}
		if d := took(t, n.Close); d != 0 {
			t.Errorf("the unload took %v", d)
		}
	})
}

// Statistics are those of a manager's poll, which goes on beside a load.
func TestStatisticsDuringALoad(t *testing.T) {
	path := modelPath(t, "a.hef", make([]byte, 100))
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, "LOAD_MS=40000")
		loaded := make(chan error)
		go func() {
			_, err := d.Load(worker.LoadSpec{Path: path})
			loaded <- err
		}()
		synctest.Wait()
		if took := took(t, func() error { _ = d.Statistics(); return nil }); took != 0 {
			t.Errorf("statistics took %v", took)
		}
		if used := d.Statistics().MemoryUsedBytes; used != 0 {
			t.Errorf("%d bytes are in use before the load has ended", used)
		}
		if err := <-loaded; err != nil {
			t.Fatal(err)
		}
		if used := d.Statistics().MemoryUsedBytes; used != 100 {
			t.Errorf("%d bytes are in use", used)
		}
	})
}

func TestJitter(t *testing.T) {
	path := modelPath(t, "a.hef", nil)
	synctest.Test(t, func(t *testing.T) {
		times := func(env ...string) (all []time.Duration) {
			n, err := newDevice(t, env...).Load(worker.LoadSpec{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			for range 500 {
				all = append(all, took(t, func() error { _, err := n.Infer(0); return err }))
			}
			return all
		}
		const ms = time.Millisecond
		all := times("LATENCY_MS=10~3")
		if least, most := slices.Min(all), slices.Max(all); least < 7*ms || least > 8*ms || most > 13*ms || most < 12*ms {
			t.Errorf("10~3 took %v to %v", least, most)
		}
		var sum time.Duration
		for _, d := range all {
			sum += d
		}
		if mean := sum / time.Duration(len(all)); mean < 9*ms || mean > 11*ms {
			t.Errorf("10~3 took %v on average", mean)
		}
		if !slices.Equal(all, times("LATENCY_MS=10~3")) || slices.Equal(all, times("LATENCY_MS=10~3", "SEED=2")) {
			t.Error("the seed does not decide the jitter")
		}
		if least := slices.Min(times("LATENCY_MS=1~3")); least != 0 { // no time is negative
			t.Errorf("1~3 took at least %v", least)
		}
	})
}
