package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/go-json-experiment/json"

	"hailo-depth/device"
)

// ask runs a command against the manager.
func (d *running) ask(t *testing.T, command string, args ...string) result {
	t.Helper()
	empty := write(t, t.TempDir(), "config.yaml", "backend: sim\n")
	return use(t, nil, append([]string{command, "--config", empty, "--socket", d.socket}, args...)...)
}

// mustAsk is ask for what must succeed; it returns what was printed.
func (d *running) mustAsk(t *testing.T, command string, args ...string) string {
	t.Helper()
	r := d.ask(t, command, args...)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("%s %v: exit %d, %s", command, args, r.code, r.stderr)
	}
	return r.stdout
}

// overview is what ps --json says.
func (d *running) overview(t *testing.T) device.Overview {
	t.Helper()
	var o device.Overview
	if text := d.mustAsk(t, "ps", "--json"); json.Unmarshal([]byte(text), &o, json.RejectUnknownMembers(true)) != nil {
		t.Fatalf("no overview: %s", text)
	}
	return o
}

// What ps shows of a manager that runs is what was done with it.
func TestPs(t *testing.T) {
	d := start(t, "")
	if text := d.mustAsk(t, "ps"); !strings.Contains(text, "HAILO10H") || !strings.Contains(text, "\nno models\n") {
		t.Errorf("without models:\n%s", text)
	}
	d.mustInfer(t)
	o := d.overview(t)
	if len(o.Models) != 1 || o.Models[0].Path != d.model.Path || o.Models[0].Type != "depth" || o.Models[0].Name != "model" || o.Device.Architecture != "HAILO10H" {
		t.Errorf("%+v", o)
	}
	text := d.mustAsk(t, "ps")
	if !strings.Contains(text, "MODEL  TYPE") || !strings.Contains(text, "\nmodel  depth  idle ") || !strings.Contains(text, d.model.Path+"\n") || !strings.Contains(text, "0 waiting of at most ") {
		t.Errorf("with a model:\n%s", text)
	}
	d.terminate(t, patience)
}

// A model is loaded and freed by its file, and by its name while it is loaded.
func TestLoadAndUnload(t *testing.T) {
	d := start(t, "")
	file := "depth:" + d.model.Path
	for _, c := range []struct {
		command string
		args    []string
		want    string
	}{
		{"load", []string{file}, file + ": loaded in 0."},
		{"load", []string{file}, file + ": was loaded already\n"},
		{"load", []string{"model"}, "model: was loaded already\n"},
		{"load", []string{"--json", file}, `{"model":"` + file + `","already_loaded":true,"seconds":0`},
		{"unload", []string{"model"}, "model: unloaded\n"},
		{"unload", []string{file}, file + ": was not loaded\n"},
		{"unload", []string{file, "--json"}, `{"model":"` + file + `","was_loaded":false}` + "\n"},
	} {
		if got := d.mustAsk(t, c.command, c.args...); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %v: %q, want %q", c.command, c.args, got, c.want)
		}
	}
	if o := d.overview(t); len(o.Models) != 0 {
		t.Errorf("%+v", o.Models)
	}
	d.terminate(t, patience)
}

// What is pinned is loaded and stays, until it is unpinned.
func TestPinAndUnpin(t *testing.T) {
	d := start(t, "")
	pinned := func() (loaded, pinned bool) {
		t.Helper()
		for _, m := range d.overview(t).Models {
			return m.State != device.StateUnloaded, m.Pinned
		}
		return false, false
	}
	file := "depth:" + d.model.Path
	if got := d.mustAsk(t, "pin", file); got != file+": pinned\n" {
		t.Errorf("%q", got)
	}
	if loaded, is := pinned(); !loaded || !is {
		t.Errorf("after pin: loaded %v, pinned %v", loaded, is)
	}
	if text := d.mustAsk(t, "ps"); !strings.Contains(text, "  pinned  ") {
		t.Errorf("ps does not say so:\n%s", text)
	}
	if r := d.ask(t, "unload", "model"); r.code != 1 || !strings.Contains(r.stderr, "pinned") {
		t.Errorf("what is pinned was unloaded: %+v", r)
	}
	if got := d.mustAsk(t, "unpin", "model"); got != "model: no longer pinned\n" {
		t.Errorf("%q", got)
	}
	if _, is := pinned(); is {
		t.Error("it is pinned after unpin")
	}
	for _, c := range []struct{ command, want string }{{"pin", "true"}, {"unpin", "false"}} {
		if got := d.mustAsk(t, c.command, "model", "--json"); got != `{"model":"model","pinned":`+c.want+"}\n" {
			t.Errorf("%q", got)
		}
	}
	if got := d.mustAsk(t, "unload", "model"); got != "model: unloaded\n" {
		t.Errorf("%q", got)
	}
	d.terminate(t, patience)
}

// A changed configuration holds after reload: a model has a name by which it can
// be loaded. One that is not valid changes nothing.
func TestReloadByCommand(t *testing.T) {
	d := start(t, "")
	apply := func(lines string) result {
		t.Helper()
		if err := os.WriteFile(d.config, []byte("log: {format: json}\n"+lines), 0o644); err != nil {
			t.Fatal(err)
		}
		return d.ask(t, "reload")
	}
	if r := apply("models: [{name: mine, type: depth, path: " + d.model.Path + "}]\n"); r.code != 0 || r.stdout != "the configuration is applied\n" {
		t.Fatalf("%+v", r)
	}
	if r := apply("models: [{name: other, type: poetry, path: /x}]\n"); r.code != 1 || !strings.Contains(r.stderr, `models[0].type: "poetry" is not valid`) || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("%+v", r)
	}
	if text := d.mustAsk(t, "ps"); !strings.Contains(text, "\nmine   depth  unloaded ") {
		t.Errorf("%s", text)
	}
	if got := d.mustAsk(t, "load", "mine"); !strings.HasPrefix(got, "mine: loaded in 0.") {
		t.Errorf("%q", got)
	}
	const waits = "; wait for the next start (sudo systemctl restart hailo-device-manager): timeouts.drain\n"
	if r := apply("queue: 7\ntimeouts: {drain: 1s}\n"); r.stdout != "the configuration is applied"+waits {
		t.Errorf("%+v", r)
	}
	if got := d.mustAsk(t, "reload", "--json"); got != `{"needs_restart":["timeouts.drain"]}`+"\n" {
		t.Errorf("%q", got)
	}
	d.terminate(t, patience)
}

// Each refusal says in one line what is wrong and what to do.
func TestCommandsRefuse(t *testing.T) {
	d := start(t, "")
	d.mustInfer(t)
	for _, c := range []struct {
		command string
		args    []string
		code    int
		want    string
	}{
		{"load", nil, 2, "load: a model is missing; see --help"},
		{"load", []string{"nonsense"}, 1, `no model "nonsense" is configured or loaded; there are: model (a file is named as TYPE:PATH`},
		{"unload", []string{"nonsense"}, 1, `there are: model (a file`},
		{"pin", []string{"nonsense"}, 1, `there are: model (a file`},
		{"pin", []string{"depth:/nowhere/a.hef"}, 1, "/nowhere/a.hef"},
		{"load", []string{"depth:/nowhere/a.hef"}, 1, "/nowhere/a.hef"},
		{"load", []string{"poetry:" + d.model.Path}, 1, "poetry"},
		{"top", []string{"--interval", "1ms"}, 2, "--interval 1ms: expected at least 100ms"},
		{"top", []string{"--count", "-1"}, 2, "--count -1: expected 0 or more"},
		{"ps", []string{"--api-socket", "off"}, 1, "is switched off (api_socket: off)"},
		{"ps", []string{"--config", filepath.Join(t.TempDir(), "absent.yaml")}, 2, "no such file"},
	} {
		r := d.ask(t, c.command, c.args...)
		if r.code != c.code || !strings.Contains(r.stderr, c.want) || strings.Count(r.stderr, "\n") != 1 || r.stdout != "" {
			t.Errorf("%s %v: exit %d, %q, %q; want %d and %q", c.command, c.args, r.code, r.stdout, r.stderr, c.code, c.want)
		}
	}
	d.terminate(t, patience)
	for _, c := range commands() {
		args := []string{"model"}
		if c.name == "ps" || c.name == "top" || c.name == "reload" {
			args = nil
		} else if c.name == "doctor" {
			continue
		}
		r := d.ask(t, c.name, args...)
		if want := "no device manager runs: " + filepath.Join(filepath.Dir(d.socket), "manager.sock") + " is not there; start it: sudo systemctl start"; r.code != 1 || !strings.Contains(r.stderr, want) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s without a manager: exit %d, %q", c.name, r.code, r.stderr)
		}
	}
}

// A socket that a killed manager left, or that is for others, is told apart from
// no socket.
func TestSocketsOfNoUse(t *testing.T) {
	d := start(t, "")
	api := filepath.Join(filepath.Dir(d.socket), "manager.sock")
	if err := os.Chmod(api, 0); err != nil {
		t.Fatal(err)
	}
	// Root may use every socket.
	dir := shortDir(t)
	program := filepath.Join(dir, "hailo-device-manager")
	text, err := os.ReadFile(filepath.Join(bin, "hailo-device-manager"))
	if err == nil {
		err = os.WriteFile(program, text, 0o755)
	}
	if err := errors.Join(err, os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(api), 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(within(t), program, "ps", "--api-socket", api)
	cmd.Dir = "/"
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no permission to use "+api+", which is for the group ") || !strings.Contains(string(out), "sudo usermod -aG ") {
		t.Errorf("%v: %s", err, out)
	}
	if err := d.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-d.Ended()
	if err := os.Chmod(api, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := d.ask(t, "ps"); r.code != 1 || !strings.Contains(r.stderr, "connection refused") || !strings.Contains(r.stderr, "doctor` says more") {
		t.Errorf("%+v", r)
	}
}
