package manager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hailo-depth/device"
	"hailo-depth/tensor"
)

// rig is a manager on a fake device, within a synctest bubble.
type rig struct {
	*Manager
	device   *fakeDevice
	registry *prometheus.Registry
	dir      string
	log      *logLines
	stop     context.CancelFunc
	stopped  chan struct{}
}

// inBubble runs test with a manager on a device of capacity bytes. Models are
// files in a folder: a9 is one of 9 bytes. change may adapt the limits.
func inBubble(t *testing.T, capacity int64, change func(*Limits), test func(t *testing.T, r *rig)) {
	t.Helper()
	inBubbleWith(t, capacity, func(_ *rig, o *Options) {
		if change != nil {
			change(&o.Limits)
		}
	}, test)
}

// inBubbleWith is inBubble for tests that adapt more than the limits.
func inBubbleWith(t *testing.T, capacity int64, change func(*rig, *Options), test func(t *testing.T, r *rig)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{device: &fakeDevice{t: t, capacity: capacity}, registry: prometheus.NewRegistry(), dir: dir, log: &logLines{}, stopped: make(chan struct{})}
		o := Options{Limits: DefaultLimits(), Start: r.device.start, Log: slog.New(slog.NewJSONHandler(r.log, nil)), Registry: r.registry}
		change(r, &o)
		var err error
		r.Manager, err = New(o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		r.stop = cancel
		go func() {
			defer close(r.stopped)
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		test(t, r)
		cancel()
		<-r.stopped
		if w := r.device.living(); w != nil {
			t.Error("a worker lives after Run has returned")
		}
	})
}

// logLines is what was logged.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(line))
	return len(line), nil
}

// requests returns the lines on requests.
func (l *logLines) requests(t *testing.T) (found []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if fields["msg"] == "request" {
			found = append(found, fields)
		}
	}
	return found
}

// model names a file of so many bytes as the number at its name's end says.
func (r *rig) model(name string) device.Model {
	var size int
	if _, err := fmt.Sscanf(strings.TrimLeft(name, "abcdefgh"), "%d", &size); err != nil {
		panic(err)
	}
	path := filepath.Join(r.dir, name)
	if _, err := os.Stat(path); err != nil {
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			panic(err)
		}
	}
	return device.Model{Type: "depth", Path: path}
}

// touch gives a model's file another size.
func (r *rig) touch(t *testing.T, name string, size int) {
	t.Helper()
	if err := os.WriteFile(r.model(name).Path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
}

// picture is an input whose answer is v.
func picture(v byte) device.Input {
	data := make([]byte, 12)
	data[0] = v
	return device.Input{Input: &tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{2, 2, 3}, Data: data}}
}

// load loads models one a second; it fails the test when one does not load.
func (r *rig) load(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		time.Sleep(time.Second)
		if _, err := r.Load(t.Context(), r.model(name)); err != nil {
			t.Fatalf("loading %s: %v", name, err)
		}
	}
}

// infer checks the answer, too.
func (r *rig) infer(ctx context.Context, name string) error {
	v := byte(len(name)) + name[0]
	result, err := r.Infer(ctx, r.model(name), picture(v))
	if err != nil {
		return err
	}
	values, err := result.Tensor.Float32s()
	if err != nil || !slices.Equal(values, []float32{float32(v)}) {
		return fmt.Errorf("%s answered %v (%v), want %d", name, values, err, v)
	}
	return nil
}

func (r *rig) status(t *testing.T) device.Status {
	t.Helper()
	began := time.Now()
	s, err := r.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d != 0 {
		t.Errorf("status took %v", d)
	}
	return s
}

func (r *rig) expectModels(t *testing.T, want ...string) {
	t.Helper()
	if got := names(r.status(t).Models); !slices.Equal(got, want) {
		t.Errorf("loaded models %v, want %v", got, want)
	}
}

func names(models []device.LoadedModel) (names []string) {
	for _, m := range models {
		names = append(names, filepath.Base(m.Path))
	}
	return names
}

func (r *rig) expectEvents(t *testing.T, want ...string) {
	t.Helper()
	if got := r.device.events(); !slices.Equal(got, want) {
		t.Errorf("the device saw %q, want %q", got, want)
	}
}

func expectKind(t *testing.T, err error, want device.Kind, part string) {
	t.Helper()
	var e *device.Error
	if !errors.As(err, &e) || e.Kind != want || !strings.Contains(e.Message, part) {
		t.Errorf("got %v (kind %s), want kind %s with %q", err, errorKind(err), want, part)
	}
}

// onNth gives err to the n-th operation of a kind (from 1), nil to the rest.
func onNth(operation string, n int, err error) func(string) error {
	seen := 0
	return func(op string) error {
		if op != operation {
			return nil
		}
		if seen++; seen != n {
			return nil
		}
		return err
	}
}

// metric sums the samples of a counter or gauge whose labels have these values.
func (r *rig) metric(t *testing.T, name string, labels ...string) (sum float64) {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			matches := 0
			for _, l := range m.GetLabel() {
				if slices.Contains(labels, l.GetName()+"="+l.GetValue()) {
					matches++
				}
			}
			if matches == len(labels) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}
