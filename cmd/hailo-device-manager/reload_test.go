package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"hailo-depth/config"
)

// hangup sends SIGHUP after the file was changed to what lines say.
func (d *running) hangup(t *testing.T, lines string) {
	t.Helper()
	if err := os.WriteFile(d.config, []byte("log: {format: json}\n"+lines), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// loaded tells whether the model is on the device.
func (d *running) loaded(t *testing.T) bool {
	t.Helper()
	s, err := d.client.Status(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return len(s.Models) == 1 && s.Models[0].Path == d.model.Path
}

// TestReload: what may change changes, without a request failing or the worker
// ending; what may not is named; what is wrong changes nothing and is said.
func TestReload(t *testing.T) {
	d := start(t, "")
	if d.loaded(t) {
		t.Fatal("a model is loaded that nobody wants")
	}
	wanted := fmt.Sprintf("models: [{type: depth, path: %q, pinned: true}]\n", d.model.Path)
	d.hangup(t, wanted)
	d.await(t, "configuration reloaded")
	d.await(t, "model loaded") // it is pinned now
	if _, err := d.client.Unload(within(t), d.model); err == nil || !strings.Contains(err.Error(), "pinned") {
		t.Errorf("unloading what is pinned: %v", err)
	}

	d.hangup(t, wanted+"queue: 0\n")
	if line := d.await(t, "the configuration was not reloaded; the one before holds"); !strings.Contains(fmt.Sprint(line["error"]), "queue: 0 is not valid; expected 1 to 65536") {
		t.Errorf("%v", line)
	}
	if _, err := d.client.Unload(within(t), d.model); err == nil {
		t.Error("a refused configuration took the pin off")
	}

	d.hangup(t, "queue: 7\nonnx: {threads: 1}\ntimeouts: {infer: 2s, drain: 1s}\n")
	if line := d.await(t, "configuration reloaded"); line["needs_restart"] != "onnx.threads, timeouts.drain" {
		t.Errorf("needs a restart: %v", line["needs_restart"])
	}
	d.mustInfer(t)
	if !d.loaded(t) {
		t.Error("taking the pin off unloaded the model")
	}
	d.terminate(t, patience)
}

// TestReloadTellsSystemd when it begins and when it has ended.
func TestReloadTellsSystemd(t *testing.T) {
	path := filepath.Join(shortDir(t), "notify")
	inbox, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer inbox.Close()
	expect := func(prefix string) {
		t.Helper()
		if err := inbox.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 4096)
		n, err := inbox.Read(buffer)
		if err != nil || !strings.HasPrefix(string(buffer[:n]), prefix) {
			t.Fatalf("systemd was told %q (%v), want %q", buffer[:n], err, prefix)
		}
	}
	d := launch(t, bin, "", "NOTIFY_SOCKET="+path)
	expect("READY=1")
	expect("STATUS=serving")
	d.hangup(t, "")
	expect("RELOADING=1\nMONOTONIC_USEC=")
	expect("READY=1")
	expect("STATUS=serving")
	d.hangup(t, "keep_alive: -5\n")
	expect("RELOADING=1\n")
	expect("READY=1")
	expect("STATUS=serving; the last reload failed: " + d.config + ": keep_alive: -5 is not valid")
	d.terminate(t, patience)
}

// TestPreloadedModelsAreWarm before the manager says that it is ready, and their
// sizes are known after a restart.
func TestPreloadedModelsAreWarm(t *testing.T) {
	dir := t.TempDir()
	model := write(t, dir, "model.hef", network)
	lines := fmt.Sprintf("state_dir: %q\nmodels: [{name: ours, type: depth, path: %q, preload: true, warm_up: true, keep_alive: 600}]\n", dir, model)
	d := start(t, lines, "HAILO_SIM_LOAD_MS=300")
	if code, body := d.get(t, "/readyz"); code != 503 || !strings.Contains(body, "being loaded: ours") {
		t.Errorf("while it loads: %d %s", code, body)
	}
	d.await(t, "model warmed up")
	for deadline := time.Now().Add(patience); ; {
		code, body := d.get(t, "/readyz")
		if code == 200 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d %s", code, body)
		}
	}
	d.terminate(t, patience)
	text, err := os.ReadFile(filepath.Join(dir, "sizes.json"))
	if err != nil || !strings.Contains(string(text), fmt.Sprintf(`"bytes": %d`, len(network))) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestSizesFile(t *testing.T) {
	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for _, p := range pairs {
				if n, v, _ := strings.Cut(p, "="); n == name {
					return v
				}
			}
			return ""
		}
	}
	for _, c := range []struct {
		setting string
		getenv  func(string) string
		want    string
	}{
		{"", env("STATE_DIRECTORY=/var/lib/a:/var/lib/b", "HOME=/home/pi"), "/var/lib/a/sizes.json"},
		{"", env("XDG_STATE_HOME=/x", "HOME=/home/pi"), "/x/hailo-device-manager/sizes.json"},
		{"", env("XDG_STATE_HOME=x", "HOME=/home/pi"), "/home/pi/.local/state/hailo-device-manager/sizes.json"},
		{"", env(), ""},
		{"/s", env("STATE_DIRECTORY=/var/lib/a"), "/s/sizes.json"},
		{"off", env("STATE_DIRECTORY=/var/lib/a"), ""},
	} {
		if got := sizesFile(config.Manager{StateDir: c.setting}, c.getenv); got != c.want {
			t.Errorf("%q gives %q, want %q", c.setting, got, c.want)
		}
	}
}

// TestEveryTypeIsKnown to the manager, as the configuration lists them.
func TestEveryTypeIsKnown(t *testing.T) {
	c := config.DefaultManager()
	for i, name := range config.ModelTypes() {
		c.Models = append(c.Models, config.Model{Type: name, Path: fmt.Sprint("/m", i)})
		c.Types[name] = config.Type{}
	}
	if err := c.Validate("F"); err != nil {
		t.Error(err)
	}
	if s, err := settings(c); err != nil || len(s.Models) != len(config.ModelTypes()) {
		t.Errorf("%+v, %v", s, err)
	}
}
