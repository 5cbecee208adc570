package depth

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"hailo-depth/catalog"
	"hailo-depth/device"
	"hailo-depth/tensor"
)

// fakeDevice is a device.Service whose owner decides when it is away.
type fakeDevice struct {
	mu      sync.Mutex
	born    time.Time
	away    bool
	broken  string
	loaded  []device.LoadedModel
	calls   []string
	infer   func(ctx context.Context, in device.Input) (device.Result, error)
	loadErr error
}

func newFakeDevice() *fakeDevice {
	return &fakeDevice{born: time.Now(), infer: func(_ context.Context, in device.Input) (device.Result, error) {
		values := make([]float32, 256*320)
		for i := range values {
			values[i] = float32(in.Input.Data[3*i])
		}
		t, err := tensor.FromFloat32(values, 256, 320, 1)
		return device.Result{Tensor: &t}, err
	}}
}

func (f *fakeDevice) call(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, name)
	if f.away {
		return &device.Error{Kind: device.KindUnavailable, Message: "no device manager"}
	}
	return nil
}

func (f *fakeDevice) count(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c == name {
			n++
		}
	}
	return n
}

func (f *fakeDevice) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeDevice) Load(_ context.Context, m device.Model) (device.Loaded, error) {
	if err := f.call("load"); err != nil {
		return device.Loaded{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loadErr != nil {
		return device.Loaded{}, f.loadErr
	}
	f.loaded = []device.LoadedModel{{Type: m.Type, Path: m.Path}}
	return device.Loaded{}, nil
}

func (f *fakeDevice) Unload(context.Context, device.Model) (bool, error) {
	if err := f.call("unload"); err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	was := len(f.loaded) > 0
	f.loaded = nil
	return was, nil
}

func (f *fakeDevice) Infer(ctx context.Context, m device.Model, in device.Input) (device.Result, error) {
	if err := f.call("infer"); err != nil {
		return device.Result{}, err
	}
	f.mu.Lock()
	infer := f.infer
	f.loaded = []device.LoadedModel{{Type: m.Type, Path: m.Path}}
	f.mu.Unlock()
	return infer(ctx, in)
}

func (f *fakeDevice) Status(context.Context) (device.Status, error) {
	if err := f.call("status"); err != nil {
		return device.Status{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return device.Status{DeviceID: "fake", Architecture: "HAILO10H", Models: slices.Clone(f.loaded), Uptime: time.Since(f.born), RuntimeBroken: f.broken}, nil
}

// newEstimator is an Estimator for a fake device with the network of the
// recorded cases.
func newEstimator(t *testing.T, d device.Service, keepAlive time.Duration, l Limits) *Estimator {
	t.Helper()
	models := t.TempDir()
	if err := os.WriteFile(filepath.Join(models, "scdepthv3.hef"), []byte("model"), 0o644); err != nil {
		t.Fatal(err)
	}
	return New(Options{
		Device: d, Catalog: catalog.Catalog{Dir: models}, KeepAlive: keepAlive, Limits: l,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
}

func someLimits() Limits {
	return Limits{Pictures: 2, Queue: 1, MaxPixels: 1e6, WorkPixels: 2e6}
}
