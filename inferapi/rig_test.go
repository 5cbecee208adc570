package inferapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hailo-depth/device"
	"hailo-depth/inferapi"
	"hailo-depth/manager"
	"hailo-depth/sim/simtest"
	"hailo-depth/socketapi"
	"hailo-depth/statusapi"
	"hailo-depth/worker"
)

func TestMain(m *testing.M) { simtest.Main(m) }

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

const maxMessage = 4 << 20

// newAPI has generous limits and no log.
func newAPI(m inferapi.Manager, models ...inferapi.Named) *inferapi.API {
	log := slog.New(slog.DiscardHandler)
	return &inferapi.API{
		Manager: m, Models: func() []inferapi.Named { return models }, Version: "test", MaxMessage: maxMessage,
		Bodies: inferapi.NewBodies(4 * maxMessage), Status: statusapi.Handler(m, prometheus.NewRegistry(), log), Log: log,
	}
}

// serve runs the API for trusted clients of a socket until the test ends.
func serve(t testing.TB, api *inferapi.API) (path string) {
	t.Helper()
	return serveWith(t, &inferapi.Server{API: api, Access: inferapi.Access{Trusted: true}, MaxConnections: 64, StopTimeout: 10 * time.Second})
}

func serveWith(t testing.TB, server *inferapi.Server) (path string) {
	t.Helper()
	path = socketPath(t)
	l, err := socketapi.Listen(socketapi.Socket{Path: path, Mode: 0o600})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return path
}

// client closes its connections when the test ends.
func client(t testing.TB, path string) *device.HTTPClient {
	t.Helper()
	c := &device.HTTPClient{Path: path}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// web is an ordinary HTTP client of a socket.
func web(t testing.TB, path string) *http.Client {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// startManager is the real manager with a simulated device that is open.
func startManager(t testing.TB, command worker.Command) *manager.Manager {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	limits := manager.DefaultLimits()
	limits.DrainTimeout = 2 * time.Second
	m, err := manager.New(manager.Options{Limits: limits, Start: manager.StartProcess(command, log), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for deadline := time.Now().Add(patience); m.Ready() != ""; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(errors.New(m.Ready()))
		}
	}
	return m
}

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second
