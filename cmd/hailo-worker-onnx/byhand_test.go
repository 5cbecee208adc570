package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hailo-depth/onnx/library"
)

// result is how the program ended.
type result struct {
	code   int
	stderr string
}

func use(t *testing.T, env []string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), env...)
	err := cmd.Run()
	if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stderr.String()}
}

func TestByHand(t *testing.T) {
	env := environment(t)
	absent := filepath.Join(t.TempDir(), "libonnxruntime.so.1")
	text := filepath.Join(t.TempDir(), "text.so")
	if err := os.WriteFile(text, []byte("no library"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		env  []string
		args []string
		code int
		want string
	}{
		{"without a manager", env, nil, 1, "a worker is started by hailo-device-manager"},
		{"with a channel that is none", append(env, "HAILO_WORKER_CHANNEL=0"), nil, 1, "a worker is started by hailo-device-manager"},
		{"with a closed channel", append(env, "HAILO_WORKER_CHANNEL=77"), nil, 1, "a worker is started by hailo-device-manager"},
		{"library missing", append(env, library.Env+"="+absent), nil, 1, absent},
		{"library broken", append(env, library.Env+"="+text), nil, 1, "version 1.27 is needed"},
		{"help", env, []string{"--help"}, 0, "-memory-mb"},
		{"argument", env, []string{"model.onnx"}, 1, `unexpected argument "model.onnx"`},
		{"flag", env, []string{"--fast"}, 1, "not defined: -fast"},
		{"threads", env, []string{"--threads", "-1"}, 1, "--threads -1: expected 0 to 1024"},
		{"memory", env, []string{"--memory-mb", "99999999"}, 1, "--memory-mb 99999999: expected"},
	} {
		if r := use(t, c.env, c.args...); r.code != c.code || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: exit %d, %q; want %q", c.name, r.code, r.stderr, c.want)
		}
	}
}

// Without a library the manager's log says what to run.
func TestNoLibrary(t *testing.T) {
	nothing := t.TempDir()
	_, err := library.Find(func(string) string { return "" }, filepath.Join(nothing, "hailo-worker-onnx"), []string{nothing})
	if err == nil || !strings.Contains(err.Error(), "run `make onnxruntime`") || !strings.Contains(err.Error(), library.Env) {
		t.Errorf("got %v", err)
	}
}
