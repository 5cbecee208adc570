package onnx

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// entries counts what a folder of /proc lists: descriptors or threads.
func entries(t *testing.T, dir string) int {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// Loads that succeed, fail and change their outputs, again and again, while the
// statistics are read beside them.
func TestNothingLeaks(t *testing.T) {
	b := open(t, Config{Threads: 2, MemoryBytes: 1 << 30})
	steady := identity(ort.TensorElementDataType(ort.TensorElementDataTypeFloat), dims{4}, dims{4}).write(t)
	changing := where(t, dims{1, "n"})
	broken := writeFile(t, "n.onnx", []byte("x"))
	scalar := graph{
		nodes:   []message{node("ReduceSum", []string{"in"}, []string{"sum"}, whole("keepdims", 0))},
		inputs:  []message{put("in", ort.TensorElementDataTypeFloat, dims{4})},
		outputs: []message{put("sum", ort.TensorElementDataTypeFloat, dims{})},
	}.write(t)
	round := func() {
		for _, path := range []string{steady, changing} {
			n := load(t, b, worker.LoadSpec{Path: path})
			n.infer(t, floats(0, 1, 0, 1))
			n.infer(t, floats(1, 1, 1, 1))
			n.unload(t)
		}
		for _, path := range []string{broken, scalar} {
			if _, err := b.Load(worker.LoadSpec{Path: path}); err == nil {
				t.Fatalf("%s was loaded", path)
			}
		}
	}
	round() // what the first round brings stays
	descriptors, threads := entries(t, "/proc/self/fd"), entries(t, "/proc/self/task")
	returnMemory()
	memory := residentBytes()

	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				b.Statistics()
			}
		}
	})
	const rounds = 20
	for range rounds {
		round()
	}
	close(stop)
	reader.Wait()
	if got := entries(t, "/proc/self/fd"); got != descriptors {
		t.Errorf("%d descriptors became %d", descriptors, got)
	}
	// Go itself may have added a thread or two; each session would leave one of its own.
	if got := entries(t, "/proc/self/task"); got > threads+rounds/2 {
		t.Errorf("%d threads became %d", threads, got)
	}
	returnMemory()
	if grown := residentBytes() - memory; grown > 32<<20 {
		t.Errorf("%d bytes more than before", grown)
	}
	if got := b.Statistics().MemoryUsedBytes; got != 0 {
		t.Errorf("%d bytes in use", got)
	}
}

// A time limit ends the inference under way, and the network goes on after it.
func TestTimeLimit(t *testing.T) {
	b := open(t, Config{Threads: 1})
	const size, layers = 256, 64
	g := graph{weights: []message{weights("w", matrix(size, func(row int) int { return row }), size, size)}}
	name := "in"
	for i := range layers { // limits are looked at between operations
		next := "x" + strings.Repeat("i", i)
		g.nodes = append(g.nodes, node("MatMul", []string{name, "w"}, []string{next}))
		name = next
	}
	f := ort.TensorElementDataType(ort.TensorElementDataTypeFloat)
	g.inputs, g.outputs = []message{put("in", f, dims{size, size})}, []message{put(name, f, dims{size, size})}
	n := load(t, b, worker.LoadSpec{Path: g.write(t)})
	defer n.unload(t)

	in := slices.Repeat(floats(3), size*size)
	copy(n.inputs[0], in)
	clear(n.outputs[0])
	_, err := n.Infer(time.Microsecond)
	if err == nil || worker.KindOf(err) != worker.KindTimeout || err.Error() != "the inference did not end within 1µs" {
		t.Errorf("%v", err)
	}
	if !slices.Equal(n.outputs[0], make([]byte, len(in))) {
		t.Error("the inference went on to its end")
	}
	if got := n.infer(t, in)[0]; !slices.Equal(got.Data, in) {
		t.Error("wrong numbers after a timeout")
	}
	if changed, err := n.Infer(0); err != nil || changed != nil {
		t.Errorf("without a limit: %v, %v", changed, err)
	}
}

// Bind moves a network to other memory.
func TestBindAgain(t *testing.T) {
	b := open(t, Config{Threads: 1})
	n := load(t, b, worker.LoadSpec{Path: identity(ort.TensorElementDataType(ort.TensorElementDataTypeFloat), dims{2}, dims{2}).write(t)})
	defer n.unload(t)
	n.infer(t, floats(1, 2))
	old := n.outputs[0]
	n.bind(t, n.signature)
	if got := n.infer(t, floats(3, 4))[0]; !slices.Equal(got.Data, floats(3, 4)) || !slices.Equal(old, floats(1, 2)) {
		t.Errorf("new % x, old % x", got.Data, old)
	}
	wrong := [][]byte{make([]byte, 3)}
	if err := n.Bind(n.inputs, wrong); err == nil || !strings.HasPrefix(err.Error(), `output "out": `) {
		t.Errorf("3 bytes for %s: %v", tensor.Float32, err)
	}

	// Without memory an inference fails and does no harm.
	half := load(t, b, worker.LoadSpec{Path: identity(ort.TensorElementDataTypeFloat16, dims{2}, dims{2}).write(t)})
	defer half.unload(t)
	if err := half.Bind(wrong, half.outputs); err == nil || !strings.HasPrefix(err.Error(), `input "in": `) {
		t.Errorf("3 bytes for %s: %v", tensor.Float16, err)
	}
	if _, err := half.Infer(time.Minute); err == nil {
		t.Error("an inference without inputs")
	}
}
