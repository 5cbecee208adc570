package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hailo-depth/onnx/library"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// asProgram makes the test binary the program itself.
const asProgram = "HAILO_WORKER_ONNX_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	main()
}

// environment is that of a program that finds the real library.
func environment(t *testing.T) []string {
	t.Helper()
	path := absolute(t, "../../lib/onnxruntime/libonnxruntime.so.1")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v; run `make onnxruntime`", err)
	}
	return []string{asProgram + "=1", library.Env + "=" + path, "GORACE=atexit_sleep_ms=0"}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func begin(t *testing.T, args ...string) *worker.Process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := worker.Start(ctx, worker.Command{Path: os.Args[0], Args: args, Env: environment(t)}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		<-p.Done()
	})
	return p
}

// end closes the worker, which must leave in good order.
func end(t *testing.T, p *worker.Process) {
	t.Helper()
	p.Close(t.Context())
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "exit status 0") {
		t.Errorf("it ended with %v", err)
	}
}

// A whole life: identify, load, statistics, infer, unload, close.
func TestLife(t *testing.T) {
	p := begin(t)
	if i := p.Identity(); i.Protocol != worker.Version || i.Backend != "onnx" || i.DeviceID != "cpu" || !strings.HasPrefix(i.Firmware, "ONNX Runtime 1.27") {
		t.Errorf("it is %+v", i)
	}
	n, err := p.Load(t.Context(), worker.LoadSpec{Path: absolute(t, "../../models/pocketdepth.onnx")})
	if err != nil {
		t.Fatal(err)
	}
	s := n.Signature()
	if len(s.Inputs) != 1 || s.Inputs[0].DType != tensor.Uint8 || s.Inputs[0].Shape.String() != "[1, 256, 320, 3]" || len(s.Outputs) != 1 || s.MemoryBytes <= 0 {
		t.Fatalf("the network is %+v", s)
	}
	if got := used(t, p); got != s.MemoryBytes {
		t.Errorf("%d bytes are in use; the network says %d", got, s.MemoryBytes)
	}
	for range 2 { // the second time into the same memory
		outputs, inside, err := n.Infer(t.Context(), time.Minute, []tensor.Tensor{recorded()})
		if err != nil || len(outputs) != 1 || inside <= 0 {
			t.Fatalf("%d outputs after %v, %v", len(outputs), inside, err)
		}
		compare(t, outputs[0].Tensor)
	}
	if err := n.Unload(t.Context()); err != nil {
		t.Error(err)
	}
	if got := used(t, p); got != 0 {
		t.Errorf("%d bytes are in use after the end", got)
	}
	end(t, p)
}

func used(t *testing.T, p *worker.Process) int64 {
	t.Helper()
	s, err := p.Statistics(t.Context())
	if err != nil || s.MemoryTotalBytes <= 0 || (s.TemperatureCelsius == nil) == (s.TemperatureError == "") {
		t.Errorf("%+v, %v", s, err)
	}
	return s.MemoryUsedBytes
}

// recorded is the input of the network's reference.
func recorded() tensor.Tensor {
	in := tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{1, 256, 320, 3}, Data: make([]byte, 256*320*3)}
	for i := range in.Data {
		in.Data[i] = byte((i*7 + i/320*13) % 251)
	}
	return in
}

// compare holds a map against the reference that the training wrote.
func compare(t *testing.T, got tensor.Tensor) {
	t.Helper()
	var reference struct {
		Tolerance float64
		Samples   []struct {
			Row, Col int
			Value    float64
		}
	}
	text, err := os.ReadFile("../../models/pocketdepth_reference.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &reference); err != nil || len(reference.Samples) == 0 {
		t.Fatalf("no reference: %v", err)
	}
	values, err := got.Float32s()
	if err != nil || len(values) != 256*320 {
		t.Fatalf("%s, %v", got.Describe(), err)
	}
	for _, s := range reference.Samples {
		if v := float64(values[320*s.Row+s.Col]); math.Abs(v-s.Value) > reference.Tolerance {
			t.Errorf("row %d, column %d is %v, want %v", s.Row, s.Col, v, s.Value)
		}
	}
}

// A load that fails costs nothing but itself.
func TestFailedLoads(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("no network"), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	p := begin(t, "--memory-mb", "1")
	for _, c := range []struct {
		path string
		kind worker.Kind
	}{
		{filepath.Join(dir, "absent.onnx"), worker.KindModel},
		{dir, worker.KindModel},
		{write("broken.onnx"), worker.KindModel},
		{write("other.hef"), worker.KindUnsupported},
		{absolute(t, "../../models/pocketdepth.onnx"), worker.KindMemoryFull},
	} {
		if _, err := p.Load(t.Context(), worker.LoadSpec{Path: c.path}); err == nil || worker.KindOf(err) != c.kind {
			t.Errorf("%s: %v (%s), want %s", c.path, err, worker.KindOf(err), c.kind)
		}
	}
	if got := used(t, p); got != 0 {
		t.Errorf("%d bytes are in use for nothing", got)
	}
	end(t, p)
}
