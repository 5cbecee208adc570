package onnx

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"hailo-depth/worker"
)

// matrix is square and moves the number at row to column(row).
func matrix(size int, column func(row int) int) []byte {
	raw := make([]byte, 4*size*size)
	for row := range size {
		copy(raw[4*(row*size+column(row)):], floats(1))
	}
	return raw
}

// heavy is a network whose file has at least size bytes; it reverses the order
// of rows numbers.
func heavy(t *testing.T, size int) (path string, rows int) {
	t.Helper()
	rows = int(math.Ceil(math.Sqrt(float64(size) / 4)))
	f := ort.TensorElementDataType(ort.TensorElementDataTypeFloat)
	return graph{
		nodes:   []message{node("MatMul", []string{"in", "w"}, []string{"out"})},
		weights: []message{weights("w", matrix(rows, func(row int) int { return rows - 1 - row }), rows, rows)},
		inputs:  []message{put("in", f, dims{1, rows})},
		outputs: []message{put("out", f, dims{1, rows})},
	}.write(t), rows
}

// reverses checks that the network still gives the right answer.
func (r *running) reverses(t *testing.T, rows int) {
	t.Helper()
	in := make([]float32, rows)
	for i := range in {
		in[i] = float32(i)
	}
	got := r.infer(t, floats(in...))
	slices.Reverse(in)
	if !slices.Equal(got[0].Data, floats(in...)) {
		t.Error("wrong numbers came out")
	}
}

func TestBudget(t *testing.T) {
	// Over 32 MiB the C library gives each block back at once, so what a network
	// takes does not depend on what was loaded before.
	const mib, budget = 1 << 20, 60 << 20
	b := open(t, Config{Threads: 1, MemoryBytes: budget})
	first, rows := heavy(t, 33*mib)
	second, secondRows := heavy(t, 36*mib)
	a := load(t, b, worker.LoadSpec{Path: first})
	used := b.Statistics().MemoryUsedBytes
	if info, err := os.Stat(first); err != nil || used < info.Size() || used != a.signature.MemoryBytes || used > budget {
		t.Fatalf("a file of %v counts %d bytes, its signature says %d (%v)", info, used, a.signature.MemoryBytes, err)
	}
	if got := b.Statistics().MemoryTotalBytes; got != budget {
		t.Errorf("the budget is reported as %d bytes", got)
	}

	_, err := b.Load(worker.LoadSpec{Path: second})
	var full *worker.Error
	if !errors.As(err, &full) || full.Kind != worker.KindMemoryFull {
		t.Fatalf("beyond the budget: %v", err)
	}
	if full.NeededBytes < 36*mib || full.TotalBytes != budget || full.NeverFits() {
		t.Errorf("%+v", full)
	}
	if !strings.HasPrefix(full.Message, "cannot load "+filepath.Base(second)+": ") || !strings.HasSuffix(full.Message, "of 62914560 in use") {
		t.Error(full.Message)
	}
	if got := b.Statistics().MemoryUsedBytes; got != used {
		t.Errorf("the refusal changed the use from %d to %d", used, got)
	}
	a.reverses(t, rows)

	a.unload(t)
	if got := b.Statistics().MemoryUsedBytes; got != 0 {
		t.Errorf("%d bytes in use after the unload", got)
	}
	c := load(t, b, worker.LoadSpec{Path: second})
	c.reverses(t, secondRows)
	c.unload(t)
}

func TestLargerThanTheWholeBudget(t *testing.T) {
	b := open(t, Config{Threads: 1, MemoryBytes: 1 << 20})
	path := writeFile(t, "network.onnx", make([]byte, 2<<20)) // not even read
	_, err := b.Load(worker.LoadSpec{Path: path})
	var full *worker.Error
	if !errors.As(err, &full) || !full.NeverFits() || full.NeededBytes != 2<<20 {
		t.Errorf("%v: evicting others would not help", err)
	}
}

// What the file does not tell shows when the network runs: 64 KiB of file, but
// 64 MiB of numbers on the way.
func TestMemoryThatOnlyARunShows(t *testing.T) {
	b := open(t, Config{Threads: 1, MemoryBytes: 32 << 20})
	const rows = 4096
	ones := make([]byte, 4*rows)
	f := ort.TensorElementDataType(ort.TensorElementDataTypeFloat)
	path := graph{
		nodes: []message{
			node("MatMul", []string{"in", "column"}, []string{"one"}),
			node("MatMul", []string{"tall", "one"}, []string{"half"}),
			node("MatMul", []string{"half", "row"}, []string{"square"}),
			node("ReduceMax", []string{"square"}, []string{"out"}),
		},
		weights: []message{weights("column", ones, rows, 1), weights("tall", ones, rows, 1), weights("row", ones, 1, rows)},
		inputs:  []message{put("in", f, dims{1, rows})},
		outputs: []message{put("out", f, dims{1, 1})},
	}.write(t)
	_, err := b.Load(worker.LoadSpec{Path: path})
	var full *worker.Error
	if !errors.As(err, &full) || full.Kind != worker.KindMemoryFull || full.NeededBytes < 60<<20 || !full.NeverFits() {
		t.Errorf("%v", err)
	}
	if got := b.Statistics().MemoryUsedBytes; got != 0 {
		t.Errorf("%d bytes in use", got)
	}
}

func TestUnloadGivesMemoryBack(t *testing.T) {
	b := open(t, Config{Threads: 1})
	const size = 64 << 20
	path, rows := heavy(t, size)
	returnMemory() // what making the file took
	before := residentBytes()
	n := load(t, b, worker.LoadSpec{Path: path})
	n.reverses(t, rows)
	if grown := residentBytes() - before; grown < size*9/10 {
		t.Fatalf("a network of %d bytes took %d", size, grown)
	}
	n.unload(t)
	if left := residentBytes() - before; left > size/2 { // the library keeps some for itself
		t.Errorf("%d bytes are still taken after the unload", left)
	}
}
