package console

import (
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// busy is a manager with something of everything.
func busy() device.Overview {
	temperature, utilization := 61.37, 0.42
	return device.Overview{
		At: noon,
		Device: device.DeviceOverview{
			ID: "0001:01:00.0", Backend: "hailort", Architecture: "HAILO10H", Firmware: "5.1.1", TemperatureCelsius: &temperature,
			MemoryTotalBytes: 8 << 30, MemoryUsedBytes: 812 << 20, Utilization: &utilization, BusySeconds: 500, WorkerRestarts: 1,
			OpenedAt: noon.Add(-3*time.Hour - 12*time.Minute),
		},
		Models: []device.ModelOverview{
			{Name: "clip", Type: "clip", Path: "/m/clip.hef", State: device.StateUnloaded, KeepAlive: -1},
			{Name: "fast", Type: "depth", Path: "/m/fast.hef", State: device.StateIdle, MemoryBytes: 6 << 20, LoadSeconds: 0.31, LoadedAt: noon.Add(-time.Hour),
				LastUsed: noon.Add(-95 * time.Second), IdleSeconds: 95, KeepAlive: 300, ExpiresAt: noon.Add(205 * time.Second), Uses: 7, InferSeconds: 0.0014, FirstSeconds: 0.0014},
			{Name: "scdepthv3", Type: "depth", Path: "/m/scdepthv3.hef", State: device.StateRunning, Pinned: true, MemoryBytes: 96 << 20, LoadSeconds: 1.24,
				LoadedAt: noon.Add(-time.Hour), LastUsed: noon, KeepAlive: -1, Uses: 120400, Waiting: 3, InferSeconds: 0.0248, FirstSeconds: 0.0124},
			{Name: "pose", Type: "pose", Path: "/m/pose.hef", State: device.StateIdle, LastUsed: noon.Add(-time.Second), IdleSeconds: 1, KeepAlive: -1, Uses: 1},
			{Name: "whisper", Type: "whisper", Path: "/m/whisper.hef", State: device.StateLoading, KeepAlive: 0},
		},
		Queue: device.QueueOverview{
			Waiting: 5, Limit: 256, Bytes: 1228800, BytesLimit: 64 << 20,
			Running: &device.RunningOverview{Action: "infer", Model: "depth:/m/scdepthv3.hef", Client: "hailo-depth", Priority: 5, Since: noon.Add(-21 * time.Millisecond)},
			Clients: []device.ClientOverview{
				{Client: "", Priority: 5, Waiting: 1, OldestSeconds: 0.02},
				{Client: "robot", Priority: 9, Waiting: 1, OldestSeconds: 0},
				{Client: "hailo-depth", Priority: 5, Waiting: 3, OldestSeconds: 1.5},
			},
		},
	}
}

const busyPage = `HAILO10H 0001:01:00.0, firmware 5.1.1, backend hailort, open for 3 h 12 min
61.4 °C, memory 812 MiB of 8192 MiB (10 %), utilisation 42 %, worker restarts 1

MODEL      TYPE     STATE      MEMORY    LOAD    INFER  DRIFT    USES        IDLE        EXPIRES  WAITING  PATH
scdepthv3  depth    running    96 MiB   1.2 s  24.8 ms  x2.00  120400           -         pinned        3  /m/scdepthv3.hef
whisper    whisper  loading         -       -        -      -       0           -              -        0  /m/whisper.hef
pose       pose     idle            -       -        -      -       1         1 s          never        0  /m/pose.hef
fast       depth    idle      6.0 MiB  310 ms   1.4 ms  x1.00       7  1 min 35 s  in 3 min 25 s        0  /m/fast.hef
clip       clip     unloaded        -       -        -      -       0           -              -        0  /m/clip.hef

5 waiting of at most 256, 1.2 MiB of 64 MiB; running for 21.0 ms: infer depth:/m/scdepthv3.hef of hailo-depth, priority 5
CLIENT       PRIORITY  WAITING  LONGEST
robot               9        1      0 s
hailo-depth         5        3    1.5 s
-                   5        1  20.0 ms
`

func text(lines []string) string { return strings.Join(lines, "\n") + "\n" }

func TestPage(t *testing.T) {
	if got := text(Lines(busy(), nil)); got != busyPage {
		t.Errorf("got\n%s\nwant\n%s", got, busyPage)
	}
}

// A manager that has just started has next to nothing to say.
func TestEmptyPage(t *testing.T) {
	const want = `NOT READY: the device is being opened
no device opened
worker restarts 0

no models

0 waiting of at most 256
`
	o := device.Overview{At: noon, Ready: "the device is being opened", Queue: device.QueueOverview{Limit: 256}}
	if got := text(Lines(o, nil)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Rates are those since the earlier page; a model that was loaded anew has none.
func TestRates(t *testing.T) {
	before, now := busy(), busy()
	before.At = noon.Add(-2 * time.Second)
	before.Device.BusySeconds = 498.5
	before.Models[2].Uses = 120350
	before.Models[1].LoadedAt = noon.Add(-2 * time.Hour)
	lines := Lines(now, &before)
	for i, want := range map[int]string{
		1: "utilisation 42 %, busy 75 %, worker restarts 1",
		3: "DRIFT    USES    RATE  ",
		4: "x2.00  120400  25.0/s  ",
		7: "x1.00       7       -  ",
	} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %q; want %q in it", i, lines[i], want)
		}
	}
	// The manager was restarted in between.
	before.Device.BusySeconds = 9000
	if lines := Lines(now, &before); strings.Contains(lines[1], "busy") {
		t.Errorf("%q", lines[1])
	}
}

// Names that clients choose cannot play with the terminal or the table.
func TestNamesArePlainText(t *testing.T) {
	o := busy()
	o.Queue.Clients[0].Client = "\x1b[2J\n\tevil\u202e"
	o.Models[0].Name = "a\x1b]0;b\a"
	o.Ready = "line\nbreak"
	for _, line := range Lines(o, nil) {
		if strings.ContainsAny(line, "\x1b\n\t\a\u202e") {
			t.Errorf("%q", line)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{bytes(0), "-"}, {bytes(1 << 19), "0.5 MiB"}, {bytes(10 << 20), "10 MiB"}, {bytes(8 << 30), "8192 MiB"}, {used(0), "0 MiB"},
		{short(0), "-"}, {short(0.00139), "1.4 ms"}, {short(0.0994), "99.4 ms"}, {short(0.0996), "100 ms"}, {short(0.999), "999 ms"}, {short(0.9996), "1.0 s"}, {short(9.94), "9.9 s"},
		{short(9.96), "10 s"}, {short(75), "1 min 15 s"},
		{long(-3), "0 s"}, {long(0.4), "0 s"}, {long(59.6), "1 min"}, {long(3599), "59 min"}, {long(3600), "1 h"}, {long(36000), "10 h"}, {long(90000), "1 d 1 h"}, {long(1e6), "11 d"},
		{percent(0.005), "0 %"}, {percent(1), "100 %"}, {since(0), "0 s"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
