//go:build hailort

package hailort

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// These tests run against the double of the library in double/. What it shall
// do and what it saw goes through two files.
var scriptFile, statisticsFile string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "hailort")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
		scriptFile, statisticsFile = filepath.Join(dir, "script"), filepath.Join(dir, "statistics")
		if err := errors.Join(os.Setenv("HAILORT_DOUBLE_SCRIPT", scriptFile), os.Setenv("HAILORT_DOUBLE_STATISTICS", statisticsFile)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// The tests of this package run one after another.
var (
	runs  int
	alive map[string]int // objects that were so when the test began: some are left on purpose
)

var classes = []string{"Device", "VDevice", "InferModel", "ConfiguredInferModel", "GenAI session", "LLMGeneratorCompletion"}

// script tells the double what to do in this test; calls count from here.
func script(t *testing.T, lines ...string) {
	t.Helper()
	runs++
	alive = map[string]int{}
	for _, class := range classes {
		alive[class] = counted(t, "alive."+class)
	}
	change(t, append(lines, fmt.Sprintf("set run %d", runs))...)
}

// change tells the double something else; calls go on counting.
func change(t *testing.T, lines ...string) {
	t.Helper()
	lines = append([]string{"set control_timeout_ms 100", "set group_wait_ms 50"}, lines...)
	if !strings.HasPrefix(lines[len(lines)-1], "set run ") {
		lines = append(lines, fmt.Sprintf("set run %d", runs))
	}
	err := os.WriteFile(scriptFile+".next", []byte(strings.Join(lines, "\n")+"\n"), 0o644)
	if err := errors.Join(err, os.Rename(scriptFile+".next", scriptFile)); err != nil {
		t.Fatal(err)
	}
}

// counted is a number of the double's statistics.
func counted(t *testing.T, name string) int {
	t.Helper()
	text, err := os.ReadFile(statisticsFile)
	if err != nil && runs > 1 {
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

// eventually waits for something that another thread does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); !is(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it did not come to pass that %s", what)
		}
	}
}

// hef writes a model file of the double.
func hef(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.hef")
	text := "hailort-double-hef 1\n" + strings.Join(lines, "\n") + "\nend\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// depth is the network that most tests use: 2 by 3 pixels, quantised outputs.
const (
	depthInput  = "input net/in 2 3 3 NHWC uint8"
	depthOutput = "output net/out 2 3 1 NHWC uint16 5 0.25"
)

func depth(t *testing.T, lines ...string) string {
	t.Helper()
	return hef(t, append([]string{depthInput, depthOutput}, lines...)...)
}

// open opens the device and closes it with the test, which must leave nothing
// alive and nothing misused.
func open(t *testing.T, config Config) *Backend {
	t.Helper()
	b := mustOpen(t, config)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		nothingLeft(t)
	})
	return b
}

func mustOpen(t *testing.T, config Config) *Backend {
	t.Helper()
	config.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	if config.Poll == 0 {
		config.Poll = time.Hour // once, at the start
	}
	b, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	b.patience = patience{unload: 10 * time.Second, close: 10 * time.Second, abort: 10 * time.Second, release: 10 * time.Second}
	return b
}

func nothingLeft(t *testing.T) {
	t.Helper()
	for _, class := range classes {
		if n := counted(t, "alive."+class) - alive[class]; n != 0 {
			t.Errorf("%d objects %s are alive", n, class)
		}
	}
	wellUsed(t)
}

func wellUsed(t *testing.T) {
	t.Helper()
	for _, misuse := range []string{"violations", "refused_jobs", "jobs_waited_for_by_destructor"} {
		if n := counted(t, misuse); n != 0 {
			t.Errorf("%s: %d", misuse, n)
		}
	}
	if n := counted(t, "most_genai_calls"); n > 1 {
		t.Errorf("%d calls to generators at a time", n)
	}
}

// running is a loaded network with memory bound to it, as the worker does it.
type running struct {
	*network
	in, out [][]byte
}

func load(t *testing.T, b *Backend, spec worker.LoadSpec) *running {
	t.Helper()
	n, err := b.Load(spec)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{network: n.(*network)}
	for _, info := range n.Signature().Inputs {
		r.in = append(r.in, make([]byte, size(t, info)))
	}
	for _, info := range n.Signature().Outputs {
		r.out = append(r.out, make([]byte, size(t, info)))
	}
	if err := r.Bind(r.in, r.out); err != nil {
		t.Fatal(err)
	}
	return r
}

func size(t *testing.T, info worker.TensorInfo) int {
	t.Helper()
	n, err := info.Shape.Elements()
	if err != nil {
		t.Fatal(err)
	}
	return n * info.DType.Size()
}

// infer runs the network on bytes that are all the same.
func (r *running) infer(t *testing.T, value byte, timeout time.Duration) error {
	t.Helper()
	for _, in := range r.in {
		for i := range in {
			in[i] = value
		}
	}
	_, err := r.Infer(timeout)
	return err
}

// mustInfer checks the answer of the network depth.
func (r *running) mustInfer(t *testing.T, value byte) {
	t.Helper()
	if err := r.infer(t, value, time.Minute); err != nil {
		t.Fatal(err)
	}
	for i, got := range r.floats(0) {
		if want := (float32(18*int(value)+i) - 5) * 0.25; got != want {
			t.Fatalf("output %d is %v, want %v", i, got, want)
		}
	}
}

func (r *running) floats(output int) []float32 {
	values := make([]float32, len(r.out[output])/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(r.out[output][4*i:]))
	}
	return values
}

func (r *running) unload(t *testing.T) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Errorf("unloading: %v", err)
	}
}

// wantError checks kind and status of an error.
func wantError(t *testing.T, err error, kind worker.Kind, status int) {
	t.Helper()
	e, ok := errors.AsType[*worker.Error](err)
	if !ok || e.Kind != kind || e.Status != status || e.Message == "" {
		t.Errorf("got %v (%s, status %d), want %s, status %d", err, worker.KindOf(err), statusOf(err), kind, status)
	}
}

func statusOf(err error) int {
	if e, ok := errors.AsType[*worker.Error](err); ok {
		return e.Status
	}
	return 0
}

func floats(values ...float32) tensor.Tensor {
	t := tensor.Tensor{DType: tensor.Float32, Shape: tensor.Shape{len(values)}, Data: make([]byte, 4*len(values))}
	for i, v := range values {
		binary.LittleEndian.PutUint32(t.Data[4*i:], math.Float32bits(v))
	}
	return t
}
