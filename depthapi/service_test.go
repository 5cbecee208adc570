package depthapi_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hailo-depth/catalog"
	"hailo-depth/depth"
	"hailo-depth/depthapi"
	"hailo-depth/device"
	"hailo-depth/fetch"
	"hailo-depth/manager"
	"hailo-depth/sim/simtest"
	"hailo-depth/worker"
)

func TestMain(m *testing.M) { simtest.Main(m) }

const contract = "../testdata/contract"

// settings are the defaults of the service.
func settings() depthapi.Settings {
	return depthapi.Settings{
		Format: "both", Colormap: "viridis", Normalize: true, IncludeStats: true, AllowURL: true,
		MaxBytes: 50 << 20, Timeout: 20 * time.Second, ReadTime: 20 * time.Second,
	}
}

func limits() depth.Limits {
	return depth.Limits{Pictures: 4, Queue: 8, MaxPixels: 64e6, WorkPixels: 96e6}
}

// service is the HTTP API on a port, over a device.Service.
type service struct {
	url       string
	estimator *depth.Estimator
}

func start(t testing.TB, d device.Service, s depthapi.Settings, l depth.Limits, rules fetch.Rules) service {
	t.Helper()
	models := t.TempDir()
	if err := os.WriteFile(filepath.Join(models, "scdepthv3.hef"), make([]byte, 65536), 0o644); err != nil {
		t.Fatal(err)
	}
	return startModel(t, d, models, "", s, l, rules)
}

// startModel starts the service with a model of a folder; "" is the default one.
func startModel(t testing.TB, d device.Service, models, model string, s depthapi.Settings, l depth.Limits, rules fetch.Rules) service {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	e := depth.New(depth.Options{Device: d, Catalog: catalog.Catalog{Dir: models}, Model: model, KeepAlive: -1, Limits: l, Log: log})
	metrics, err := depthapi.NewMetrics(prometheus.NewRegistry(), e, log)
	if err != nil {
		t.Fatal(err)
	}
	api := &depthapi.API{
		Estimator: e, Settings: s, Fetcher: fetch.New(rules, s.MaxBytes, 5*time.Second),
		Version: "test", Metrics: metrics, Log: log, Started: time.Now(),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := depthapi.NewServer(api.Handler(), log)
	ctx, cancel := context.WithCancel(context.Background())
	watched := make(chan struct{})
	go func() {
		e.Run(ctx)
		close(watched)
	}()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		cancel()
		<-watched
		_ = server.Close()
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return service{url: "http://" + listener.Addr().String(), estimator: e}
}

// startReady starts the service over a manager with a simulated device.
func startReady(t testing.TB, s depthapi.Settings, rules fetch.Rules, simulated ...string) service {
	t.Helper()
	svc := start(t, startManager(t, simtest.Command(simulated...)), s, limits(), rules)
	svc.awaitReady(t)
	return svc
}

// startReadyModel is startReady with a model of a folder.
func startReadyModel(t testing.TB, models, model string) service {
	t.Helper()
	svc := startModel(t, startManager(t, simtest.Command()), models, model, settings(), limits(), fetch.Rules{})
	svc.awaitReady(t)
	return svc
}

func (s service) awaitReady(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.estimator.AwaitReady(ctx); err != nil {
		t.Fatal(err)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func startManager(t testing.TB, command worker.Command) *manager.Manager {
	t.Helper()
	return startLogging(t, command, t.Output())
}

// startLogging starts a manager that logs to w, as its worker does through it.
func startLogging(t testing.TB, command worker.Command, w io.Writer) *manager.Manager {
	t.Helper()
	log := slog.New(slog.NewTextHandler(w, nil))
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
	return m
}
