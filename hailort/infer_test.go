//go:build hailort

package hailort

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// Outputs are dequantised here, by the stream's own parameters; the library's
// own float32 are the same numbers.
func TestDequantised(t *testing.T) {
	for _, byLibrary := range []bool{false, true} {
		script(t)
		b := mustOpen(t, Config{LibraryFloats: byLibrary})
		r := load(t, b, worker.LoadSpec{Path: hef(t, depthInput,
			"output net/depth 2 3 1 NHWC uint16 0 0.000915555",
			"output net/mask 2 3 2 NHWC uint8 128 0.5",
			"output net/vector 1 1 3 NC uint8 1 2 10 0.25 100 1", // one pair a channel
			"output net/plain 1 1 4 NC float32",
		)})
		if err := r.infer(t, 10, time.Minute); err != nil {
			t.Fatal(err)
		}
		const sum = 18 * 10
		for output, c := range []struct {
			elements int
			value    func(i int) float32
		}{
			{6, func(i int) float32 { return float32(sum+i) * 0.000915555 }},
			{12, func(i int) float32 { return (float32((sum+i)%256) - 128) * 0.5 }},
			{3, func(i int) float32 { return []float32{(sum + 0 - 1) * 2, (sum + 1 - 10) * 0.25, sum + 2 - 100}[i] }},
			{4, func(i int) float32 { return float32(sum + i) }},
		} {
			got := r.floats(output)
			if len(got) != c.elements {
				t.Fatalf("output %d has %d elements, want %d", output, len(got), c.elements)
			}
			for i := range got {
				if got[i] != c.value(i) {
					t.Errorf("by the library: %v; output %d, element %d is %v, want %v", byLibrary, output, i, got[i], c.value(i))
				}
			}
		}
		r.unload(t)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		nothingLeft(t)
	}
}

// Scales that fit neither all elements nor the channels are left to the library.
func TestUnusualScales(t *testing.T) {
	script(t)
	r := load(t, open(t, Config{}), worker.LoadSpec{Path: hef(t, depthInput, "output net/out 1 1 3 NC uint8 1 2 3 4")})
	if r.outputs[0].Type != 3 {
		t.Errorf("the library gives type %d, want float32", r.outputs[0].Type)
	}
	if err := r.infer(t, 1, time.Minute); err != nil {
		t.Error(err)
	}
	r.unload(t)
}

func TestDetections(t *testing.T) {
	script(t)
	r := load(t, open(t, Config{}), worker.LoadSpec{Path: hef(t, depthInput, "output net/nms 3 2 0 NMS_BY_CLASS float32")})
	if err := r.infer(t, 1, time.Minute); err != nil { // the sum is 18
		t.Fatal(err)
	}
	got := r.floats(0)
	want := []float32{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0.18, 0.19, 0.20, 0.21, 0.22, 0, 0, 0, 0, 0, 2, 0.18, 0.19, 0.20, 0.21, 0.22, 0.19, 0.20, 0.21, 0.22, 0.23}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	r.unload(t)
}

// Several inputs and outputs are told apart by their names and order.
func TestSeveralInputs(t *testing.T) {
	script(t)
	r := load(t, open(t, Config{}), worker.LoadSpec{Path: hef(t, "input net/a 1 1 2 NC uint8", "input net/b 1 1 3 NC uint8",
		"output net/c 1 1 1 NC uint8 0 1", "output net/d 1 1 2 NC uint16 0 1")})
	s := r.Signature()
	if len(s.Inputs) != 2 || s.Inputs[0].Name != "net/a" || s.Inputs[1].Name != "net/b" || len(s.Outputs) != 2 || s.Outputs[1].Name != "net/d" {
		t.Fatalf("got %+v", s)
	}
	copy(r.in[0], []byte{1, 2})
	copy(r.in[1], []byte{10, 20, 30})
	if _, err := r.Infer(time.Minute); err != nil {
		t.Fatal(err)
	}
	if c, d := r.floats(0), r.floats(1); c[0] != 63 || d[0] != 63 || d[1] != 64 {
		t.Errorf("got %v and %v", c, d)
	}
	r.unload(t)
}

// float32 inputs are quantised by the device.
func TestFloatInputs(t *testing.T) {
	script(t)
	r := load(t, open(t, Config{}), worker.LoadSpec{InputType: tensor.Float32,
		Path: hef(t, "input net/in 1 1 4 NC uint8 10 0.5", "output net/out 1 1 1 NC uint16 0 1")})
	if in := r.Signature().Inputs[0]; in.DType != tensor.Float32 || len(r.in[0]) != 16 {
		t.Fatalf("the input is %+v in %d bytes", in, len(r.in[0]))
	}
	for i, v := range []float32{0, 1, -1, 2.5} { // 10, 12, 8, 15
		binary.LittleEndian.PutUint32(r.in[0][4*i:], math.Float32bits(v))
	}
	if _, err := r.Infer(time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := r.floats(0)[0]; got != 45 {
		t.Errorf("got %v, want 45", got)
	}
	r.unload(t)
}

// A batch is so many jobs; longer than the queue it is, it waits.
func TestBatch(t *testing.T) {
	script(t)
	b := open(t, Config{})
	const frames = 9
	r := load(t, b, worker.LoadSpec{Path: depth(t, "queue 4", "latency_us 400000"), InputShapes: map[string]tensor.Shape{"net/in": {frames, 2, 3, 3}}})
	s := r.Signature()
	if s.Inputs[0].Shape.String() != "[9, 2, 3, 3]" || s.Outputs[0].Shape.String() != "[9, 2, 3, 1]" {
		t.Fatalf("got %+v", s)
	}
	for i := range r.in[0] {
		r.in[0][i] = byte(i / 18)
	}
	if _, err := r.Infer(time.Minute); err != nil {
		t.Fatal(err)
	}
	for i, got := range r.floats(0) {
		if want := (float32(18*(i/6)+i%6) - 5) * 0.25; got != want {
			t.Errorf("frame %d, element %d is %v, want %v", i/6, i%6, got, want)
		}
	}
	if n := counted(t, "most_jobs_in_flight"); n != 4 {
		t.Errorf("%d jobs at a time, want 4, the queue's length", n)
	}
	r.unload(t)
}

// A batch of which one frame fails has failed.
func TestBatchFails(t *testing.T) {
	script(t, "on job 2 status 87")
	r := load(t, open(t, Config{}), worker.LoadSpec{Path: depth(t), InputShapes: map[string]tensor.Shape{"net/in": {3, 2, 3, 3}}})
	wantError(t, r.infer(t, 1, time.Minute), worker.KindLost, 87)
	if err := r.infer(t, 1, time.Minute); err != nil {
		t.Error(err)
	}
	r.unload(t)
}

// An exception in the middle of a batch leaves the jobs before it their buffers.
func TestBatchThrows(t *testing.T) {
	script(t, "on job 1 delay 2000", "on ConfiguredInferModel::wait_for_async_ready 2 throw")
	b := open(t, Config{})
	r := load(t, b, worker.LoadSpec{Path: depth(t, "queue 8"), InputShapes: map[string]tensor.Shape{"net/in": {3, 2, 3, 3}}})
	wantError(t, r.infer(t, 1, time.Minute), worker.KindInternal, 0)
	if n := b.Statistics().UnfinishedJobs; n != 1 {
		t.Errorf("%d jobs are counted, want 1", n)
	}
	if err := r.infer(t, 1, time.Minute); err != nil { // the double sees buffers that two jobs share
		t.Error(err)
	}
	r.unload(t)
}

// A job that was refused may be answered as well, which says nothing of the one
// before it, whose buffers are still in use.
func TestRefusedAndAnswered(t *testing.T) {
	script(t, "on job 1 delay 1500", "on ConfiguredInferModel::run_async 2 answered")
	b := open(t, Config{})
	r := load(t, b, worker.LoadSpec{Path: depth(t), InputShapes: map[string]tensor.Shape{"net/in": {2, 2, 3, 3}}})
	began := time.Now()
	wantError(t, r.infer(t, 1, time.Minute), worker.KindLost, 62)
	if took := time.Since(began); took < 1400*time.Millisecond {
		t.Errorf("it ended after %v, before its first job", took)
	}
	if err := r.infer(t, 1, time.Minute); err != nil {
		t.Error(err)
	}
	r.unload(t)
}

// What a job ended with is what its callback said.
func TestJobStatuses(t *testing.T) {
	for status, kind := range map[int]worker.Kind{81: worker.KindMemoryFull, 87: worker.KindLost, 62: worker.KindLost, 2: worker.KindInvalid, 88: worker.KindTransient} {
		script(t, fmt.Sprintf("on job 1 status %d", status))
		b := mustOpen(t, Config{})
		r := load(t, b, worker.LoadSpec{Path: depth(t)})
		wantError(t, r.infer(t, 1, time.Minute), kind, status)
		r.mustInfer(t, 2)
		r.unload(t)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		nothingLeft(t)
	}
}

// Memory of a wrong size is refused before it reaches the library, which would
// shut the model down.
func TestWrongSizes(t *testing.T) {
	script(t)
	r := load(t, open(t, Config{}), worker.LoadSpec{Path: depth(t)})
	for name, c := range map[string]struct{ in, out [][]byte }{
		"input too short":  {[][]byte{make([]byte, 17)}, [][]byte{make([]byte, 24)}},
		"input too long":   {[][]byte{make([]byte, 19)}, [][]byte{make([]byte, 24)}},
		"output too short": {[][]byte{make([]byte, 18)}, [][]byte{make([]byte, 23)}},
		"native output":    {[][]byte{make([]byte, 18)}, [][]byte{make([]byte, 12)}},
		"no input":         {nil, [][]byte{make([]byte, 24)}},
		"two outputs":      {[][]byte{make([]byte, 18)}, [][]byte{make([]byte, 24), make([]byte, 24)}},
	} {
		if err := r.Bind(c.in, c.out); worker.KindOf(err) != worker.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.mustInfer(t, 7)
	r.unload(t)
}

// A model that the library has shut down is configured again.
func TestShutDownModel(t *testing.T) {
	script(t, "on ConfiguredInferModel::run_async 2 status 61")
	b := mustOpen(t, Config{})
	r := load(t, b, worker.LoadSpec{Path: depth(t)})
	r.mustInfer(t, 1)
	wantError(t, r.infer(t, 2, time.Minute), worker.KindInvalid, 61)
	r.mustInfer(t, 3)
	change(t, "on job 4 status 63")
	wantError(t, r.infer(t, 4, time.Minute), worker.KindAborted, 63)
	r.mustInfer(t, 5)
	if n := counted(t, "calls.InferModel::configure"); n != 3 {
		t.Errorf("configured %d times, want 3", n)
	}
	change(t, "on job 6 status 63", "on InferModel::configure 4 status 81")
	wantError(t, r.infer(t, 6, time.Minute), worker.KindAborted, 63)
	wantError(t, r.infer(t, 7, time.Minute), worker.KindMemoryFull, 81)
	r.mustInfer(t, 8)
	r.unload(t)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if n := counted(t, "violations"); n != 0 {
		t.Errorf("%d violations", n)
	}
}

// Buffers lie on pages of this machine's size, whatever that is.
func TestPages(t *testing.T) {
	for page, want := range map[int]int{4096: 4096 + 4096, 16384: 16384 + 16384, 65536: 65536 + 65536} {
		script(t)
		b := mustOpen(t, Config{})
		if b.page != pageSize() {
			t.Errorf("pages are %d bytes, the kernel says %d", b.page, pageSize())
		}
		b.page = page
		r := load(t, b, worker.LoadSpec{Path: depth(t)})
		if got := r.reserved(t); got != want {
			t.Errorf("%d bytes are reserved with pages of %d, want %d", got, page, want)
		}
		r.mustInfer(t, 1)
		r.unload(t)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		nothingLeft(t)
	}
}

// Many models, one after another and beside each other, leave nothing behind.
func TestChurn(t *testing.T) {
	script(t, "set jitter_us 300")
	b := open(t, Config{Poll: time.Millisecond})
	kept := load(t, b, worker.LoadSpec{Path: depth(t)})
	for i := range 20 {
		r := load(t, b, worker.LoadSpec{Path: depth(t)})
		for range 5 {
			r.mustInfer(t, byte(i))
			kept.mustInfer(t, byte(100+i))
		}
		r.unload(t)
	}
	kept.unload(t)
}
