package socketapi_test

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/socketapi"
	"hailo-depth/tensor"
)

// fakeManager answers inferences as a test says, and everything else at once.
type fakeManager struct {
	infer func(ctx context.Context, m device.Model) (device.Result, error)
	check error
}

func (f fakeManager) Check(device.Model) error { return f.check }

func (f fakeManager) Load(context.Context, device.Model) (device.Loaded, error) {
	return device.Loaded{DetectionInputShape: tensor.Shape{1, 2, 3}}, nil
}

func (f fakeManager) Infer(ctx context.Context, m device.Model, _ device.Input) (device.Result, error) {
	return f.infer(ctx, m)
}

func (f fakeManager) Unload(context.Context, device.Model) (bool, error) { return true, nil }

func (f fakeManager) Status(context.Context) (device.Status, error) {
	return device.Status{DeviceID: "fake0"}, nil
}

// failing is a manager whose inferences end with err.
func failing(err error) fakeManager {
	return fakeManager{infer: func(context.Context, device.Model) (device.Result, error) { return device.Result{}, err }}
}

// answering is a manager whose inferences have this result.
func answering(r device.Result) fakeManager {
	return fakeManager{infer: func(context.Context, device.Model) (device.Result, error) { return r, nil }}
}

// newServer has generous limits and no log.
func newServer(m socketapi.Manager) *socketapi.Server {
	return &socketapi.Server{Manager: m, MaxMessage: 1 << 20, MaxConnections: 16, Log: slog.New(slog.DiscardHandler)}
}

// socketPath is short: the temporary folders of tests can exceed what a socket
// address holds.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hailo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// serve runs s on a socket until the test ends and returns its path.
func serve(t testing.TB, s *socketapi.Server) string {
	t.Helper()
	path := socketPath(t)
	l, err := socketapi.Listen(socketapi.Socket{Path: path, Mode: 0o600})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return path
}

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

// dial connects; the connection is closed when the test ends.
func dial(t testing.TB, path string) *net.UnixConn {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // the test may have
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.UnixConn)
}

func frame(text string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(text)))) + text
}

// send writes requests, all at once.
func send(t testing.TB, c net.Conn, requests ...string) {
	t.Helper()
	var all strings.Builder
	for _, r := range requests {
		all.WriteString(frame(r))
	}
	if _, err := c.Write([]byte(all.String())); err != nil {
		t.Fatal(err)
	}
}

func receive(t testing.TB, c net.Conn) string {
	t.Helper()
	body, err := device.ReadFrame(c, device.DefaultMaxMessage)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return string(body)
}

// ask sends a request and returns its answer.
func ask(t testing.TB, c net.Conn, request string) string {
	t.Helper()
	send(t, c, request)
	return receive(t, c)
}

// expectEnd wants the server to hang up without another answer.
func expectEnd(t testing.TB, c net.Conn) {
	t.Helper()
	body, err := device.ReadFrame(c, device.DefaultMaxMessage)
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the server did not hang up: %q, %v", body, err)
	}
}

const (
	ping    = `{"action": "ping"}`
	anInfer = `{"action": "infer", "model_type": "depth", "model_path": "/m", "input_data": {}}`
)
