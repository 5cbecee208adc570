package worker

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"hailo-depth/tensor"
)

func info(name string, dtype tensor.DType, shape ...int) TensorInfo {
	return TensorInfo{Name: name, DType: dtype, Shape: shape}
}

// small is a network with 12 bytes in and 8 out.
var small = Signature{
	Inputs:  []TensorInfo{info("in", tensor.Uint8, 2, 2, 3)},
	Outputs: []TensorInfo{info("out", tensor.Float32, 2)},
}

// memfd makes shared memory as a worker might.
func memfd(t testing.TB, size int64, seals int) int {
	t.Helper()
	fd, err := unix.MemfdCreate("test", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Ftruncate(fd, size); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		t.Fatal(err)
	}
	return fd
}

func TestOpenMemoryTrustsNothing(t *testing.T) {
	good := region{Bytes: 8192, Inputs: []int64{0}, Outputs: []int64{4096}}
	with := func(change func(*region)) region {
		r := region{Bytes: good.Bytes, Inputs: []int64{0}, Outputs: []int64{4096}}
		change(&r)
		return r
	}
	huge := Signature{Inputs: small.Inputs, Outputs: []TensorInfo{info("out", tensor.Float64, 1<<20, 1<<20)}}
	for _, c := range []struct {
		name   string
		layout region
		of     Signature
		size   int64
		seals  int
		want   string // part of the error; "" for none
	}{
		{"as it should be", good, small, 8192, seals, ""},
		{"more than was said", good, small, 1 << 20, seals, ""},
		{"tensor at the very end", with(func(r *region) { r.Outputs[0] = 8192 - 8 }), small, 8192, seals, ""},
		{"not sealed", good, small, 8192, 0, "sealed against shrinking"},
		{"sealed against growing only", good, small, 8192, unix.F_SEAL_GROW, "sealed against shrinking"},
		{"smaller than was said", good, small, 8191, seals, "wanted 8192 bytes"},
		{"empty", good, small, 0, seals, "wanted 8192 bytes"},
		{"no bytes", with(func(r *region) { r.Bytes = 0 }), small, 8192, seals, "does not suit"},
		{"negative bytes", with(func(r *region) { r.Bytes = -1 }), small, 8192, seals, "does not suit"},
		{"too many bytes", with(func(r *region) { r.Bytes = MaxRegion + 1 }), small, 8192, seals, "does not suit"},
		{"all the bytes there are", with(func(r *region) { r.Bytes = math.MaxInt64 }), small, 8192, seals, "does not suit"},
		{"an output without place", with(func(r *region) { r.Outputs = nil }), small, 8192, seals, "does not suit"},
		{"two places for one input", with(func(r *region) { r.Inputs = []int64{0, 0} }), small, 8192, seals, "does not suit"},
		{"negative offset", with(func(r *region) { r.Inputs[0] = -1 }), small, 8192, seals, `tensor "in"`},
		{"smallest offset", with(func(r *region) { r.Inputs[0] = math.MinInt64 }), small, 8192, seals, `tensor "in"`},
		{"one byte over the end", with(func(r *region) { r.Outputs[0] = 8192 - 7 }), small, 8192, seals, `tensor "out"`},
		{"offset that overflows", with(func(r *region) { r.Outputs[0] = math.MaxInt64 }), small, 8192, seals, `tensor "out"`},
		{"tensor larger than all", good, huge, 8192, seals, "lies outside"},
		{"negative shape", good, Signature{Inputs: small.Inputs, Outputs: []TensorInfo{info("out", tensor.Int8, -5)}}, 8192, seals, "negative dimension"},
		{"shape that overflows", good, Signature{Inputs: small.Inputs, Outputs: []TensorInfo{info("out", tensor.Int8, 1<<40, 1<<40)}}, 8192, seals, "too many elements"},
		{"a second set", with(func(r *region) { r.Second = &places{[]int64{0}, []int64{4096}} }), small, 8192, seals, ""},
		{"a second set without places", with(func(r *region) { r.Second = &places{} }), small, 8192, seals, "does not suit"},
		{"a second set over the end", with(func(r *region) { r.Second = &places{[]int64{0}, []int64{8192 - 7}} }), small, 8192, seals, `tensor "out"`},
		{"a second set before the start", with(func(r *region) { r.Second = &places{[]int64{-1}, []int64{0}} }), small, 8192, seals, `tensor "in"`},
		{"no type", good, Signature{Inputs: small.Inputs, Outputs: []TensorInfo{info("out", tensor.Invalid, 2)}}, 8192, seals, "no data type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fd := memfd(t, c.size, c.seals)
			m, err := openMemory(fd, c.layout, c.of)
			if closed := unix.Close(fd); closed == nil {
				t.Error("the descriptor was left open")
			}
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want an error with %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			m.views(c.of.Outputs, m.layout.Outputs)[0][7] = 1
			if err := m.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenMemoryOfOtherFiles(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(8192); err != nil {
		t.Fatal(err)
	}
	var pipe [2]int
	if err := unix.Pipe(pipe[:]); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[1])
	copied, err := unix.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, fd := range []int{copied, pipe[0]} {
		if _, err := openMemory(fd, region{Bytes: 8192, Inputs: []int64{0}, Outputs: []int64{4096}}, small); err == nil {
			t.Error("what is no memfd was taken for one")
		}
	}
}

func TestPlan(t *testing.T) {
	page := int64(os.Getpagesize())
	for _, c := range []struct {
		name string
		of   Signature
		want region
		err  string
	}{
		{"one in, one out", small, region{2 * page, []int64{0}, []int64{page}, nil}, ""},
		{"nothing", Signature{}, region{page, nil, nil, nil}, ""},
		{"a page exactly", Signature{Inputs: []TensorInfo{info("a", tensor.Uint8, int(page)), info("b", tensor.Uint8, 1)}}, region{2 * page, []int64{0, page}, nil, nil}, ""},
		{"empty tensors take no room", Signature{Inputs: []TensorInfo{info("a", tensor.Uint8, 0), info("b", tensor.Uint8, 1)}}, region{page, []int64{0, 0}, nil, nil}, ""},
		{"the most there is", Signature{Outputs: []TensorInfo{info("a", tensor.Uint8, MaxRegion)}}, region{MaxRegion, nil, []int64{0}, nil}, ""},
		{"more than there is", Signature{Outputs: []TensorInfo{info("a", tensor.Uint8, MaxRegion+1)}}, region{}, `tensor "a"`},
		{"more in sum", Signature{Outputs: []TensorInfo{info("a", tensor.Uint8, MaxRegion/2), info("b", tensor.Uint8, MaxRegion/2+1)}}, region{}, `tensor "b"`},
		{"largest tensor there can be", Signature{Inputs: []TensorInfo{info("a", tensor.Float64, 1<<40)}}, region{}, `tensor "a"`},
		{"negative", Signature{Inputs: []TensorInfo{info("a", tensor.Uint8, -1)}}, region{}, "negative"},
	} {
		got, err := plan(c.of)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want an error with %q", c.name, err, c.err)
			}
			continue
		}
		if err != nil || got.Bytes != c.want.Bytes || !equal(got.Inputs, c.want.Inputs) || !equal(got.Outputs, c.want.Outputs) {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

func equal(a, b []int64) bool {
	for i := range a {
		if len(a) != len(b) || a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// TestPlannedTensorsDoNotTouch: whatever the shapes, each tensor lies on pages
// of its own within the region, and the other side accepts the layout.
func TestPlannedTensorsDoNotTouch(t *testing.T) {
	page := int64(os.Getpagesize())
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 7))
		var s Signature
		for range random.IntN(5) {
			s.Inputs = append(s.Inputs, info("i", tensor.DType(1+random.IntN(12)), random.IntN(50), random.IntN(50)))
		}
		for range random.IntN(5) {
			s.Outputs = append(s.Outputs, info("o", tensor.DType(1+random.IntN(12)), random.IntN(3), random.IntN(2000)))
		}
		m, fd, err := newMemory(s)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		other, err := openMemory(fd, m.layout, s)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		used := int64(0)
		views := append(m.views(s.Inputs, m.layout.Inputs), m.views(s.Outputs, m.layout.Outputs)...)
		theirs := append(other.views(s.Inputs, m.layout.Inputs), other.views(s.Outputs, m.layout.Outputs)...)
		for i, offset := range append(append([]int64{}, m.layout.Inputs...), m.layout.Outputs...) {
			if offset%page != 0 || offset < used {
				t.Fatalf("seed %d: tensor %d at %d, %d bytes are taken: %+v", seed, i, offset, used, m.layout)
			}
			if used = offset + int64(len(views[i])); used > m.layout.Bytes || cap(views[i]) != len(views[i]) {
				t.Fatalf("seed %d: tensor %d ends at %d: %+v", seed, i, used, m.layout)
			}
			for j := range views[i] {
				views[i][j] = byte(i + 1)
			}
		}
		for i, view := range theirs {
			for _, v := range view {
				if v != byte(i+1) {
					t.Fatalf("seed %d: the other side sees %d in tensor %d", seed, v, i)
				}
			}
		}
		if m.close() != nil || other.close() != nil {
			t.Fatal("unmapping failed")
		}
	}
}
