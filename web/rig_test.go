package web_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"hailo-depth/catalog"
	"hailo-depth/depth"
	"hailo-depth/depthapi"
	"hailo-depth/device"
	"hailo-depth/fetch"
	"hailo-depth/manager"
	"hailo-depth/sim/simtest"
	"hailo-depth/socketapi"
	"hailo-depth/web"
)

func TestMain(m *testing.M) { simtest.Main(m) }

// rig is the whole service with a simulated device, in this process and its child.
type rig struct {
	t         *testing.T // the whole test's: its steps end before what they start
	log       *slog.Logger
	address   string
	device    *daemon
	estimates atomic.Int64 // requests for one
	handler   http.Handler
	server    *http.Server
	served    chan error
}

// startRig starts it with a model whose file has that text, which the simulated
// device reads.
func startRig(t *testing.T, model, text string) *rig {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	models := t.TempDir()
	if err := os.WriteFile(filepath.Join(models, model+".hef"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, log: log, device: newDaemon(t, log)}
	e := depth.New(depth.Options{
		Device: r.device, Catalog: catalog.Catalog{Dir: models}, Model: model, KeepAlive: -1, Log: log,
		Limits: depth.Limits{Pictures: 4, Queue: 8, MaxPixels: 64e6, WorkPixels: 96e6},
	})
	r.device.start()
	metrics, err := depthapi.NewMetrics(prometheus.NewRegistry(), e, log)
	if err != nil {
		t.Fatal(err)
	}
	page, err := web.Page()
	if err != nil {
		t.Fatal(err)
	}
	api := &depthapi.API{
		Estimator: e,
		Settings: depthapi.Settings{
			Format: "both", Colormap: "viridis", Normalize: true, MaxBytes: 50 << 20, Timeout: time.Minute, ReadTime: time.Minute,
		},
		Fetcher: fetch.New(fetch.Rules{}, 1<<20, time.Second),
		Version: "test", Page: page, Metrics: metrics, Log: log, Started: time.Now(),
	}
	handler := api.Handler()
	r.handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodPost {
			r.estimates.Add(1)
		}
		handler.ServeHTTP(w, q)
	})
	ctx, cancel := context.WithCancel(context.Background())
	watched := make(chan struct{})
	go func() {
		e.Run(ctx)
		close(watched)
	}()
	t.Cleanup(func() {
		cancel()
		<-watched
	})
	r.address = "127.0.0.1:0"
	r.serve()
	t.Cleanup(r.close)
	ready, cancelReady := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancelReady()
	if err := e.AwaitReady(ready); err != nil {
		t.Fatal(err)
	}
	return r
}

// serve listens; after close it does so again on the same port.
func (r *rig) serve() {
	l, err := net.Listen("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.address = l.Addr().String()
	server, served := depthapi.NewServer(r.handler, r.log), make(chan error, 1)
	r.server, r.served = server, served
	go func() { served <- server.Serve(l) }()
}

func (r *rig) close() {
	_ = r.server.Close()
	if err := <-r.served; err != http.ErrServerClosed {
		r.t.Error(err)
	}
	r.served <- http.ErrServerClosed // closing twice is fine
}

// daemon is a device manager behind its socket, which can be stopped and started
// again. Its client, which the service uses, can keep one inference waiting.
type daemon struct {
	device.Client
	t    *testing.T
	log  *slog.Logger
	hold atomic.Pointer[held]
	stop func()
}

// held is an inference that waits until its client is gone.
type held struct{ arrived, left chan struct{} }

func newDaemon(t *testing.T, log *slog.Logger) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "web") // t.TempDir is too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, log: log, Client: device.Client{Path: filepath.Join(dir, "device.sock")}}
	t.Cleanup(func() {
		_ = d.Close() // idle connections only
		_ = os.RemoveAll(dir)
	})
	return d
}

func (d *daemon) start() {
	limits := manager.DefaultLimits()
	limits.DrainTimeout = 2 * time.Second
	m, err := manager.New(manager.Options{Limits: limits, Start: manager.StartProcess(simtest.Command(), d.log), Log: d.log, SocketPath: d.Path})
	if err != nil {
		d.t.Fatal(err)
	}
	l, err := socketapi.Listen(socketapi.Socket{Path: d.Path, Mode: 0o600})
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group errgroup.Group
	group.Go(func() error { return m.Run(ctx) })
	group.Go(func() error {
		server := socketapi.Server{Manager: m, MaxMessage: 64 << 20, MaxConnections: 16, Log: d.log}
		return server.Serve(ctx, l)
	})
	d.stop = sync.OnceFunc(func() {
		cancel()
		if err := group.Wait(); err != nil {
			d.t.Error(err)
		}
	})
	d.t.Cleanup(d.stop)
}

// holdNext keeps the next inference waiting.
func (d *daemon) holdNext() *held {
	h := &held{arrived: make(chan struct{}), left: make(chan struct{})}
	d.hold.Store(h)
	return h
}

func (d *daemon) Infer(ctx context.Context, m device.Model, in device.Input) (device.Result, error) {
	if h := d.hold.Swap(nil); h != nil {
		close(h.arrived)
		<-ctx.Done()
		close(h.left)
		return device.Result{}, &device.Error{Kind: device.KindCanceled, Message: "the client left"}
	}
	return d.Client.Infer(ctx, m, in)
}
