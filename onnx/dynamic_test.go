package onnx

import (
	"encoding/binary"
	"slices"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// where finds what is not zero: its one output has as many columns as the data
// say, none at all for the zeros that a load tries.
func where(t *testing.T, out dims) string {
	t.Helper()
	return graph{
		nodes:   []message{node("NonZero", []string{"in"}, []string{"places"})},
		inputs:  []message{put("in", ort.TensorElementDataTypeFloat, dims{4})},
		outputs: []message{put("places", ort.TensorElementDataTypeInt64, out)},
	}.write(t)
}

func places(list ...int64) []byte {
	var raw []byte
	for _, v := range list {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	return raw
}

func TestOutputShapesFromTheData(t *testing.T) {
	b := open(t, Config{Threads: 1})
	// No dimensions declared is what a file has whose exporter did not know.
	for _, declared := range []dims{{1, "n"}, {"rows", "n"}, {}} {
		n := load(t, b, worker.LoadSpec{Path: where(t, declared)})
		if got := n.signature.Outputs[0].Shape; !slices.Equal(got, tensor.Shape{1, 0}) {
			t.Errorf("%v: zeros have %v places", declared, got)
		}
		for _, c := range []struct {
			in   []byte
			want []int64
		}{
			{floats(0, 5, 0, 5), []int64{1, 3}},
			{floats(1, 0, 0, 1), []int64{0, 3}}, // the same shape again
			{floats(1, 1, 1, 1), []int64{0, 1, 2, 3}},
			{floats(0, 0, 0, 0), nil},
			{floats(0, 0, 2, 0), []int64{2}},
		} {
			got := n.infer(t, c.in)[0]
			if !slices.Equal(got.Shape, tensor.Shape{1, len(c.want)}) || !slices.Equal(got.Data, places(c.want...)) {
				t.Errorf("%v: %v % x, want %v", declared, got.Shape, got.Data, c.want)
			}
		}
		n.unload(t)
	}
}

// An output of fixed shape beside one of changing shape, float16 among them:
// when one changes all come back, right.
func TestFixedOutputsBesideChangingOnes(t *testing.T) {
	b := open(t, Config{Threads: 1})
	f := ort.TensorElementDataType(ort.TensorElementDataTypeFloat)
	path := graph{
		nodes: []message{
			node("NonZero", []string{"in"}, []string{"places"}),
			node("Neg", []string{"in"}, []string{"negative"}),
			node("Cast", []string{"in"}, []string{"half"}, whole("to", int64(ort.TensorElementDataTypeFloat16))),
		},
		inputs: []message{put("in", f, dims{4})},
		outputs: []message{
			put("negative", f, dims{4}),
			put("places", ort.TensorElementDataTypeInt64, dims{1, "n"}),
			put("half", ort.TensorElementDataTypeFloat16, dims{4}),
		},
	}.write(t)
	n := load(t, b, worker.LoadSpec{Path: path})
	defer n.unload(t)
	for _, c := range []struct {
		in, negative, places, half []byte
	}{
		{floats(0, 1, 0, 0), floats(0, -1, 0, 0), places(1), []byte{0, 0, 0, 0x3c, 0, 0, 0, 0}},
		{floats(1, 2, 1, 2), floats(-1, -2, -1, -2), places(0, 1, 2, 3), []byte{0, 0x3c, 0, 0x40, 0, 0x3c, 0, 0x40}},
		{floats(2, 1, 2, 1), floats(-2, -1, -2, -1), places(0, 1, 2, 3), []byte{0, 0x40, 0, 0x3c, 0, 0x40, 0, 0x3c}},
	} {
		got := n.infer(t, c.in)
		negative, err := got[0].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		want, err := (tensor.Tensor{DType: tensor.Float32, Shape: tensor.Shape{4}, Data: c.negative}).Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(negative, want) || !slices.Equal(got[1].Data, c.places) || !slices.Equal(got[2].Data, c.half) {
			t.Errorf("%v: got %v", want, got)
		}
		if got[2].DType != tensor.Float16 || !slices.Equal(got[2].Shape, tensor.Shape{4}) {
			t.Errorf("the float16 output is %s", got[2].Describe())
		}
	}
}

// A file may state a wrong size, as after an edit of its inputs.
func TestWronglyDeclaredOutput(t *testing.T) {
	b := open(t, Config{Threads: 1})
	path := identity(ort.TensorElementDataTypeFloat, dims{"n"}, dims{1}).write(t)
	n := load(t, b, worker.LoadSpec{Path: path, InputShapes: map[string]tensor.Shape{"in": {3}}})
	defer n.unload(t)
	if got := n.signature.Outputs[0].Shape; !slices.Equal(got, tensor.Shape{3}) {
		t.Errorf("output %v", got)
	}
	if got := n.infer(t, floats(1, 2, 3))[0]; !slices.Equal(got.Data, floats(1, 2, 3)) {
		t.Errorf("% x", got.Data)
	}
}
