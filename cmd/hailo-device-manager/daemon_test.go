package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/internal/stack"
	"hailo-depth/tensor"
)

// patience is for what should take moments, on a machine that is busy.
const patience = 60 * time.Second

// running is a manager that runs.
type running struct {
	*stack.Process
	socket string
	web    string // its HTTP address, as a URL
	api    string // where its HTTP interface listens
	config string // its file
	model  device.Model
	client *device.Client
}

// network is a simulated model: a picture of 4 by 4 pixels to its luma.
const network = `{"fake_hef": 1, "inputs": [{"name": "in", "shape": [4, 4, 3]}], "outputs": [{"name": "out", "shape": [4, 4, 1]}]}` + "\n"

// start runs the manager on a simulated device that is then open. lines are
// further ones of its configuration.
func start(t *testing.T, lines string, env ...string) *running {
	t.Helper()
	d := launch(t, bin, lines, env...)
	d.await(t, "device opened")
	return d
}

// launch runs the manager of a folder with its workers until it listens.
func launch(t *testing.T, from, lines string, env ...string) *running {
	t.Helper()
	return launchOn(t, filepath.Join(shortDir(t), "device.sock"), from, lines, env...)
}

func launchOn(t *testing.T, socket, from, lines string, env ...string) *running {
	t.Helper()
	return launchBackend(t, "sim", socket, from, lines, env...)
}

func launchBackend(t *testing.T, backend, socket, from, lines string, env ...string) *running {
	t.Helper()
	dir := t.TempDir()
	config := write(t, dir, "config.yaml", "log: {format: json}\n"+lines)
	env = append(env, "GORACE=atexit_sleep_ms=0") // the race detector's own wait at the end
	p, err := stack.Run(filepath.Join(from, "hailo-device-manager"), dir, env,
		"--backend", backend, "--socket", socket, "--http", "127.0.0.1:0",
		"--config", config)
	if err != nil {
		t.Fatal(err)
	}
	client := &device.Client{Path: socket}
	d := &running{Process: p, socket: socket, client: client, config: config,
		model: device.Model{Type: "depth", Path: write(t, dir, "model.hef", network)}}
	t.Cleanup(func() {
		_ = p.Signal(syscall.SIGKILL) // an error means that it has ended
		<-p.Ended()
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	line := d.await(t, "listening")
	d.web, d.api = "http://"+line["http"].(string), line["api"].(string)
	return d
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// await waits for the next such log line.
func (d *running) await(t *testing.T, message string) map[string]any {
	t.Helper()
	line, err := d.Await(within(t), message)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// terminate sends SIGTERM and expects a clean end within limit.
func (d *running) terminate(t *testing.T, limit time.Duration) {
	t.Helper()
	if err := d.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	d.ends(t, limit)
}

func (d *running) ends(t *testing.T, limit time.Duration) {
	t.Helper()
	select {
	case <-d.Ended():
	case <-time.After(limit):
		t.Fatalf("it did not end within %v", limit)
	}
	if d.ExitCode() != 0 || d.LastWords() != "stopped" {
		t.Errorf("exit code %d; last words %q", d.ExitCode(), d.LastWords())
	}
	if _, err := os.Lstat(d.socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// infer runs the model on a picture of one grey; the answer must be its own.
func (d *running) infer(ctx context.Context, grey byte) error {
	r, err := d.client.Infer(ctx, d.model, device.Input{Input: picture(grey)})
	if err != nil {
		return err
	}
	values, err := r.Tensor.Float32s()
	if err != nil {
		return err
	}
	for _, v := range values {
		if want := float64(grey) / 255 * 10; math.Abs(float64(v)-want) > 1e-4 {
			return fmt.Errorf("the answer belongs to another picture: %v, want %v", v, want)
		}
	}
	return nil
}

// picture is of one grey.
func picture(grey byte) *tensor.Tensor {
	return &tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{4, 4, 3}, Data: bytes.Repeat([]byte{grey}, 48)}
}

func (d *running) mustInfer(t *testing.T) {
	t.Helper()
	if err := d.infer(within(t), 100); err != nil {
		t.Fatal(err)
	}
}

// inBackground is infer, whose outcome arrives on the channel.
func (d *running) inBackground(t *testing.T) <-chan error {
	t.Helper()
	outcome, ctx := make(chan error, 1), within(t)
	go func() { outcome <- d.infer(ctx, 200) }()
	return outcome
}

// queues waits until n requests wait for the device.
func (d *running) queues(t *testing.T, n int) {
	t.Helper()
	for ctx := within(t); ; {
		s, err := d.client.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if s.QueueDepth == n {
			return
		}
	}
}

// shortDir holds sockets, whose paths must be short; folders of tests are not.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hailo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
