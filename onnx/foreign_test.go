package onnx

import (
	"math"
	"slices"
	"strings"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// luma.onnx has free sizes; one normalised colour in, its brightness out.
func TestLuma(t *testing.T) {
	b := open(t, Config{Threads: 1})
	n := load(t, b, worker.LoadSpec{
		Path:        "../testdata/foreign/luma.onnx",
		InputShapes: map[string]tensor.Shape{"pixels": {1, 3, 2, 3}},
	})
	defer n.unload(t)
	if got := n.signature.Outputs[0]; got.Name != "distance" || !slices.Equal(got.Shape, tensor.Shape{1, 1, 2, 3}) {
		t.Fatalf("output %+v", got)
	}
	mean, std, weight := [3]float64{0.485, 0.456, 0.406}, [3]float64{0.229, 0.224, 0.225}, [3]float64{0.299, 0.587, 0.114}
	var planes []float32
	want := make([]float64, 6)
	for c := range 3 {
		for i := range 6 {
			v := float64((i*5+c*7)%11) / 10
			planes = append(planes, float32((v-mean[c])/std[c]))
			want[i] += weight[c] * v
		}
	}
	got, err := n.infer(t, floats(planes...))[0].Float32s()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if math.Abs(float64(v)-want[i]) > 1e-4 {
			t.Errorf("pixel %d: %v, want %v", i, v, want[i])
		}
	}
}

// square is a network of [batch, 3, free, 4].
func square(t *testing.T) string {
	t.Helper()
	return identity(ort.TensorElementDataTypeFloat, dims{"batch", 3, "free", 4}, dims{"batch", 3, "free", 4}).write(t)
}

func TestFreeDimensions(t *testing.T) {
	b := open(t, Config{Threads: 1})
	for _, c := range []struct {
		given, want tensor.Shape
	}{
		{tensor.Shape{2, 3, 5, 4}, tensor.Shape{2, 3, 5, 4}},
		{tensor.Shape{1, 3, 1, 4}, tensor.Shape{1, 3, 1, 4}},
	} {
		n := load(t, b, worker.LoadSpec{Path: square(t), InputShapes: map[string]tensor.Shape{"in": c.given}})
		if in, out := n.signature.Inputs[0].Shape, n.signature.Outputs[0].Shape; !slices.Equal(in, c.want) || !slices.Equal(out, c.want) {
			t.Errorf("%v given: in %v, out %v", c.given, in, out)
		}
		elements, err := c.want.Elements()
		if err != nil {
			t.Fatal(err)
		}
		values := make([]float32, elements)
		for i := range values {
			values[i] = float32(i) + 0.5
		}
		if got := n.infer(t, floats(values...)); string(got[0].Data) != string(floats(values...)) {
			t.Errorf("%v given: other values came out", c.given)
		}
		n.unload(t)
	}
	// The batch alone needs no word.
	n := load(t, b, worker.LoadSpec{Path: identity(ort.TensorElementDataTypeFloat, dims{"batch", 2}, dims{"batch", 2}).write(t)})
	defer n.unload(t)
	if got := n.signature.Inputs[0].Shape; !slices.Equal(got, tensor.Shape{1, 2}) {
		t.Errorf("a free batch became %v", got)
	}
}

func TestInputShapesThatDoNotFit(t *testing.T) {
	b := open(t, Config{Threads: 1})
	for _, c := range []struct {
		given map[string]tensor.Shape
		want  string // message
	}{
		{nil, `input "in" has the free shape [-1, 3, -1, 4]: say which to use in model_params.input_shapes or in the model's manifest`},
		{map[string]tensor.Shape{"in": {3, 5, 4}}, `input "in" has the shape [-1, 3, -1, 4] (-1: free); input_shapes gives [3, 5, 4]`},
		{map[string]tensor.Shape{"in": {}}, `input "in" has the shape [-1, 3, -1, 4] (-1: free); input_shapes gives []`},
		{map[string]tensor.Shape{"in": {2, 3, 5, 7}}, `input "in" has the shape [-1, 3, -1, 4] (-1: free); input_shapes gives [2, 3, 5, 7]`},
		{map[string]tensor.Shape{"in": {2, 3, 0, 4}}, `input "in" has the shape [-1, 3, -1, 4] (-1: free); input_shapes gives [2, 3, 0, 4]`},
		{map[string]tensor.Shape{"in": {-1, 3, 5, 4}}, `input "in" has the shape [-1, 3, -1, 4] (-1: free); input_shapes gives [-1, 3, 5, 4]`},
		{map[string]tensor.Shape{"in": {2, 3, 5, 4}, "mask": {1}}, `input_shapes names "mask"; the network's inputs are ["in"]`},
	} {
		_, err := b.Load(worker.LoadSpec{Path: square(t), InputShapes: c.given})
		if err == nil || worker.KindOf(err) != worker.KindInvalid || err.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.given, err, c.want)
		}
	}
	// More than the shared memory may have, or any machine has, is refused, not tried.
	_, tooLarge := b.Load(worker.LoadSpec{Path: square(t), InputShapes: map[string]tensor.Shape{"in": {1 << 10, 3, 1 << 20, 4}}})
	if worker.KindOf(tooLarge) != worker.KindInvalid || !strings.Contains(tooLarge.Error(), "takes 51539607552 bytes; inputs and outputs may take 1073741824 in all") {
		t.Errorf("48 GiB: %v", tooLarge)
	}
	_, err := b.Load(worker.LoadSpec{Path: square(t), InputShapes: map[string]tensor.Shape{"in": {1 << 20, 3, 1 << 20, 4}}})
	if err == nil || !strings.Contains(err.Error(), "too many elements") {
		t.Errorf("2^40 elements: %v", err)
	}
	if got := b.Statistics().MemoryUsedBytes; got != 0 {
		t.Errorf("%d bytes are in use by networks that were not loaded", got)
	}
}
