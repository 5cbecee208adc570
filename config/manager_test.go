package config

import (
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/strictyaml"
)

// env makes a lookup of NAME=value pairs.
func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, p := range pairs {
			if n, v, ok := strings.Cut(p, "="); ok && n == name {
				return v, true
			}
		}
		return "", false
	}
}

// decoded is the defaults with YAML over them.
func decoded(t *testing.T, text string) Manager {
	t.Helper()
	m := DefaultManager()
	if err := strictyaml.Decode(strings.NewReader(text), "file", &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestManagerDefaultsAreTheContracts(t *testing.T) {
	m := DefaultManager()
	if err := m.Validate("defaults"); err != nil {
		t.Fatal(err)
	}
	mode, err := m.Mode()
	if err != nil || mode != 0o660 {
		t.Errorf("mode %v, %v", mode, err)
	}
	if m.Socket != "/run/hailo/device.sock" || m.HTTP != "127.0.0.1:5099" || m.MaxMessageBytes != 64<<20 || m.MaxEvictions != 3 || m.SocketGroup != "" || m.GroupID != "" {
		t.Errorf("got %+v", m)
	}
}

func TestManagerEnvironment(t *testing.T) {
	for pair, check := range map[string]func(Manager) bool{
		"HAILO_DEVICE_SOCKET=/tmp/x.sock":          func(m Manager) bool { return m.Socket == "/tmp/x.sock" },
		"HAILO_DEVICE_SOCKET_MODE=0o600":           func(m Manager) bool { mode, err := m.Mode(); return err == nil && mode == 0o600 },
		"HAILO_DEVICE_SOCKET_GROUP=video":          func(m Manager) bool { return m.SocketGroup == "video" },
		"HAILO_DEVICE_GROUP_ID=shared":             func(m Manager) bool { return m.GroupID == "shared" },
		"HAILO_DEVICE_BACKEND=sim":                 func(m Manager) bool { return m.Backend == "sim" },
		"HAILO_DEVICE_HTTP_BIND=8080":              func(m Manager) bool { return m.HTTP == "8080" },
		"HAILO_DEVICE_HTTP_BIND=":                  func(m Manager) bool { return m.HTTP == "" },
		"HAILO_DEVICE_MAX_MESSAGE_BYTES=1048576":   func(m Manager) bool { return m.MaxMessageBytes == 1<<20 },
		"HAILO_DEVICE_MAX_MESSAGE_BYTES=0x2000000": func(m Manager) bool { return m.MaxMessageBytes == 32<<20 },
		"HAILO_DEVICE_API_SOCKET=/tmp/h.sock":      func(m Manager) bool { return m.APISocketPath() == "/tmp/h.sock" },
		"HAILO_DEVICE_API_SOCKET=off":              func(m Manager) bool { return m.APISocketPath() == "" },
		"HAILO_DEVICE_API_SOCKET=":                 func(m Manager) bool { return m.APISocketPath() == device.DefaultHTTPSocket },
		"HAILO_DEVICE_MAX_EVICTIONS=7":             func(m Manager) bool { return m.MaxEvictions == 7 },
	} {
		m := DefaultManager()
		if err := m.Environment(env(pair)); err != nil || !check(m) {
			t.Errorf("%s: %+v, %v", pair, m, err)
		}
		if err := m.Validate("x"); err != nil {
			t.Errorf("%s: %v", pair, err)
		}
	}
	for _, name := range []string{"SOCKET", "SOCKET_MODE", "SOCKET_GROUP", "GROUP_ID", "BACKEND", "MAX_MESSAGE_BYTES", "MAX_EVICTIONS"} {
		m := DefaultManager()
		if err := m.Environment(env("HAILO_DEVICE_" + name + "=")); err != nil || !reflect.DeepEqual(m, DefaultManager()) {
			t.Errorf("an empty %s counts: %+v, %v", name, m, err)
		}
	}
}

func TestManagerEnvironmentRefusals(t *testing.T) {
	for pair, want := range map[string]string{
		"HAILO_DEVICE_MAX_MESSAGE_BYTES=64M":                  `HAILO_DEVICE_MAX_MESSAGE_BYTES: "64M" is not a whole number of bytes`,
		"HAILO_DEVICE_MAX_MESSAGE_BYTES=99999999999999999999": `HAILO_DEVICE_MAX_MESSAGE_BYTES: "99999999999999999999" is not`,
		"HAILO_DEVICE_MAX_EVICTIONS=three":                    `HAILO_DEVICE_MAX_EVICTIONS: "three" is not a whole number`,
	} {
		m := DefaultManager()
		err := m.Environment(env(pair))
		var e *Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", pair, err)
		}
	}
}

func TestModes(t *testing.T) {
	for text, want := range map[string]fs.FileMode{"0660": 0o660, "0o660": 0o660, "432": 0o660, "0x1b0": 0o660, "0b110110000": 0o660, "0": 0, "0777": 0o777, "0O600": 0o600} {
		m := Manager{SocketMode: text}
		if got, err := m.Mode(); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"660", "", "rw-rw----", "01000", "-1", "0o888", "1e3", " 0660", "4294967296"} {
		m := Manager{SocketMode: text}
		if got, err := m.Mode(); err == nil || !strings.Contains(err.Error(), "such as 0660") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	// YAML reads 0660 as a number; it must mean what it looks like.
	for _, text := range []string{"socket_mode: 0660", "socket_mode: '0660'", "socket_mode: 0o660", "socket_mode: 432", `{"socket_mode": "0660"}`} {
		m := decoded(t, text)
		if got, err := m.Mode(); err != nil || got != 0o660 {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestManagerValidateNamesTheKey(t *testing.T) {
	for text, want := range map[string]string{
		`socket: ""`:                                 `F: socket: "" is not valid; expected a path`,
		"socket_mode: 660":                           `F: socket_mode: "660" is no file mode`,
		"http: nowhere":                              `F: http: "nowhere" is no address: expected host:port, a port, or off`,
		"http: localhost:http":                       `F: http: "localhost:http" is no address`,
		"backend: gpu":                               `F: backend: "gpu" is not valid; expected one of auto, onnx, sim, hailort`,
		"max_message_bytes: 1023":                    "F: max_message_bytes: 1023 is not valid; expected 1024 to 2147483648",
		"max_message_bytes: 2147483649":              "F: max_message_bytes: 2147483649",
		"max_connections: 0":                         "F: max_connections: 0 is not valid; expected 1 to 65536",
		"max_connections: 65537":                     "F: max_connections: 65537",
		"max_evictions: -1":                          "F: max_evictions: -1 is not valid; expected 0 to 1000",
		"max_evictions: 1001":                        "F: max_evictions: 1001",
		"queue: 0":                                   "F: queue: 0 is not valid; expected 1 to 65536",
		"queue: 65537":                               "F: queue: 65537",
		"queue_bytes: 1048575":                       "F: queue_bytes: 1048575 is not valid; expected 1048576 to 1099511627776",
		"scheduling: {ageing: 99ms}":                 "F: scheduling.ageing: 99ms is not valid; expected 100ms to 1h",
		"scheduling: {group: -1}":                    "F: scheduling.group: -1 is not valid; expected 0 (no grouping) to 1000",
		"scheduling: {group_time: 61m}":              "F: scheduling.group_time: 1h1m0s is not valid; expected 0s to 1h",
		"scheduling: {kill_abandoned: [vlm, sound]}": `F: scheduling.kill_abandoned: "sound" is not valid; expected one of depth, pose`,
		"onnx: {threads: -1}":                        "F: onnx.threads: -1 is not valid; expected 0 (",
		"onnx: {threads: 1025}":                      "F: onnx.threads: 1025",
		"onnx: {memory_mb: -1}":                      "F: onnx.memory_mb: -1 is not valid; expected 0 (no limit) to 16777216",
		"onnx: {memory_mb: 16777217}":                "F: onnx.memory_mb: 16777217",
		"timeouts: {load: 999ms}":                    "F: timeouts.load: 999ms is not valid; expected at least 1s",
		"timeouts: {infer: 9ms}":                     "F: timeouts.infer: 9ms is not valid; expected at least 10ms",
		"timeouts: {drain: -1s}":                     "F: timeouts.drain: -1s is not valid; expected at least 0s",
		"timeouts: {release: -1s}":                   "F: timeouts.release: -1s is not valid; expected at least 0s",
		"timeouts: {unfinished: -1s}":                "F: timeouts.unfinished: -1s is not valid",
		"breaker: {deaths: -1}":                      "F: breaker.deaths: -1 is not valid; expected 0 (never) to 1000",
		"breaker: {window: 0s}":                      "F: breaker.window: 0s is not valid; expected at least 1s",
		"breaker: {pause: 1ms}":                      "F: breaker.pause: 1ms is not valid; expected at least 100ms",
		"state_dir: here":                            `F: state_dir: "here" is not valid; expected an absolute path, off, or nothing`,
		"keep_alive: -2":                             "F: keep_alive: -2 is not valid; expected -1 (for ever)",
		"types: {gpt: {}}":                           `F: types: "gpt" is not valid; expected one of depth, pose`,
		"types: {vlm: {load_timeout: 1ms}}":          "F: types.vlm.load_timeout: 1ms is not valid; expected at least 1s",
		"types: {vlm: {infer_timeout: -1s}}":         "F: types.vlm.infer_timeout: -1s is not valid; expected at least 10ms",
		"types: {vlm: {token_timeout: 1ms}}":         "F: types.vlm.token_timeout: 1ms is not valid; expected at least 1s",
		"models: [{type: gpt, path: /m}]":            `F: models[0].type: "gpt" is not valid; expected one of depth, pose`,
		"models: [{type: depth}]":                    `F: models[0].path: "" is not valid; expected the path`,
		"models: [{type: depth, path: /m}, {type: depth, path: /m}]":        `F: models[1].path: "/m" is not valid; expected another model than models[0]`,
		"models: [{type: depth, path: /m, keep_alive: -7}]":                 "F: models[0].keep_alive: -7 is not valid",
		"models: [{type: depth, path: /m, warm_up: true}]":                  "F: models[0].warm_up: true is not valid; expected false, or preload: true",
		"models: [" + strings.Repeat("{type: depth, path: /m},", 257) + "]": "F: models: 257 is not valid; expected at most 256 models",
		"log: {format: xml}":             `F: log.format: "xml" is not valid; expected one of text, json`,
		"log: {level: loud}":             `F: log.level: "loud" is not valid; expected one of debug, info, warn, error`,
		"queue: 0\nlog: {format: xml}\n": "F: queue: 0 is not valid; expected 1 to 65536\nF: log.format: \"xml\"",
	} {
		m := decoded(t, text)
		err := m.Validate("F")
		var e *Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v\n\twant %s", text, err, want)
		}
	}
}

func TestManagerFileSetsEveryKey(t *testing.T) {
	m := decoded(t, `
socket: /s
socket_mode: 0600
socket_group: g
http: 0
backend: sim
group_id: id
max_message_bytes: 2048
max_connections: 2
max_evictions: 4
queue: 5
queue_bytes: 2097152
scheduling: {ageing: 1s, group: 2, group_time: 3s, overlap: false, kill_abandoned: [depth, vlm]}
onnx: {threads: 6, memory_mb: 7, spin: true}
timeouts: {load: 8s, infer: 9s, drain: 10s, release: 11s, unfinished: 12s}
breaker: {deaths: 13, window: 14s, pause: 15s}
state_dir: /state
keep_alive: 16
models:
  - {name: n, type: clip, path: /m, params: {image_hef_path: /i, deep: {list: [1, 2.5]}}, keep_alive: 0, pinned: true, preload: true, warm_up: true}
  - {type: depth, path: /m}
types:
  vlm: {load_timeout: 17s, infer_timeout: 18s, token_timeout: 19s}
  ocr: {}
log: {format: json, level: debug}
`)
	want := Manager{Socket: "/s", SocketMode: "384", SocketGroup: "g", HTTP: "0", Backend: "sim", GroupID: "id", MaxMessageBytes: 2048, MaxConnections: 2, MaxEvictions: 4, Queue: 5, QueueBytes: 2 << 20,
		Scheduling: Scheduling{Ageing: time.Second, Group: 2, GroupTime: 3 * time.Second, KillAbandoned: []string{"depth", "vlm"}},
		ONNX:       ONNX{Threads: 6, MemoryMB: 7, Spin: true}, Timeouts: Timeouts{Load: 8 * time.Second, Infer: 9 * time.Second, Drain: 10 * time.Second, Release: 11 * time.Second, Unfinished: 12 * time.Second},
		Breaker: Breaker{Deaths: 13, Window: 14 * time.Second, Pause: 15 * time.Second}, StateDir: "/state", KeepAlive: 16,
		Models: []Model{
			{Name: "n", Type: "clip", Path: "/m", Params: map[string]any{"image_hef_path": "/i", "deep": map[string]any{"list": []any{uint64(1), 2.5}}},
				KeepAlive: new(int64), Pinned: true, Preload: true, WarmUp: true},
			{Type: "depth", Path: "/m"},
		},
		Types: map[string]Type{"vlm": {17 * time.Second, 18 * time.Second, 19 * time.Second}, "ocr": {}}}
	want.Log.Format, want.Log.Level = "json", "debug"
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v", m)
	}
	if err := m.Validate("F"); err != nil {
		t.Error(err)
	}
}
