package onnx

import (
	"bytes"
	"fmt"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"hailo-depth/tensor"
)

// elementTypes pairs ONNX's element types with ours.
var elementTypes = [...]struct {
	onnx ort.TensorElementDataType
	ours tensor.DType
}{
	{ort.TensorElementDataTypeBool, tensor.Bool},
	{ort.TensorElementDataTypeInt8, tensor.Int8},
	{ort.TensorElementDataTypeUint8, tensor.Uint8},
	{ort.TensorElementDataTypeInt16, tensor.Int16},
	{ort.TensorElementDataTypeUint16, tensor.Uint16},
	{ort.TensorElementDataTypeInt32, tensor.Int32},
	{ort.TensorElementDataTypeUint32, tensor.Uint32},
	{ort.TensorElementDataTypeInt64, tensor.Int64},
	{ort.TensorElementDataTypeUint64, tensor.Uint64},
	{ort.TensorElementDataTypeFloat16, tensor.Float16},
	{ort.TensorElementDataTypeFloat, tensor.Float32},
	{ort.TensorElementDataTypeDouble, tensor.Float64},
}

func ourType(t ort.TensorElementDataType) (tensor.DType, error) {
	for _, e := range elementTypes {
		if e.onnx == t {
			return e.ours, nil
		}
	}
	return tensor.Invalid, fmt.Errorf("element type %s has no counterpart here", t)
}

func onnxType(d tensor.DType) ort.TensorElementDataType {
	for _, e := range elementTypes {
		if e.ours == d {
			return e.onnx
		}
	}
	return ort.TensorElementDataTypeUndefined
}

func toShape(dims ort.Shape) tensor.Shape {
	shape := make(tensor.Shape, len(dims))
	for i, d := range dims {
		shape[i] = int(d)
	}
	return shape
}

// value wraps memory that outlives it as an ONNX value. A scalar has the shape
// [] in a file, which the binding cannot express; [1] holds the same byte.
func value(shape tensor.Shape, dtype tensor.DType, memory []byte) (ort.Value, error) {
	dims := make(ort.Shape, 0, max(len(shape), 1))
	for _, d := range shape {
		dims = append(dims, int64(d))
	}
	if len(dims) == 0 {
		dims = append(dims, 1)
	}
	return ort.NewCustomDataTensor(dims, memory, onnxType(dtype))
}

// copyOut makes a tensor of an output: one that ONNX Runtime allocated itself, or bound memory.
func copyOut(v ort.Value) (tensor.Tensor, error) {
	shape := toShape(v.GetShape())
	switch t := v.(type) {
	case *ort.CustomDataTensor:
		dtype, err := ourType(ort.TensorElementDataType(t.DataType()))
		return tensor.Tensor{DType: dtype, Shape: shape, Data: bytes.Clone(t.GetData())}, err
	case *ort.Tensor[bool]:
		return fromSlice(t.GetData(), tensor.Bool, shape)
	case *ort.Tensor[int8]:
		return fromSlice(t.GetData(), tensor.Int8, shape)
	case *ort.Tensor[uint8]:
		return fromSlice(t.GetData(), tensor.Uint8, shape)
	case *ort.Tensor[int16]:
		return fromSlice(t.GetData(), tensor.Int16, shape)
	case *ort.Tensor[uint16]:
		return fromSlice(t.GetData(), tensor.Uint16, shape)
	case *ort.Tensor[int32]:
		return fromSlice(t.GetData(), tensor.Int32, shape)
	case *ort.Tensor[uint32]:
		return fromSlice(t.GetData(), tensor.Uint32, shape)
	case *ort.Tensor[int64]:
		return fromSlice(t.GetData(), tensor.Int64, shape)
	case *ort.Tensor[uint64]:
		return fromSlice(t.GetData(), tensor.Uint64, shape)
	case *ort.Tensor[float32]:
		return fromSlice(t.GetData(), tensor.Float32, shape)
	case *ort.Tensor[float64]:
		return fromSlice(t.GetData(), tensor.Float64, shape)
	}
	return tensor.Tensor{}, fmt.Errorf("an output of type %s whose shape depends on the data is not supported", v.GetONNXType())
}

// fromSlice copies the elements' bytes: both supported architectures are little
// endian, as tensors are.
func fromSlice[T any](elements []T, dtype tensor.DType, shape tensor.Shape) (tensor.Tensor, error) {
	t := tensor.Tensor{DType: dtype, Shape: shape}
	if len(elements) > 0 {
		size := int(unsafe.Sizeof(elements[0])) * len(elements)
		t.Data = append(t.Data, unsafe.Slice((*byte)(unsafe.Pointer(&elements[0])), size)...)
	}
	return t, t.Check()
}
