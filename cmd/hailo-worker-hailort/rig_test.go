//go:build hailort

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/internal/stack"
	"hailo-depth/tensor"
)

// asProgram makes the test binary the worker itself, linked to the double of
// the library as this test is.
const asProgram = "HAILO_WORKER_HAILORT_TEST"

// bin has the real manager, and this binary as its worker.
var bin string

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	code := 1
	err := stack.WithPrograms([]string{"hailo-device-manager"}, func(dir string) error {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		if err := os.Symlink(self, filepath.Join(dir, "hailo-worker-hailort")); err != nil {
			return err
		}
		bin = dir
		code = m.Run()
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// patience is for what should take moments, on a machine that is busy.
const patience = 60 * time.Second

// running is a manager that runs on the double.
type running struct {
	*stack.Process
	dir    string
	client *device.Client
	web    string
	runs   int
}

// launch runs the manager until it listens. lines are of its configuration;
// script is what the double shall do.
func launch(t *testing.T, lines string, script ...string) *running {
	t.Helper()
	sockets, err := os.MkdirTemp("", "hailo") // short, as sockets' paths must be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(sockets) })
	d := &running{dir: t.TempDir()}
	d.script(t, script...)
	config := filepath.Join(d.dir, "config.yaml")
	if err := os.WriteFile(config, []byte("log: {format: json}\n"+lines), 0o644); err != nil {
		t.Fatal(err)
	}
	env := []string{asProgram + "=1", "GORACE=atexit_sleep_ms=0",
		"HAILORT_DOUBLE_SCRIPT=" + d.file("script"), "HAILORT_DOUBLE_STATISTICS=" + d.file("statistics")}
	socket := filepath.Join(sockets, "device.sock")
	d.Process, err = stack.Run(filepath.Join(bin, "hailo-device-manager"), d.dir, env,
		"--backend", "hailort", "--socket", socket, "--http", "127.0.0.1:0", "--config", config)
	if err != nil {
		t.Fatal(err)
	}
	d.client = &device.Client{Path: socket}
	t.Cleanup(func() {
		_ = d.Signal(syscall.SIGKILL) // an error means that it has ended
		<-d.Ended()
		if err := d.client.Close(); err != nil {
			t.Error(err)
		}
	})
	d.web = "http://" + d.await(t, "listening")["http"].(string)
	return d
}

// start is launch with a device that is then open.
func start(t *testing.T, lines string, script ...string) *running {
	t.Helper()
	d := launch(t, lines, script...)
	d.await(t, "device opened")
	return d
}

func (d *running) file(name string) string { return filepath.Join(d.dir, name) }

// script changes what the double does; calls count from here.
func (d *running) script(t *testing.T, lines ...string) {
	t.Helper()
	d.runs++
	lines = append([]string{"set control_timeout_ms 200", "set group_wait_ms 50", fmt.Sprintf("set run %d", d.runs)}, lines...)
	err := os.WriteFile(d.file("script.next"), []byte(strings.Join(lines, "\n")+"\n"), 0o644)
	if err := errors.Join(err, os.Rename(d.file("script.next"), d.file("script"))); err != nil {
		t.Fatal(err)
	}
}

// counted is a number of the double's statistics, of the present worker.
func (d *running) counted(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(d.file("statistics"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func (d *running) await(t *testing.T, message string) map[string]any {
	t.Helper()
	line, err := d.Await(within(t), message)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// eventually asks again until it is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !is(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it did not come to pass that %s", what)
		}
	}
}

// terminate expects a clean end, and that the library was used as it must be.
func (d *running) terminate(t *testing.T) {
	t.Helper()
	if err := d.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.Ended():
	case <-time.After(patience):
		t.Fatal("it did not end")
	}
	if d.ExitCode() != 0 || d.LastWords() != "stopped" {
		t.Errorf("exit code %d; last words %q", d.ExitCode(), d.LastWords())
	}
	for _, misuse := range []string{"violations", "refused_jobs", "jobs_waited_for_by_destructor"} {
		if n := d.counted(t, misuse); n != 0 {
			t.Errorf("%s: %d", misuse, n)
		}
	}
	if n := d.counted(t, "most_genai_calls"); n > 1 {
		t.Errorf("%d calls to generators at a time", n)
	}
}

// leavesNothing is terminate for a device that must be closed in good order.
func (d *running) leavesNothing(t *testing.T) {
	t.Helper()
	d.terminate(t)
	for _, class := range []string{"Device", "VDevice", "InferModel", "ConfiguredInferModel", "GenAI session", "LLMGeneratorCompletion"} {
		if n := d.counted(t, "alive."+class); n != 0 {
			t.Errorf("%d objects %s are alive", n, class)
		}
	}
}

func (d *running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), http.MethodGet, d.web+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// model writes a model file of the double.
func model(t *testing.T, kind string, lines ...string) device.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), kind+".hef")
	text := "hailort-double-hef 1\n" + strings.Join(lines, "\n") + "\nend\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return device.Model{Type: kind, Path: path}
}

// depth is a network from 2 by 3 pixels to as many numbers.
func depth(t *testing.T, lines ...string) device.Model {
	t.Helper()
	return model(t, "depth", append([]string{"input net/in 2 3 3 NHWC uint8", "output net/out 2 3 1 NHWC uint16 5 0.25"}, lines...)...)
}

func picture(value byte) *tensor.Tensor {
	return &tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{2, 3, 3}, Data: bytes.Repeat([]byte{value}, 18)}
}

// infer runs a depth network; the answer must be the picture's own.
func (d *running) infer(ctx context.Context, m device.Model, value byte) error {
	r, err := d.client.Infer(ctx, m, device.Input{Input: picture(value)})
	if err != nil {
		return err
	}
	values, err := r.Tensor.Float32s()
	if err != nil {
		return err
	}
	if r.Tensor.Shape.String() != "[2, 3, 1]" {
		return fmt.Errorf("the answer has the shape %v", r.Tensor.Shape)
	}
	for i, got := range values {
		if want := (float32(18*int(value)+i) - 5) * 0.25; got != want {
			return fmt.Errorf("element %d is %v, want %v: the answer belongs to another picture", i, got, want)
		}
	}
	return nil
}

func (d *running) mustInfer(t *testing.T, m device.Model, value byte) {
	t.Helper()
	if err := d.infer(within(t), m, value); err != nil {
		t.Fatal(err)
	}
}

func (d *running) status(t *testing.T) device.Status {
	t.Helper()
	s, err := d.client.Status(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantKind(t *testing.T, err error, kind device.Kind, says ...string) {
	t.Helper()
	if device.KindOf(err) != kind {
		t.Errorf("got %v (%s), want %s", err, device.KindOf(err), kind)
	}
	for _, s := range says {
		if err == nil || !strings.Contains(err.Error(), s) {
			t.Errorf("got %v, want it to say %q", err, s)
		}
	}
}
