//go:build hailort

package hailort

import (
	"strings"
	"testing"
	"time"

	"hailo-depth/worker"
)

func TestIdentity(t *testing.T) {
	script(t)
	b := open(t, Config{})
	want := worker.Identity{Backend: "hailort", DeviceID: "0001:01:00.0", Architecture: "HAILO10H", Firmware: "5.2.0 (release,app)"}
	if got := b.Identify(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if v, err := Version(); err != nil || v != "5.2.0" {
		t.Errorf("version %q, %v", v, err)
	}
}

// The texts are what clients have always been given.
func TestIdentityTexts(t *testing.T) {
	for _, c := range []struct {
		script             []string
		architecture, text string
	}{
		{[]string{"set firmware 5.3.0"}, "HAILO10H", "5.3.0 (release,app)"},
		{[]string{"set release 0"}, "HAILO10H", "5.2.0 (develop,app)"},
		{[]string{"set extended_context_switch_buffer 1"}, "HAILO10H", "5.2.0 (release,app,extended context switch buffer)"},
		{[]string{"set firmware 5.1.7", "set revision_flags 3355443200"}, "HAILO10H", "5.1.7 (release,app)"}, // 0xc8000000
		{[]string{"set architecture 3"}, "HAILO15H", "5.2.0 (release,app)"},
		{[]string{"set architecture 99"}, "HAILO_ARCH_99", "5.2.0 (release,app)"},
	} {
		script(t, c.script...)
		b := mustOpen(t, Config{})
		if got := b.Identify(); got.Architecture != c.architecture || got.Firmware != c.text {
			t.Errorf("%v: %+v, want %s and %s", c.script, got, c.architecture, c.text)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What stands in the way of opening is told by its number.
func TestOpenRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		script []string
		config Config
		kind   worker.Kind
		status int
		says   string
	}{
		{"no device", []string{"set devices"}, Config{}, worker.KindHeld, 74, "finds no device"},
		{"two devices", []string{"set devices 0001:01:00.0 0002:01:00.0"}, Config{}, worker.KindInvalid, 0, "0001:01:00.0, 0002:01:00.0"},
		{"another device", nil, Config{Device: "0009:01:00.0"}, worker.KindHeld, 74, "finds 0001:01:00.0"},
		{"scan fails", []string{"on Device::scan 1+ status 36"}, Config{}, worker.KindLost, 36, "permissions"},
		{"not listening", []string{"on VDevice::create_shared 1+ status 89"}, Config{}, worker.KindLost, 89, "opening the device"},
		{"booting", []string{"on Device::create 1+ status 97"}, Config{}, worker.KindLost, 97, "opening the device"},
		{"other driver", []string{"on Device::create 1+ status 76"}, Config{}, worker.KindVersion, 76, "release"},
		{"times out", []string{"on VDevice::create_shared 1+ status 4"}, Config{}, worker.KindLost, 4, "opening the device"},
		{"identify fails", []string{"on Device::identify 1+ status 62"}, Config{}, worker.KindLost, 62, "identifying"},
		{"held by another group", []string{"set held_by SHARED"}, Config{}, worker.KindHeld, 73, "opening the device"},
		{"held by nobody's friend", []string{"set held_by UNIQUE"}, Config{Group: "SHARED"}, worker.KindHeld, 73, "opening the device"},
		{"throws", []string{"on VDevice::create_shared 1+ throw"}, Config{}, worker.KindInternal, 0, "threw"},
	} {
		t.Run(c.name, func(t *testing.T) {
			script(t, c.script...)
			_, err := Open(c.config)
			wantError(t, err, c.kind, c.status)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
			nothingLeft(t)
		})
	}
}

// A device that could not be opened can be a moment later.
func TestOpenAgain(t *testing.T) {
	script(t, "on VDevice::create_shared 1 status 89", "on Device::create 2 status 97")
	for _, status := range []int{89, 97} {
		_, err := Open(Config{})
		wantError(t, err, worker.KindLost, status)
	}
	open(t, Config{})
}

// A timeout of a call that makes nothing on the device may be false: it is tried
// once more.
func TestFalseTimeoutsOfOpening(t *testing.T) {
	for _, call := range []string{"Device::create", "VDevice::create_shared", "Device::identify"} {
		script(t, "on "+call+" 1 false_timeout")
		b := mustOpen(t, Config{})
		if n := counted(t, "calls."+call); n != 2 {
			t.Errorf("%s was called %d times, want 2", call, n)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		nothingLeft(t)
	}
}

func TestChosenDevice(t *testing.T) {
	script(t, "set devices 0001:01:00.0 0002:01:00.0")
	if got := open(t, Config{Device: "0002:01:00.0"}).Identify().DeviceID; got != "0002:01:00.0" {
		t.Errorf("it opened %s", got)
	}
}

// Programs of one group share the device.
func TestGroups(t *testing.T) {
	script(t)
	first := open(t, Config{Group: "depth"})
	second, err := Open(Config{Group: "depth"})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	for _, group := range []string{"other", ""} {
		_, err := Open(Config{Group: group})
		wantError(t, err, worker.KindHeld, 73)
	}
	load(t, first, worker.LoadSpec{Path: depth(t)}).unload(t)
}

// One that wants the device for itself gets it when the other one leaves in time.
func TestGroupLeaves(t *testing.T) {
	script(t, "set group_wait_ms 60000")
	first := mustOpen(t, Config{})
	opened := make(chan error)
	go func() {
		b, err := Open(Config{})
		if err == nil {
			err = b.Close()
		}
		opened <- err
	}()
	eventually(t, "the second waits", func() bool { return counted(t, "calls.VDevice::create_shared") == 2 })
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("the second: %v", err)
	}
	nothingLeft(t)
}

// Closing waits for a slow library, but not for ever.
func TestCloseIsBounded(t *testing.T) {
	script(t, "on VDevice::~VDevice 1 delay 300")
	b := mustOpen(t, Config{})
	b.patience.close = 20 * time.Millisecond
	wantError(t, b.Close(), worker.KindTimeout, 0)
	eventually(t, "it is closed", func() bool { return counted(t, "alive.VDevice")+counted(t, "alive.Device") == 0 })
	nothingLeft(t)
}
