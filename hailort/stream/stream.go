// Package stream describes the inputs and outputs of HailoRT's networks: the
// shapes that existing clients know them by, and the numbers that the
// quantised values of an output stand for.
package stream

import (
	"fmt"

	"hailo-depth/tensor"
)

// Type is a hailo_format_type_t.
type Type int

// The types of elements.
const (
	Auto    Type = 0
	Uint8   Type = 1
	Uint16  Type = 2
	Float32 Type = 3
)

// DType is the type in the words of tensors; Invalid for Auto and what is unknown.
func (t Type) DType() tensor.DType {
	switch t {
	case Uint8:
		return tensor.Uint8
	case Uint16:
		return tensor.Uint16
	case Float32:
		return tensor.Float32
	}
	return tensor.Invalid
}

// Order is a hailo_format_order_t.
type Order int

// The orders whose shape is not height, width, features.
const (
	NHW             Order = 5
	NC              Order = 6
	NCHW            Order = 11
	NMSWithByteMask Order = 20
	NMSByClass      Order = 22
	NMSByScore      Order = 23
)

// Quantisation says what the integers of an output stand for:
// (q - ZeroPoint) * Scale.
type Quantisation struct {
	ZeroPoint, Scale float32
}

// Stream is an input or an output as the library describes it.
type Stream struct {
	Name                    string
	Height, Width, Features int
	Order                   Order
	Type                    Type
	Bytes                   int            // of one frame
	Classes, BoxesPerClass  int            // NMSByClass
	Quantisation            []Quantisation // one, or one a channel
}

// Detections reports whether the stream holds detected boxes, whose layout is
// the library's own.
func (s Stream) Detections() bool {
	return s.Order == NMSByClass || s.Order == NMSByScore || s.Order == NMSWithByteMask
}

// Shape is that of a frame: [features] for NC, [height, width] for NHW,
// [features, height, width] for NCHW, [classes * (1 + 5 * boxes per class)] for
// NMSByClass (of each class a count, then y_min, x_min, y_max, x_max and score of
// each box), [bytes] for other detections, else [height, width, features]. It
// fails when the frame's size is another.
func (s Stream) Shape() (tensor.Shape, error) {
	shape := tensor.Shape{s.Height, s.Width, s.Features}
	switch s.Order {
	case NC:
		shape = tensor.Shape{s.Features}
	case NHW:
		shape = tensor.Shape{s.Height, s.Width}
	case NCHW:
		shape = tensor.Shape{s.Features, s.Height, s.Width}
	case NMSByClass:
		shape = tensor.Shape{s.Classes * (1 + 5*s.BoxesPerClass)}
	case NMSByScore, NMSWithByteMask:
		shape = tensor.Shape{s.Bytes}
	}
	size := s.Type.DType().Size()
	if size == 0 {
		return nil, fmt.Errorf("stream %q has the type %d; expected 1 (uint8), 2 (uint16) or 3 (float32)", s.Name, s.Type)
	}
	if n, err := shape.Elements(); err != nil || n*size != s.Bytes {
		return nil, fmt.Errorf("stream %q of order %d and shape %v has frames of %d bytes; expected %d", s.Name, s.Order, shape, s.Bytes, n*size)
	}
	return shape, nil
}
