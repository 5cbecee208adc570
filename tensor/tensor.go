package tensor

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxElements bounds a shape's product, so that sizes never overflow an int;
// maxDimensions is NumPy's limit and keeps shapes fit for messages.
const (
	maxElements   = 1 << 40
	maxDimensions = 64
)

// Shape holds the dimensions, outermost first.
type Shape []int

// Elements is the product of the dimensions (1 for a scalar). It fails with
// KindShape when one is negative, the product exceeds 2^40 or there are over 64.
func (s Shape) Elements() (int, error) {
	if len(s) > maxDimensions {
		return 0, &Error{Kind: KindShape, Message: fmt.Sprintf("the shape has %d dimensions; at most %d are taken", len(s), maxDimensions)}
	}
	n := 1
	for _, d := range s {
		if d < 0 {
			return 0, &Error{Kind: KindShape, Message: fmt.Sprintf("shape %v has the negative dimension %d", s, d)}
		}
		if d != 0 && n > maxElements/d {
			return 0, &Error{Kind: KindShape, Message: fmt.Sprintf("shape %v has too many elements", s)}
		}
		n *= d
	}
	return n, nil
}

// String writes the shape as [1, 3, 256, 320].
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = strconv.Itoa(d)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// Squeeze drops leading dimensions of 1 as long as more than keep remain.
func (s Shape) Squeeze(keep int) Shape {
	for len(s) > keep && s[0] == 1 {
		s = s[1:]
	}
	return s
}

// Tensor is a dense array. len(Data) == DType.Size() * product(Shape); C order,
// little endian. Data may be shared: whoever passes a Tensor on gives it away.
type Tensor struct {
	DType DType
	Shape Shape
	Data  []byte
}

// Check reports whether the bytes fill the shape exactly.
func (t Tensor) Check() error {
	if t.DType.Size() == 0 {
		return &Error{Kind: KindDType, Message: "the tensor has no data type"}
	}
	n, err := t.Shape.Elements()
	if err != nil {
		return err
	}
	if want := n * t.DType.Size(); len(t.Data) != want {
		return &Error{Kind: KindLength, Message: fmt.Sprintf(
			"the tensor has %d bytes; dtype %s and shape %v need %d", len(t.Data), t.DType, t.Shape, want)}
	}
	return nil
}

// Describe names type and shape for messages: "uint8 [256, 320, 3]".
func (t Tensor) Describe() string { return t.DType.String() + " " + t.Shape.String() }

// FromFloat32 makes a float32 tensor; it fails when values do not fill the shape.
func FromFloat32(values []float32, shape ...int) (Tensor, error) {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	t := Tensor{DType: Float32, Shape: slices.Clone(shape), Data: data}
	return t, t.Check()
}

// Float32s returns the elements of a float32 tensor; any other type is
// converted as by Convert.
func (t Tensor) Float32s() ([]float32, error) {
	f, err := Convert(t, Float32)
	if err != nil {
		return nil, err
	}
	values := make([]float32, len(f.Data)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(f.Data[4*i:]))
	}
	return values, nil
}
