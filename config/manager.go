// Package config holds what the two daemons can be told, with its defaults.
// Settings come from defaults, then a file, then the environment, then flags,
// each over the one before; every error names its key.
package config

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"hailo-depth/device"
	"hailo-depth/logging"
	"hailo-depth/schedule"
	"hailo-depth/statusapi"
)

// Manager is the configuration of hailo-device-manager.
type Manager struct {
	Socket          string          `yaml:"socket"`
	SocketMode      string          `yaml:"socket_mode"`
	SocketGroup     string          `yaml:"socket_group"`
	HTTP            string          `yaml:"http"`
	APISocket       string          `yaml:"api_socket"`
	APIListen       string          `yaml:"api_listen"`
	APITokenFile    string          `yaml:"api_token_file"`
	Backend         string          `yaml:"backend"`
	GroupID         string          `yaml:"group_id"`
	MaxMessageBytes int64           `yaml:"max_message_bytes"`
	MaxConnections  int             `yaml:"max_connections"`
	MaxEvictions    int             `yaml:"max_evictions"`
	Queue           int             `yaml:"queue"`
	QueueBytes      int64           `yaml:"queue_bytes"`
	Scheduling      Scheduling      `yaml:"scheduling"`
	ONNX            ONNX            `yaml:"onnx"`
	Timeouts        Timeouts        `yaml:"timeouts"`
	Breaker         Breaker         `yaml:"breaker"`
	StateDir        string          `yaml:"state_dir"`
	KeepAlive       int64           `yaml:"keep_alive"`
	Models          []Model         `yaml:"models"`
	Types           map[string]Type `yaml:"types"`
	Log             logging.Config  `yaml:"log"`
}

// Model is a model that the operator names.
type Model struct {
	Name      string         `yaml:"name"`
	Type      string         `yaml:"type"`
	Path      string         `yaml:"path"`
	Params    map[string]any `yaml:"params"`
	KeepAlive *int64         `yaml:"keep_alive"` // seconds; nil: Manager.KeepAlive
	Pinned    bool           `yaml:"pinned"`
	Preload   bool           `yaml:"preload"`
	WarmUp    bool           `yaml:"warm_up"`
}

// Type is what holds for all models of a type; 0: what holds for all types.
type Type struct {
	LoadTimeout  time.Duration `yaml:"load_timeout"`
	InferTimeout time.Duration `yaml:"infer_timeout"`
	TokenTimeout time.Duration `yaml:"token_timeout"`
}

// Breaker says when the device is given a pause.
type Breaker struct {
	Deaths int           `yaml:"deaths"`
	Window time.Duration `yaml:"window"`
	Pause  time.Duration `yaml:"pause"`
}

// Scheduling says who is next; docs/scheduling.md has the policy.
type Scheduling struct {
	Ageing        time.Duration `yaml:"ageing"`
	Group         int           `yaml:"group"`
	GroupTime     time.Duration `yaml:"group_time"`
	Overlap       bool          `yaml:"overlap"`
	KillAbandoned []string      `yaml:"kill_abandoned"`
}

// ONNX configures the CPU backend.
type ONNX struct {
	Threads  int   `yaml:"threads"`
	MemoryMB int64 `yaml:"memory_mb"`
	Spin     bool  `yaml:"spin"`
}

// Timeouts bound the device's operations.
type Timeouts struct {
	Load       time.Duration `yaml:"load"`
	Infer      time.Duration `yaml:"infer"`
	Drain      time.Duration `yaml:"drain"`
	Release    time.Duration `yaml:"release"`
	Unfinished time.Duration `yaml:"unfinished"`
}

// DefaultManager holds the defaults that docs/operations.md states.
func DefaultManager() Manager {
	rules := schedule.DefaultRules()
	return Manager{
		Socket:          device.DefaultSocket,
		SocketMode:      "0660",
		HTTP:            "127.0.0.1:5099",
		Backend:         "auto",
		MaxMessageBytes: device.DefaultMaxMessage,
		MaxConnections:  256,
		MaxEvictions:    3,
		Queue:           rules.Jobs,
		QueueBytes:      rules.Bytes,
		Scheduling:      Scheduling{Ageing: rules.Step, Group: rules.Group, GroupTime: rules.GroupTime, Overlap: true, KillAbandoned: []string{}},
		Timeouts:        Timeouts{Load: 120 * time.Second, Infer: 60 * time.Second, Drain: 10 * time.Second, Release: 5 * time.Second, Unfinished: 30 * time.Second},
		Breaker:         Breaker{Deaths: 5, Window: time.Minute, Pause: 2 * time.Second},
		KeepAlive:       -1,
		Models:          []Model{},
		Types:           map[string]Type{},
		Log:             logging.Default(),
	}
}

// Environment applies the variables of the socket contract. An empty
// HAILO_DEVICE_HTTP_BIND switches HTTP off; any other empty variable is ignored.
func (m *Manager) Environment(lookup func(string) (string, bool)) error {
	text := func(name string, into *string) {
		if v, ok := lookup(name); ok && v != "" {
			*into = v
		}
	}
	text("HAILO_DEVICE_SOCKET", &m.Socket)
	text("HAILO_DEVICE_SOCKET_MODE", &m.SocketMode)
	text("HAILO_DEVICE_SOCKET_GROUP", &m.SocketGroup)
	text("HAILO_DEVICE_API_SOCKET", &m.APISocket)
	text("HAILO_DEVICE_GROUP_ID", &m.GroupID)
	text("HAILO_DEVICE_BACKEND", &m.Backend)
	if v, ok := lookup("HAILO_DEVICE_HTTP_BIND"); ok {
		m.HTTP = v
	}
	if v, ok := lookup("HAILO_DEVICE_MAX_MESSAGE_BYTES"); ok && v != "" {
		n, err := strconv.ParseInt(v, 0, 64)
		if err != nil {
			return &Error{Source: "HAILO_DEVICE_MAX_MESSAGE_BYTES", Message: fmt.Sprintf("%q is not a whole number of bytes", v)}
		}
		m.MaxMessageBytes = n
	}
	if v, ok := lookup("HAILO_DEVICE_MAX_EVICTIONS"); ok && v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return &Error{Source: "HAILO_DEVICE_MAX_EVICTIONS", Message: fmt.Sprintf("%q is not a whole number", v)}
		}
		m.MaxEvictions = n
	}
	return nil
}

// APISocketPath is the HTTP socket's path: api_socket, by default manager.sock
// beside socket; empty when it is switched off.
func (m *Manager) APISocketPath() string { return apiSocketPath(m.APISocket, m.Socket) }

func apiSocketPath(value, socket string) string {
	switch value {
	case "":
		return filepath.Join(filepath.Dir(socket), filepath.Base(device.DefaultHTTPSocket))
	case "off":
		return ""
	}
	return value
}

// Mode is SocketMode as permission bits. It takes any integer literal of Go or
// C: 0660, 0o660, 432.
func (m *Manager) Mode() (fs.FileMode, error) {
	bits, err := strconv.ParseUint(m.SocketMode, 0, 32)
	if err != nil || bits > 0o777 {
		return 0, fmt.Errorf("%q is no file mode; expected 0 to 0777, written in octal with a leading 0, such as 0660", m.SocketMode)
	}
	return fs.FileMode(bits), nil
}

// Validate checks every value; source names where they come from.
func (m *Manager) Validate(source string) error {
	c := check{source: source}
	c.that(m.Socket != "", "socket", `""`, "a path")
	if _, err := m.Mode(); err != nil {
		c.errs = append(c.errs, &Error{Source: source, Message: "socket_mode: " + err.Error()})
	}
	if _, err := statusapi.ParseBind(m.HTTP); err != nil {
		c.errs = append(c.errs, &Error{Source: source, Message: "http: " + err.Error()})
	}
	c.that(m.APISocketPath() != m.Socket, "api_socket", m.APISocket, "another path than socket's")
	if listen, err := statusapi.ParseBind(m.APIListen); err != nil {
		c.errs = append(c.errs, &Error{Source: source, Message: "api_listen: " + err.Error()})
	} else {
		c.that(listen == "" || m.APITokenFile != "", "api_listen", m.APIListen, "api_token_file beside it: nobody may come in without a token")
	}
	c.oneOf("backend", m.Backend, "auto", "onnx", "sim", "hailort")
	c.that(m.MaxMessageBytes >= 1024 && m.MaxMessageBytes <= 1<<31, "max_message_bytes", m.MaxMessageBytes, "1024 to 2147483648")
	c.that(m.MaxConnections >= 1 && m.MaxConnections <= 65536, "max_connections", m.MaxConnections, "1 to 65536")
	c.that(m.MaxEvictions >= 0 && m.MaxEvictions <= 1000, "max_evictions", m.MaxEvictions, "0 to 1000")
	c.that(m.Queue >= 1 && m.Queue <= 65536, "queue", m.Queue, "1 to 65536")
	c.that(m.QueueBytes >= 1<<20 && m.QueueBytes <= 1<<40, "queue_bytes", m.QueueBytes, "1048576 to 1099511627776")
	c.scheduling(m.Scheduling)
	c.onnx(m.ONNX)
	c.that(m.Timeouts.Load >= time.Second, "timeouts.load", m.Timeouts.Load, "at least 1s")
	c.that(m.Timeouts.Infer >= 10*time.Millisecond, "timeouts.infer", m.Timeouts.Infer, "at least 10ms")
	c.that(m.Timeouts.Drain >= 0, "timeouts.drain", m.Timeouts.Drain, "at least 0s")
	c.that(m.Timeouts.Release >= 0, "timeouts.release", m.Timeouts.Release, "at least 0s")
	c.that(m.Timeouts.Unfinished >= 0, "timeouts.unfinished", m.Timeouts.Unfinished, "at least 0s (0: no limit)")
	c.that(m.Breaker.Deaths >= 0 && m.Breaker.Deaths <= 1000, "breaker.deaths", m.Breaker.Deaths, "0 (never) to 1000")
	c.that(m.Breaker.Window >= time.Second, "breaker.window", m.Breaker.Window, "at least 1s")
	c.that(m.Breaker.Pause >= 100*time.Millisecond, "breaker.pause", m.Breaker.Pause, "at least 100ms")
	c.that(m.StateDir == "" || filepath.IsAbs(m.StateDir) || m.StateDir == "off", "state_dir", fmt.Sprintf("%q", m.StateDir), "an absolute path, off, or nothing")
	c.keepAlive("keep_alive", m.KeepAlive)
	c.models(m.Models)
	for _, name := range slices.Sorted(maps.Keys(m.Types)) {
		c.oneOf("types", name, ModelTypes()...)
		t := m.Types[name]
		c.that(t.LoadTimeout == 0 || t.LoadTimeout >= time.Second, "types."+name+".load_timeout", t.LoadTimeout, "at least 1s, or 0: that of timeouts.load")
		c.that(t.InferTimeout == 0 || t.InferTimeout >= 10*time.Millisecond, "types."+name+".infer_timeout", t.InferTimeout, "at least 10ms, or 0: that of timeouts.infer")
		c.that(t.TokenTimeout == 0 || t.TokenTimeout >= time.Second, "types."+name+".token_timeout", t.TokenTimeout, "at least 1s, or 0: a minute")
	}
	c.log(m.Log)
	return c.err()
}

// ModelTypes lists the types of models that a manager knows.
func ModelTypes() []string {
	return []string{"depth", "pose", "clip", "ocr", "vlm", "vlm_chat", "whisper"}
}

// maxModels is far more than a device holds.
const maxModels = 256

func (c *check) models(models []Model) {
	c.that(len(models) <= maxModels, "models", len(models), fmt.Sprintf("at most %d models", maxModels))
	seen := map[string]int{}
	for i, m := range models {
		at := fmt.Sprintf("models[%d].", i)
		c.oneOf(at+"type", m.Type, ModelTypes()...)
		c.that(m.Path != "", at+"path", `""`, "the path of the model file, or what the type takes for it")
		if m.KeepAlive != nil {
			c.keepAlive(at+"keep_alive", *m.KeepAlive)
		}
		c.that(!m.WarmUp || m.Preload, at+"warm_up", m.WarmUp, "false, or preload: true with it")
		id := m.Type + ":" + m.Path
		first, again := seen[id]
		c.that(!again, at+"path", fmt.Sprintf("%q", m.Path), fmt.Sprintf("another model than models[%d]", first))
		seen[id] = i
	}
}

func (c *check) keepAlive(key string, seconds int64) {
	c.that(seconds >= -1 && seconds <= 1<<31, key, seconds, "-1 (for ever), 0 (unload after each request) or seconds")
}

func (c *check) scheduling(s Scheduling) {
	c.that(s.Ageing >= 100*time.Millisecond && s.Ageing <= time.Hour, "scheduling.ageing", s.Ageing, "100ms to 1h")
	c.that(s.Group >= 0 && s.Group <= 1000, "scheduling.group", s.Group, "0 (no grouping) to 1000")
	c.that(s.GroupTime >= 0 && s.GroupTime <= time.Hour, "scheduling.group_time", s.GroupTime, "0s to 1h")
	for _, t := range s.KillAbandoned {
		c.oneOf("scheduling.kill_abandoned", t, ModelTypes()...)
	}
}

func (c *check) onnx(o ONNX) {
	c.that(o.Threads >= 0 && o.Threads <= 1024, "onnx.threads", o.Threads, "0 (all cores but one) to 1024")
	c.that(o.MemoryMB >= 0 && o.MemoryMB <= 1<<24, "onnx.memory_mb", o.MemoryMB, "0 (no limit) to 16777216")
}

func (c *check) log(l logging.Config) {
	c.oneOf("log.format", l.Format, "text", "json")
	c.oneOf("log.level", l.Level, "debug", "info", "warn", "error")
}
