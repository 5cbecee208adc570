package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// result is how a program ended.
type result struct {
	code           int
	stdout, stderr string
}

// use runs the program to its end.
func use(t *testing.T, env []string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(within(t), filepath.Join(bin, "hailo-device-manager"), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append(os.Environ(), append(env, "GORACE=atexit_sleep_ms=0")...)
	err := cmd.Run()
	if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// What cannot be used ends the program with exit code 2, for which systemd does
// not start it again, and one line that names the source and the value.
func TestWrongUseExitsWith2(t *testing.T) {
	dir := t.TempDir()
	good := write(t, dir, "good.yaml", "backend: sim\n")
	for _, c := range []struct {
		want string
		env  []string
		args []string
	}{
		{"flags: flag provided but not defined: -frobnicate", nil, []string{"--frobnicate"}},
		{`command: "serve" is unknown; expected doctor, ps, `, nil, []string{"serve"}},
		{"flags: flag needs an argument: -socket", nil, []string{"--socket"}},
		{`flags: backend: "gpu" is not valid`, nil, []string{"--config", good, "--backend", "gpu"}},
		{`flags: http: "nonsense" is no address`, nil, []string{"--config", good, "--http", "nonsense"}},
		{`flags: socket: "" is not valid`, nil, []string{"--config", good, "--socket", ""}},
		{`environment: backend: "npu" is not valid`, []string{"HAILO_DEVICE_BACKEND=npu"}, []string{"--config", good}},
		{`environment: http: "host" is no address`, []string{"HAILO_DEVICE_HTTP_BIND=host"}, []string{"--config", good}},
		{`environment: socket_mode: "rw" is no file mode`, []string{"HAILO_DEVICE_SOCKET_MODE=rw"}, []string{"--config", good}},
		{`HAILO_DEVICE_MAX_MESSAGE_BYTES: "64M" is not a whole number`, []string{"HAILO_DEVICE_MAX_MESSAGE_BYTES=64M"}, []string{"--config", good}},
		{`HAILO_DEVICE_MAX_EVICTIONS: "many" is not a whole number`, []string{"HAILO_DEVICE_MAX_EVICTIONS=many"}, []string{"--config", good}},
		{"environment: max_evictions: -1 is not valid", []string{"HAILO_DEVICE_MAX_EVICTIONS=-1"}, []string{"--config", good}},
		{"no such file", nil, []string{"--config", filepath.Join(dir, "absent.yaml")}},
		{`key.yaml:2: unknown field "sockte"`, nil, []string{"--config", write(t, dir, "key.yaml", "backend: sim\nsockte: /x\n")}},
		{"value.yaml: queue: 0 is not valid; expected 1 to 65536", nil, []string{"--config", write(t, dir, "value.yaml", "queue: 0\n"), "--backend", "sim"}},
		{"type.yaml:1:", nil, []string{"--config", write(t, dir, "type.yaml", "queue: many\n")}},
		{"time.yaml: timeouts.load: 1ms is not valid", nil, []string{"--config", write(t, dir, "time.yaml", "timeouts: {load: 1ms}\n")}},
		{`log.yaml: log.level: "loud" is not valid`, nil, []string{"--config", write(t, dir, "log.yaml", "log: {level: loud}\n")}},
	} {
		for _, check := range [][]string{nil, {"--check-config"}} {
			r := use(t, c.env, append(check, c.args...)...)
			if r.code != 2 || !strings.HasPrefix(r.stderr, "hailo-device-manager: ") || !strings.Contains(r.stderr, c.want) || strings.Count(r.stderr, "\n") != 1 || r.stdout != "" {
				t.Errorf("%v %v: exit %d, stdout %q, stderr %q; want one line with %q", c.env, c.args, r.code, r.stdout, r.stderr, c.want)
			}
		}
	}
}

func TestHelpVersionAndCheck(t *testing.T) {
	good := write(t, t.TempDir(), "good.yaml", "backend: sim\nhttp: off\n")
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--help"}, []string{"Usage: hailo-device-manager", "-check-config", "-socket", "HAILO_DEVICE_SOCKET ", "HAILO_SIM_*"}},
		{[]string{"-h", "--backend", "gpu"}, []string{"Usage: hailo-device-manager"}},
		{[]string{"--version"}, []string{"hailo-device-manager "}},
		{[]string{"--check-config", "--config", good}, []string{"the configuration is valid\n"}},
		{[]string{"--check-config", "--config", good, "--socket", "/nowhere/device.sock"}, []string{"the configuration is valid\n"}},
	} {
		r := use(t, nil, c.args...)
		for _, want := range c.want {
			if r.code != 0 || r.stderr != "" || !strings.Contains(r.stdout, want) {
				t.Errorf("%v: %+v; want %q", c.args, r, want)
			}
		}
	}
}

// What the configuration cannot know of is another failure: it may be gone when
// systemd tries again. Nothing is left behind.
func TestCannotStart(t *testing.T) {
	d := start(t, "")
	dir := shortDir(t)
	file := write(t, dir, "file", "precious")
	good := write(t, t.TempDir(), "good.yaml", "backend: sim\nhttp: off\n")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"another device manager already listens on " + d.socket, []string{"--socket", d.socket}},
		{"(choose another address with --http, or --http off)", []string{"--socket", filepath.Join(dir, "s"), "--http", strings.TrimPrefix(d.web, "http://")}},
		{"exists and is not a socket; it is left alone", []string{"--socket", file}},
		{"expected 1 to 100 bytes", []string{"--socket", "/tmp/" + strings.Repeat("long", 25)}},
		{"hailo-worker-hailort is not in ", []string{"--socket", filepath.Join(dir, "s"), "--backend", "hailort"}},
	} {
		r := use(t, nil, append([]string{"--config", good}, c.args...)...)
		if r.code != 1 || !strings.Contains(r.stderr, c.want) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%v: exit %d, %q; want one line with %q", c.args, r.code, r.stderr, c.want)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "s")); err == nil {
		t.Error("a manager that did not start left its socket")
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	d.mustInfer(t) // the one that runs is unharmed
	d.terminate(t, patience)
}

// A manager that was killed leaves its socket; the next one takes its place.
func TestStaleSocketIsReplaced(t *testing.T) {
	killed := start(t, "")
	if err := killed.Process.Signal(os.Kill); err != nil {
		t.Fatal(err)
	}
	<-killed.Ended()
	if err := killed.infer(context.Background(), 1); err == nil {
		t.Error("a dead manager answered")
	}
	next := launchOn(t, killed.socket, bin, "")
	next.mustInfer(t)
	next.terminate(t, patience)
}
