package device

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

const (
	okLoad   = `{"status": "ok", "message": "Model loaded"}`
	okUnload = `{"status": "ok", "message": "Model unloaded"}`
)

// fakeManager listens on a socket and does on each connection what a test says.
type fakeManager struct {
	t        *testing.T
	path     string
	listener net.Listener
	done     sync.WaitGroup

	mu      sync.Mutex
	conns   []net.Conn
	stopped bool
}

// socketPath is short: the temporary folders of tests can exceed what a socket
// address holds.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hailo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// listen serves each connection with serve, which is given its number from 0,
// until stop is called or the test ends.
func listen(t *testing.T, path string, serve func(number int, c net.Conn)) *fakeManager {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	m := &fakeManager{t: t, path: path, listener: l}
	m.done.Go(func() {
		for number := 0; ; number++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.conns = append(m.conns, c)
			if m.stopped { // it was accepted just before the listener closed
				_ = c.Close()
			}
			m.mu.Unlock()
			m.done.Go(func() {
				defer c.Close()
				serve(number, c)
			})
		}
	})
	t.Cleanup(m.stop)
	return m
}

// stop hangs up on everybody, as the end of a process does.
func (m *fakeManager) stop() {
	if err := m.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		m.t.Error(err)
	}
	m.mu.Lock()
	m.stopped = true
	for _, c := range m.conns {
		_ = c.Close() // it may be closed already
	}
	m.mu.Unlock()
	m.done.Wait()
}

// connections counts those that were ever accepted.
func (m *fakeManager) connections() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.conns)
}

// answerWith answers every request with the same text.
func answerWith(text string) func(int, net.Conn) {
	return func(_ int, c net.Conn) {
		for request(c) != nil {
			if _, err := c.Write(frame([]byte(text))); err != nil {
				return
			}
		}
	}
}

// request reads one; nil when the client has left.
func request(c net.Conn) map[string]any {
	body, err := ReadFrame(c, DefaultMaxMessage)
	if err != nil {
		return nil
	}
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		return map[string]any{"broken": string(body)}
	}
	return fields
}

// client closes its connections when the test ends.
func client(t *testing.T, path string) *Client {
	t.Helper()
	c := &Client{Path: path}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func theModel() Model { return Model{Type: "depth", Path: "/m.hef"} }

func mustLoad(t *testing.T, c *Client) {
	t.Helper()
	if _, err := c.Load(t.Context(), theModel()); err != nil {
		t.Error(err)
	}
}

func expectError(t *testing.T, err error, want Kind) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != want {
		t.Errorf("got %v (%s), want %s", err, KindOf(err), want)
		return &Error{}
	}
	return e
}

// expiry is a context whose deadline passes when a test says.
type expiry struct {
	context.Context
	passed chan struct{}
}

func (e expiry) Done() <-chan struct{} { return e.passed }

func (e expiry) Err() error {
	select {
	case <-e.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
