package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
)

// sized writes a model that takes so many MiB of the simulated device.
func sized(t *testing.T, name string, mib int64) device.Model {
	t.Helper()
	path := write(t, t.TempDir(), name+".hef", network)
	if err := os.Truncate(path, mib<<20); err != nil {
		t.Fatal(err)
	}
	return device.Model{Type: "depth", Path: path}
}

func (d *running) load(t *testing.T, m device.Model) {
	t.Helper()
	if _, err := d.client.Load(within(t), m); err != nil {
		t.Fatal(err)
	}
}

// faulty runs the manager on a device whose faults the test changes with the
// function.
func faulty(t *testing.T, faults, lines string, env ...string) (d *running, inject func(string)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "faults")
	inject = func(fault string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(file+".next", []byte(fault), 0o644), os.Rename(file+".next", file)); err != nil {
			t.Fatal(err)
		}
	}
	inject(faults)
	return launch(t, bin, lines, append(env, "HAILO_SIM_FAULTS=@"+file)...), inject
}

// TestMemoryThatComesBackLate is waited for: the load after an eviction finds room.
func TestMemoryThatComesBackLate(t *testing.T) {
	d := start(t, "", "HAILO_SIM_MEMORY_MB=30", "HAILO_SIM_RELEASE_MS=700")
	defer d.terminate(t, patience)
	for _, name := range []string{"a", "b", "c", "d"} {
		d.load(t, sized(t, name, 10))
	}
	for sample, want := range map[string]float64{
		`hailo_device_model_evictions_total{model="a.hef",reason="device_memory_full"}`: 1,
		`hailo_device_memory_release_wait_seconds_count{outcome="released"}`:            1,
		`hailo_device_model_loads_total{model="d.hef",outcome="ok"}`:                    1,
		`hailo_device_model_evictions_total{model="b.hef",reason="device_memory_full"}`: 0,
	} {
		if got := d.figure(t, sample); got != want {
			t.Errorf("%s is %v, want %v", sample, got, want)
		}
	}
}

// TestLeakedMemory comes back with a fresh worker.
func TestLeakedMemory(t *testing.T) {
	d := start(t, "timeouts: {release: 100ms}\n", "HAILO_SIM_MEMORY_MB=20", "HAILO_SIM_RELEASE_MS=never")
	defer d.terminate(t, patience)
	for _, name := range []string{"a", "b", "c", "d"} {
		d.load(t, sized(t, name, 10))
	}
	for sample, want := range map[string]float64{
		`hailo_device_worker_restarts_total{reason="memory"}`:                    1,
		`hailo_device_memory_release_wait_seconds_count{outcome="not_released"}`: 2,
	} {
		if got := d.figure(t, sample); got != want {
			t.Errorf("%s is %v, want %v", sample, got, want)
		}
	}
}

// TestJobThatNeverEnds: its caller hears of the timeout on time, others are
// served, and the worker is replaced after the limit.
func TestJobThatNeverEnds(t *testing.T) {
	d, inject := faulty(t, "", "timeouts: {infer: 200ms, unfinished: 1s}\n")
	defer d.terminate(t, patience)
	d.await(t, "device opened")
	d.mustInfer(t)
	inject("infer=stuck@2")
	began := time.Now()
	err := d.infer(within(t), 1)
	if device.KindOf(err) != device.KindTimeout || time.Since(began) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	inject("")
	d.mustInfer(t)
	d.await(t, "the worker is gone; models will be loaded again when next used")
	d.await(t, "device opened")
	d.mustInfer(t)
	if got := d.figure(t, `hailo_device_worker_restarts_total{reason="unfinished"}`); got != 1 {
		t.Errorf("%v restarts", got)
	}
}

// TestDeviceThatIsHeld: the manager serves, says who is in the way as far as it
// can, and goes on when the device is given up.
func TestDeviceThatIsHeld(t *testing.T) {
	d, inject := faulty(t, "open=74", "")
	defer d.terminate(t, patience)
	d.await(t, "the device cannot be used")
	code, body := d.get(t, "/readyz")
	if code != 503 || !strings.Contains(body, "HAILO_OUT_OF_PHYSICAL_DEVICES(74)") {
		t.Errorf("readyz %d: %s", code, body)
	}
	err := d.infer(within(t), 1)
	if e, ok := errors.AsType[*device.Error](err); !ok || e.Kind != device.KindUnavailable || e.RetryAfter <= 0 {
		t.Errorf("%v", err)
	}
	inject("")
	d.await(t, "requests are let in again")
	d.mustInfer(t)
}

// TestBreaker: a device on which every inference kills the worker is left alone
// until a probe of the manager's own succeeds.
func TestBreaker(t *testing.T) {
	d, inject := faulty(t, "infer=crash", "breaker: {deaths: 3, pause: 200ms}\n")
	defer d.terminate(t, patience)
	d.await(t, "device opened")
	for range 3 {
		if err := d.infer(within(t), 1); !strings.Contains(fmt.Sprint(err), "the worker process died") {
			t.Errorf("%v", err)
		}
	}
	d.await(t, "no more requests are fed to the device")
	if err := d.infer(within(t), 1); err == nil || !strings.Contains(err.Error(), "the device cannot be used: ") {
		t.Errorf("%v", err)
	}
	d.await(t, "the device is still not usable")
	inject("")
	d.await(t, "requests are let in again")
	d.mustInfer(t)
}
