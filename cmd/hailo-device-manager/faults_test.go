package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"hailo-depth/device"
)

// Many clients and a device that fails in every way: each request gets its own
// answer or an error that says what happened, and the manager is whole after.
func TestClientsUnderFaults(t *testing.T) {
	// One after another; a crash leaves no model loaded for the load that follows.
	faults := []string{
		"", "infer=crash", "load=81", "", "infer=81", "infer=62", "", "infer=4",
		"infer=crash", "load=26", "", "unload=8", "unload=crash", "infer=crash", "load=crash", "",
	}
	file := filepath.Join(t.TempDir(), "faults")
	inject := func(fault string) {
		// Renamed: the worker may be reading it.
		if err := errors.Join(os.WriteFile(file+".next", []byte(fault), 0o644), os.Rename(file+".next", file)); err != nil {
			t.Error(err)
		}
	}
	inject("")
	// Without the breaker, which a burst of crashes would trip.
	d := start(t, "breaker: {deaths: 0}\n", "HAILO_SIM_FAULTS=@"+file)
	const clients, rounds = 6, 3
	outcomes := make(chan error)
	for client := range clients {
		go func() {
			for i := range rounds * len(faults) {
				if client == 0 {
					inject(faults[i%len(faults)])
				}
				err := d.infer(within(t), byte(40*client+i%40))
				if i%5 == client && err == nil {
					_, err = d.client.Unload(within(t), d.model)
				}
				outcomes <- err
			}
		}()
	}
	met := map[device.Kind]int{
		device.KindUnavailable: 0, // crash, 62
		device.KindMemoryFull:  0, // 81
		device.KindTimeout:     0, // 4
		device.KindModel:       0, // 26
	}
	succeeded := 0
	for range clients * rounds * len(faults) {
		err := <-outcomes
		_, expected := met[device.KindOf(err)]
		switch {
		case err == nil:
			succeeded++
		case expected:
			met[device.KindOf(err)]++
		default:
			t.Errorf("%v (%s)", err, device.KindOf(err))
		}
	}
	for kind, n := range met {
		if n == 0 || succeeded == 0 {
			t.Errorf("%d succeeded, %d met %s", succeeded, n, kind)
		}
	}
	inject("")
	d.mustInfer(t)
	if code, body := d.get(t, "/readyz"); code != 200 {
		t.Errorf("readyz %d: %s", code, body)
	}
	d.terminate(t, patience)
}

// Nothing stays open: neither what a model, nor what a worker needed.
func TestDescriptorsDoNotGrow(t *testing.T) {
	d := start(t, "", "HAILO_SIM_FAULTS=infer=crash@13")
	defer d.terminate(t, patience)
	cycle := func() {
		_, loadErr := d.client.Load(within(t), d.model)
		inferErr := d.infer(within(t), 7) // runs once more when its worker dies
		_, unloadErr := d.client.Unload(within(t), d.model)
		if err := errors.Join(loadErr, inferErr, unloadErr); err != nil {
			t.Fatal(err)
		}
	}
	cycle()
	before := descriptors(t, d.PID())
	for range 260 {
		cycle()
	}
	if died := d.figure(t, `hailo_device_worker_restarts_total{reason="died"}`); died < 20 {
		t.Errorf("%v workers died, want 20", died)
	}
	// A dead worker's are closed a moment after its requests are told.
	for deadline := time.Now().Add(patience); descriptors(t, d.PID()) > before; {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors; before it were %d", descriptors(t, d.PID()), before)
		}
		cycle()
	}
}

func descriptors(t *testing.T, pid int) int {
	t.Helper()
	list, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
