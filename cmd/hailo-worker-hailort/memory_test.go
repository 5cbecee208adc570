//go:build hailort

package main

import (
	"os"
	"strings"
	"testing"

	"hailo-depth/device"
)

const mib = "1048576"

// A device that is full, when a model is created or configured, makes room.
func TestEviction(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"when created", "set configure_factor 0"},
		{"when configured", "set configure_factor 0.6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := start(t, "", "set memory_bytes 1887436", c.script) // 1.8 MiB
			first, second := depth(t, "bytes "+mib), depth(t, "bytes "+mib)
			for range 2 {
				d.mustInfer(t, first, 1)
				d.mustInfer(t, second, 2)
			}
			s := d.status(t)
			if len(s.Models) != 1 || s.Models[0].Path != second.Path || s.Evictions != 3 {
				t.Errorf("%d evictions; models %+v", s.Evictions, s.Models)
			}
			d.leavesNothing(t)
			// It saw the memory come back instead of waiting for it in vain.
			log, err := os.ReadFile(d.file("hailo-device-manager.log"))
			if err != nil || strings.Contains(string(log), "has not come back") {
				t.Errorf("%v; the log: %s", err, log)
			}
		})
	}
}

// Memory that comes back only with the connection: the worker is renewed.
func TestLeakedMemory(t *testing.T) {
	t.Parallel()
	d := start(t, "timeouts: {release: 500ms}\n", "set memory_bytes 1572864", "set leaky 1")
	first, second := depth(t, "bytes "+mib), depth(t, "bytes "+mib)
	d.mustInfer(t, first, 1)
	d.mustInfer(t, second, 2)
	if s := d.status(t); s.CapacityEvent.Reason == "" || len(s.Models) != 1 {
		t.Errorf("got %+v", s)
	}
	d.leavesNothing(t)
}

// Fragmented memory: everything is tried, then the client is told.
func TestFragmentedMemory(t *testing.T) {
	t.Parallel()
	d := start(t, "", "set fragmented 1")
	m := depth(t)
	wantKind(t, d.infer(within(t), m, 1), device.KindMemoryFull, "RESOURCE_EXHAUSTED", "(81)")
	d.script(t)
	d.mustInfer(t, m, 2)
	d.leavesNothing(t)
}

// 3 and 71 while loading mean that the device is full as well.
func TestOtherNumbersOfFull(t *testing.T) {
	for _, status := range []string{"3", "71"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			d := start(t, "")
			first := depth(t, "bytes "+mib)
			d.mustInfer(t, first, 1)
			d.script(t, "on VDevice::create_infer_model 1 status "+status)
			d.mustInfer(t, depth(t), 2)
			if s := d.status(t); s.Evictions != 1 {
				t.Errorf("%d evictions, want 1", s.Evictions)
			}
			d.leavesNothing(t)
		})
	}
}

// A false timeout leaves an orphan on the device: a new connection is made, on
// which there is room.
func TestOrphans(t *testing.T) {
	for _, call := range []string{"VDevice::create_infer_model", "InferModel::configure"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			d := start(t, "", "set memory_bytes 1572864", "on "+call+" 2 false_timeout")
			small := depth(t)
			d.mustInfer(t, small, 1)
			m := depth(t, "bytes "+mib)
			d.mustInfer(t, m, 2)
			d.await(t, "device opened")
			d.mustInfer(t, small, 3) // loaded again when it is used
			d.leavesNothing(t)
		})
	}
}
