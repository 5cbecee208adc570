package onnx

import (
	"slices"
	"strings"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// Each type goes through bound memory and through outputs that ONNX Runtime
// allocates, which float16 alone cannot.
func TestElementTypes(t *testing.T) {
	b := open(t, Config{Threads: 1})
	// The numbers in a file (TensorProto.DataType of onnx.proto).
	numbers := map[tensor.DType]ort.TensorElementDataType{
		tensor.Float32: 1, tensor.Uint8: 2, tensor.Int8: 3, tensor.Uint16: 4, tensor.Int16: 5, tensor.Int32: 6, tensor.Int64: 7,
		tensor.Bool: 9, tensor.Float16: 10, tensor.Float64: 11, tensor.Uint32: 12, tensor.Uint64: 13,
	}
	if len(numbers) != len(elementTypes) {
		t.Errorf("%d types are tested, %d there are", len(numbers), len(elementTypes))
	}
	for dtype, number := range numbers {
		t.Run(dtype.String(), func(t *testing.T) {
			data := make([]byte, 6*dtype.Size())
			for i := range data {
				data[i] = byte(i*37 + 1)
				if dtype == tensor.Bool {
					data[i] = byte(i) % 2
				}
			}
			for _, shape := range []dims{{2, 3}, {"batch", 3}} {
				spec := worker.LoadSpec{Path: identity(number, shape, shape).write(t), InputShapes: map[string]tensor.Shape{"in": {2, 3}}}
				if dtype == tensor.Float16 && shape[0] == "batch" {
					_, err := b.Load(spec)
					if err == nil || worker.KindOf(err) != worker.KindUnsupported || !strings.Contains(err.Error(), "export the network with fixed sizes") {
						t.Errorf("a free float16 output: %v", err)
					}
					continue
				}
				n := load(t, b, spec)
				for _, info := range []worker.TensorInfo{n.signature.Inputs[0], n.signature.Outputs[0]} {
					if info.DType != dtype || !slices.Equal(info.Shape, tensor.Shape{2, 3}) {
						t.Errorf("%v: %+v", shape, info)
					}
				}
				if got := n.infer(t, data)[0]; !slices.Equal(got.Data, data) {
					t.Errorf("%v: % x came out of % x", shape, got.Data, data)
				}
				n.unload(t)
			}
		})
		t.Run(dtype.String()+" of changing size", func(t *testing.T) {
			if dtype == tensor.Float16 {
				return // refused above
			}
			n := load(t, b, worker.LoadSpec{Path: repeated(number).write(t)})
			defer n.unload(t)
			one := slices.Repeat([]byte{1}, dtype.Size())
			for _, times := range []int{0, 3, 2} {
				got := n.infer(t, one, places(int64(times)))[0]
				if got.DType != dtype || !slices.Equal(got.Shape, tensor.Shape{times}) || !slices.Equal(got.Data, slices.Repeat(one, times)) {
					t.Errorf("%d times: %s, % x", times, got.Describe(), got.Data)
				}
			}
		})
	}
}

// repeated gives its first input as often as the second says.
func repeated(dtype ort.TensorElementDataType) graph {
	return graph{
		nodes:   []message{node("Tile", []string{"in", "times"}, []string{"out"})},
		inputs:  []message{put("in", dtype, dims{1}), put("times", ort.TensorElementDataTypeInt64, dims{1})},
		outputs: []message{put("out", dtype, dims{"n"})},
	}
}

// The names lead, in the file's order: nothing is symmetric here.
func TestSeveralInputsAndOutputs(t *testing.T) {
	b := open(t, Config{Threads: 1})
	f := ort.TensorElementDataType(ort.TensorElementDataTypeFloat)
	path := graph{
		nodes: []message{
			node("Sub", []string{"zebra", "apple"}, []string{"difference"}),
			node("Concat", []string{"apple", "zebra"}, []string{"both"}, whole("axis", 0)),
			node("Cast", []string{"count"}, []string{"as float"}, whole("to", 1)),
		},
		inputs:  []message{put("zebra", f, dims{2}), put("apple", f, dims{2}), put("count", ort.TensorElementDataTypeInt64, dims{1})},
		outputs: []message{put("both", f, dims{4}), put("difference", f, dims{2}), put("as float", f, dims{1})},
	}.write(t)
	n := load(t, b, worker.LoadSpec{Path: path})
	defer n.unload(t)
	var names []string
	for _, info := range slices.Concat(n.signature.Inputs, n.signature.Outputs) {
		names = append(names, info.Name)
	}
	if want := []string{"zebra", "apple", "count", "both", "difference", "as float"}; !slices.Equal(names, want) {
		t.Fatalf("%q", names)
	}
	got := n.infer(t, floats(10, 20), floats(1, 2), []byte{7, 0, 0, 0, 0, 0, 0, 0})
	for i, want := range [][]byte{floats(1, 2, 10, 20), floats(9, 18), floats(7)} {
		if !slices.Equal(got[i].Data, want) {
			t.Errorf("%s: % x, want % x", names[3+i], got[i].Data, want)
		}
	}
}

func TestNetworksThatCannotBeServed(t *testing.T) {
	b := open(t, Config{Threads: 1})
	f := ort.TensorElementDataType(ort.TensorElementDataTypeFloat)
	in, out := []message{put("in", f, dims{3})}, []message{put("out", f, dims{2})}
	for want, g := range map[string]graph{
		"has 0 inputs and 1 outputs; both are needed": {
			nodes:   []message{node("RandomNormalLike", []string{"w"}, []string{"out"})},
			weights: []message{weights("w", floats(1, 2), 2)}, outputs: out,
		},
		`output "list" is a ONNX_TYPE_SEQUENCE, not a tensor`: {
			nodes:  []message{node("SequenceConstruct", []string{"in"}, []string{"list"})},
			inputs: in, outputs: []message{putSequence("list", f)},
		},
		`input "list" is a ONNX_TYPE_SEQUENCE, not a tensor`: {
			nodes:  []message{node("SequenceLength", []string{"list"}, []string{"n"})},
			inputs: []message{putSequence("list", f)}, outputs: []message{put("n", ort.TensorElementDataTypeInt64, dims{})},
		},
		"an output is a single number without dimensions": {
			nodes:  []message{node("ReduceSum", []string{"in"}, []string{"sum"}, whole("keepdims", 0))},
			inputs: in, outputs: []message{put("sum", f, dims{})},
		},
		`input "in": element type ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING has no counterpart here`:   identity(ort.TensorElementDataTypeString, dims{2}, dims{2}),
		`input "in": element type ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 has no counterpart here`: identity(ort.TensorElementDataTypeBFloat16, dims{2}, dims{2}),
		`output "out": element type ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 has no counterpart here`: {
			nodes:  []message{node("Cast", []string{"in"}, []string{"out"}, whole("to", int64(ort.TensorElementDataTypeBFloat16)))},
			inputs: in, outputs: []message{put("out", ort.TensorElementDataTypeBFloat16, dims{3})},
		},
	} {
		_, err := b.Load(worker.LoadSpec{Path: g.write(t)})
		if err == nil || worker.KindOf(err) != worker.KindUnsupported || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
