package onnx

import (
	"fmt"
	"slices"

	ort "github.com/yalue/onnxruntime_go"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// inputInfo fixes the dimensions that the file leaves open: those given, else 1
// for an open first dimension, which is the batch.
func inputInfo(inputs []ort.InputOutputInfo, given map[string]tensor.Shape) ([]worker.TensorInfo, error) {
	known := map[string]bool{}
	var infos []worker.TensorInfo
	for _, in := range inputs {
		known[in.Name] = true
		if in.OrtValueType != ort.ONNXTypeTensor {
			return nil, unsupported("input %q is a %s, not a tensor", in.Name, in.OrtValueType)
		}
		dtype, err := ourType(in.DataType)
		if err != nil {
			return nil, unsupported("input %q: %v", in.Name, err)
		}
		shape, err := resolve(in.Name, toShape(in.Dimensions), given[in.Name])
		if err != nil {
			return nil, err
		}
		infos = append(infos, worker.TensorInfo{Name: in.Name, DType: dtype, Shape: shape})
	}
	for name := range given {
		if !known[name] {
			return nil, &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("input_shapes names %q; the network's inputs are %q", name, names(inputs))}
		}
	}
	return infos, nil
}

func resolve(name string, declared, given tensor.Shape) (tensor.Shape, error) {
	if given != nil && len(given) != len(declared) {
		return nil, &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("input %q has the shape %v (-1: free); input_shapes gives %v", name, declared, given)}
	}
	shape := slices.Clone(declared)
	for i, d := range declared {
		switch {
		case given != nil && (d <= 0 || d == given[i]) && given[i] > 0:
			shape[i] = given[i]
		case given != nil:
			return nil, &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("input %q has the shape %v (-1: free); input_shapes gives %v", name, declared, given)}
		case d <= 0 && i == 0:
			shape[i] = 1
		case d <= 0:
			return nil, &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf(
				"input %q has the free shape %v: say which to use in model_params.input_shapes or in the model's manifest", name, declared)}
		}
	}
	return shape, nil
}

// outputInfo takes over the outputs, with their shapes as far as the file has them.
func outputInfo(outputs []ort.InputOutputInfo) ([]worker.TensorInfo, error) {
	var infos []worker.TensorInfo
	for _, out := range outputs {
		if out.OrtValueType != ort.ONNXTypeTensor {
			return nil, unsupported("output %q is a %s, not a tensor", out.Name, out.OrtValueType)
		}
		dtype, err := ourType(out.DataType)
		if err != nil {
			return nil, unsupported("output %q: %v", out.Name, err)
		}
		info := worker.TensorInfo{Name: out.Name, DType: dtype, Shape: toShape(out.Dimensions)}
		if dtype == tensor.Float16 && !declared(info.Shape) {
			return nil, unsupported("output %q is float16 and its shape %v is free (-1): export the network with fixed sizes, or with a float32 output", out.Name, info.Shape)
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// declared reports whether the file fixes the shape. No dimensions at all are
// what the binding gives for a shape that is unknown altogether.
func declared(shape tensor.Shape) bool {
	for _, d := range shape {
		if d <= 0 {
			return false
		}
	}
	return len(shape) > 0
}
