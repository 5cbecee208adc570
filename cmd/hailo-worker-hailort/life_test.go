//go:build hailort

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
)

// Identity, readings, a model, and a clean end.
func TestLife(t *testing.T) {
	t.Parallel()
	d := start(t, "", "set firmware 5.3.0", "set temperature 61.5", "set memory_bytes 8388608")
	m := depth(t, "bytes 1048576")
	if _, err := d.client.Load(within(t), m); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		d.mustInfer(t, m, byte(i))
	}
	s := d.status(t)
	if s.DeviceID != "0001:01:00.0" || s.Architecture != "HAILO10H" || s.Firmware != "5.3.0 (release,app)" {
		t.Errorf("the device is %s %s %s", s.DeviceID, s.Architecture, s.Firmware)
	}
	if len(s.Models) != 1 || s.Models[0].Path != m.Path {
		t.Errorf("models %+v", s.Models)
	}
	eventually(t, "the temperature is known", func() bool {
		s := d.status(t)
		return s.Temperature != nil && *s.Temperature == 61.5
	})
	eventually(t, "the memory is known", func() bool {
		_, metrics := d.get(t, "/metrics")
		return strings.Contains(metrics, "device_memory_total_bytes 8.388608e+06") && strings.Contains(metrics, "device_memory_used_bytes 1.048576e+06")
	})
	if _, metrics := d.get(t, "/metrics"); !strings.Contains(metrics, `device_model_resident_bytes{model="depth.hef",model_type="depth"} 1.048576e+06`) {
		t.Error("the metrics do not say what the model takes")
	}
	if _, err := d.client.Unload(within(t), m); err != nil {
		t.Error(err)
	}
	d.mustInfer(t, m, 7) // loads it again
	d.leavesNothing(t)
}

// A temperature that cannot be read is said to be unknown, and costs nothing else.
func TestTemperatureFails(t *testing.T) {
	t.Parallel()
	d := start(t, "", "on Device::get_chip_temperature 1+ status 7")
	eventually(t, "the reason is known", func() bool { return strings.Contains(d.status(t).TemperatureErr, "HAILO_NOT_IMPLEMENTED(7)") })
	d.mustInfer(t, depth(t), 3)
	d.leavesNothing(t)
}

// Nobody can open the device: requests are told why, and it is opened as soon
// as it can be.
func TestDeviceCannotBeOpened(t *testing.T) {
	for _, c := range []struct{ name, script, says string }{
		{"no device", "set devices", "finds no device"},
		{"not listening", "on VDevice::create_shared 1+ status 89", "HAILO_CONNECTION_REFUSED(89)"},
		{"booting", "on Device::create 1+ status 97", "HAILO_DEVICE_TEMPORARILY_UNAVAILABLE(97)"},
		{"scan fails", "on Device::scan 1+ status 36", "HAILO_DRIVER_OPERATION_FAILED(36)"},
		{"held by another group", "set held_by SHARED", "HAILO_DEVICE_IN_USE(73)"},
		{"another driver", "on Device::create 1+ status 76", "HAILO_INVALID_DRIVER_VERSION(76)"},
		{"an exception", "on Device::create 1+ throw", "threw an exception"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := launch(t, "", c.script)
			m := depth(t)
			wantKind(t, d.infer(within(t), m, 1), device.KindUnavailable, c.says)
			if code, body := d.get(t, "/readyz"); code != 503 || !strings.Contains(body, c.says) {
				t.Errorf("readyz %d: %s", code, body)
			}
			if code, _ := d.get(t, "/healthz"); code != 200 {
				t.Errorf("healthz %d", code)
			}
			if c.name == "another driver" { // somebody must upgrade it: the manager looks rarely
				d.terminate(t)
				return
			}
			d.script(t)
			eventually(t, "it works", func() bool { return d.infer(within(t), m, 1) == nil })
			d.leavesNothing(t)
		})
	}
}

// A group is passed on from the manager's configuration.
func TestGroup(t *testing.T) {
	t.Parallel()
	d := start(t, "group_id: depth\n", "set held_by depth") // others of its group do not matter
	d.mustInfer(t, depth(t), 1)
	d.leavesNothing(t)
}

// Every file that is no model of this device costs its own request alone.
func TestUnusableFiles(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	good := depth(t)
	d.mustInfer(t, good, 1)
	write := func(name, text string) device.Model {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return device.Model{Type: "depth", Path: path}
	}
	for _, c := range []struct {
		name  string
		model device.Model
		kind  device.Kind
		says  string
	}{
		{"missing", device.Model{Type: "depth", Path: "/absent.hef"}, device.KindNotFound, "not found"},
		{"empty", write("empty.hef", ""), device.KindModel, "(14)"},
		{"a directory", device.Model{Type: "depth", Path: t.TempDir()}, device.KindModel, "is a directory"},
		{"noise", write("noise.hef", strings.Repeat("noise", 100)), device.KindModel, "not a HEF"},
		{"cut off", write("cut.hef", "hailort-double-hef 1\ninput a 1 1 1 NC uint8\n"), device.KindModel, "damaged or cut off"},
		{"of another device", depth(t, "architecture hailo8"), device.KindModel, "compiled for another device"},
		{"of another release", depth(t, "runtime 5.1"), device.KindModel, "another release"},
		{"of several networks", depth(t, "network a", "network b"), device.KindInvalid, "(2)"},
	} {
		wantKind(t, d.infer(within(t), c.model, 1), c.kind, c.says)
		d.mustInfer(t, good, 2)
	}
	if n := d.counted(t, "calls.VDevice::create_shared"); n != 1 {
		t.Errorf("the device was opened %d times", n)
	}
	d.leavesNothing(t)
}

// A picture of a wrong size never reaches the library, which would shut the
// model down.
func TestWrongSize(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	m := depth(t)
	small := picture(1)
	small.Data, small.Shape = small.Data[:9], []int{1, 3, 3}
	_, err := d.client.Infer(within(t), m, device.Input{Input: small})
	wantKind(t, err, device.KindInvalid)
	d.mustInfer(t, m, 2)
	if n := d.counted(t, "calls.InferModel::configure"); n != 1 {
		t.Errorf("the model was configured %d times", n)
	}
	d.leavesNothing(t)
}

// Status does not wait for a device that is slow to tell its temperature, nor
// for a load.
func TestStatusIsQuick(t *testing.T) {
	t.Parallel()
	d := start(t, "", "on Device::get_chip_temperature 2+ delay 3000", "on VDevice::create_infer_model 1 delay 1500")
	m := depth(t)
	done := make(chan error)
	go func() { done <- d.infer(within(t), m, 1) }()
	eventually(t, "the load is under way", func() bool { return d.counted(t, "calls.VDevice::create_infer_model") == 1 })
	began := time.Now()
	d.status(t)
	if took := time.Since(began); took > time.Second {
		t.Errorf("status took %v", took)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	d.script(t)
	d.terminate(t)
}
