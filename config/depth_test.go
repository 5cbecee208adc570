package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hailo-depth/strictyaml"
)

func TestDepthDefaultsAreTheContracts(t *testing.T) {
	d := DefaultDepth()
	if err := d.Validate("defaults"); err != nil {
		t.Fatal(err)
	}
	if d.Listen() != "0.0.0.0:11439" || d.Output.Format != "both" || d.Output.Colormap != "viridis" || !d.Output.Normalize ||
		d.Input.MaxImageMB != 50 || d.Input.AllowLocalPaths || d.Input.Orient || d.Model.KeepAlive != -1 || d.SocketPath() != "/run/hailo/device.sock" {
		t.Errorf("got %+v", d)
	}
	if d.Input.AllowLoopbackURLs || d.Input.AllowLinkLocalURLs || d.Input.AllowMetadataURLs {
		t.Error("a client may reach this machine, link-local or metadata addresses by default")
	}
}

func TestDepthValidateNamesTheKey(t *testing.T) {
	for text, want := range map[string]string{
		"server: {port: -1}":                     "F: server.port: -1 is not valid; expected 0 to 65535",
		"server: {port: 65536}":                  "F: server.port: 65536",
		"server: {timeout: 9ms}":                 "F: server.timeout: 9ms is not valid; expected at least 10ms",
		"server: {read_timeout: 0s}":             "F: server.read_timeout: 0s is not valid; expected at least 10ms",
		"model: {type: stereo}":                  `F: model.type: "stereo" is not valid; expected one of monocular`,
		"model: {keep_alive: -2}":                "F: model.keep_alive: -2 is not valid; expected -1 (for ever), 0 (unload after each request) or idle seconds",
		"model: {keep_alive: -0.5}":              "F: model.keep_alive: -0.5",
		"model: {keep_alive: 2e9}":               "F: model.keep_alive: 2e+09",
		"model: {keep_alive: .nan}":              "F: model.keep_alive: NaN",
		"output: {format: jpeg}":                 `F: output.format: "jpeg" is not valid; expected one of numpy, `,
		"output: {colormap: pink}":               `F: output.colormap: "pink" is not valid; expected one of viridis, `,
		"output: {representation: metres}":       `F: output.representation: "metres" is not valid; expected one of raw, disparity, depth`,
		"input: {url_timeout: 1ms}":              "F: input.url_timeout: 1ms is not valid; expected at least 10ms",
		"input: {max_image_mb: 0}":               "F: input.max_image_mb: 0 is not valid; expected more than 0, at most 1024",
		"input: {max_image_mb: 1025}":            "F: input.max_image_mb: 1025",
		"input: {max_image_mb: .nan}":            "F: input.max_image_mb: NaN",
		"input: {max_megapixels: 0}":             "F: input.max_megapixels: 0 is not valid; expected more than 0, at most 1000",
		"input: {max_megapixels: .inf}":          "F: input.max_megapixels: +Inf",
		"device: {backend: gpu}":                 `F: device.backend: "gpu" is not valid; expected one of auto, onnx, sim, hailort`,
		"device: {standalone: true, socket: /s}": "F: device.standalone: true is not valid; expected no device.socket beside it",
		"device: {onnx: {threads: -1}}":          "F: onnx.threads: -1",
		"device: {onnx: {memory_mb: -1}}":        "F: onnx.memory_mb: -1",
		"limits: {pictures: 0}":                  "F: limits.pictures: 0 is not valid; expected 1 to 1024",
		"limits: {pictures: 1025}":               "F: limits.pictures: 1025",
		"limits: {queue: -1}":                    "F: limits.queue: -1 is not valid; expected 0 to 65536",
		"limits: {queue: 65537}":                 "F: limits.queue: 65537",
		"limits: {work_megapixels: 0.5}":         "F: limits.work_megapixels: 0.5 is not valid; expected 1 to 10000",
		"limits: {work_megapixels: 10001}":       "F: limits.work_megapixels: 10001",
		"log: {format: xml}":                     `F: log.format: "xml"`,
		"log: {level: trace}":                    `F: log.level: "trace"`,
	} {
		d := DefaultDepth()
		if err := strictyaml.Decode(strings.NewReader(text), "F", &d); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		err := d.Validate("F")
		var e *Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v\n\twant %s", text, err, want)
		}
	}
}

func TestDepthFiles(t *testing.T) {
	for xdg, want := range map[string]string{
		"":            "/etc/xdg/hailo-depth/hailo-depth.json",
		"/home/x/cfg": "/home/x/cfg/hailo-depth/hailo-depth.json",
		"relative":    "/etc/xdg/hailo-depth/hailo-depth.json",
		"./here":      "/etc/xdg/hailo-depth/hailo-depth.json",
	} {
		got := DepthFiles(func(name string) string {
			if name == "XDG_CONFIG_HOME" {
				return xdg
			}
			return ""
		})
		if !slices.Equal(got, []string{"/etc/hailo/hailo-depth.yaml", want}) {
			t.Errorf("%q: %q", xdg, got)
		}
	}
}

// runtimeForm is what the earlier service was given.
const runtimeForm = `{"server": {"host": "127.0.0.1", "port": 8080}, "model": {"name": "scdepthv3", "type": "monocular", "keep_alive": 300},
 "output": {"format": "image", "colormap": "jet", "normalize": false, "include_stats": false, "depth_png_16": true},
 "input": {"allow_local_paths": true, "allow_image_url": false, "max_image_mb": 5},
 "resources": {"model_dir": "/m", "postprocess_dir": "/p"}, "resource_limits": {"memory_max": "2G", "cpu_quota": "80%"}}`

func TestLoadDepth(t *testing.T) {
	home := t.TempDir()
	getenv := func(name string) string { return map[string]string{"XDG_CONFIG_HOME": home}[name] }
	path := filepath.Join(home, "hailo-depth", "hailo-depth.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(runtimeForm), 0o600); err != nil {
		t.Fatal(err)
	}
	d := DefaultDepth()
	if found, err := LoadDepth(path, getenv, &d); err != nil || found != path {
		t.Fatalf("%q, %v", found, err)
	}
	if err := d.Validate("F"); err != nil {
		t.Error(err)
	}
	if d.Listen() != "127.0.0.1:8080" || d.KeepAlive() != 5*time.Minute || d.Output.Format != "image" || d.Output.Normalize || !d.Output.DepthPNG16 ||
		!d.Input.AllowLocalPaths || d.Input.AllowImageURL || d.Resources.ModelDir != "/m" || d.Input.MaxMegapixels != 64 {
		t.Errorf("got %+v", d)
	}

	// The file that people edit comes first where there is one.
	first := DepthFiles(getenv)[0]
	want := path
	if _, err := os.Stat(first); err == nil {
		want = first
	}
	d = DefaultDepth()
	if found, err := LoadDepth("", getenv, &d); err != nil || found != want {
		t.Errorf("found %q, %v; want %s", found, err, want)
	}

	if _, err := LoadDepth(filepath.Join(home, "missing.yaml"), getenv, &d); err == nil || !strings.Contains(err.Error(), "missing.yaml") {
		t.Errorf("a file that was asked for and is missing: %v", err)
	}
	if err := os.WriteFile(path, []byte(`{"server": {"prot": 1}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadDepth(path, getenv, &d); err == nil || !strings.Contains(err.Error(), path+`:1: unknown field "prot"`) {
		t.Errorf("a wrong one: %v", err)
	}
}

func TestDepthSettings(t *testing.T) {
	d := DefaultDepth()
	d.Environment(env("HAILO_DEVICE_SOCKET=/e"))
	if d.SocketPath() != "/e" {
		t.Errorf("socket %s", d.SocketPath())
	}
	d.Environment(env("HAILO_DEVICE_SOCKET="))
	if d.SocketPath() != "/e" {
		t.Errorf("an empty variable counts: %s", d.SocketPath())
	}
	for address, want := range map[string]string{":80": ":80", "[::1]:8080": "[::1]:8080", "localhost:0": "localhost:0"} {
		if err := d.SetListen(address); err != nil || d.Listen() != want {
			t.Errorf("%s: %s, %v", address, d.Listen(), err)
		}
	}
	for _, address := range []string{"8080", "localhost", "localhost:http", "", "::1:80"} {
		if err := d.SetListen(address); err == nil || !strings.Contains(err.Error(), "--listen: ") || !strings.Contains(err.Error(), "expected host:port") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for seconds, want := range map[float64]time.Duration{-1: -1, 0: 0, 0.5: 500 * time.Millisecond, 1e9: 1e18} {
		d.Model.KeepAlive = seconds
		if got := d.KeepAlive(); got != want {
			t.Errorf("%v: %v, want %v", seconds, got, want)
		}
	}
}

// The HTTP socket lies beside the other unless something else is said.
func TestDepthAPISocket(t *testing.T) {
	d := DefaultDepth()
	for _, step := range []struct{ pair, want string }{
		{"", "/run/hailo/manager.sock"}, {"HAILO_DEVICE_SOCKET=/e/device.sock", "/e/manager.sock"},
		{"HAILO_DEVICE_API_SOCKET=/f", "/f"}, {"HAILO_DEVICE_API_SOCKET=", "/f"}, {"HAILO_DEVICE_API_SOCKET=off", ""},
	} {
		if d.Environment(env(step.pair)); d.APISocketPath() != step.want {
			t.Errorf("after %q: %q, want %q", step.pair, d.APISocketPath(), step.want)
		}
	}
}
