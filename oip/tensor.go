package oip

import (
	"encoding/binary"

	"hailo-depth/tensor"
)

// Tensor is an input or an output.
type Tensor struct {
	Name       string
	Datatype   Datatype
	Shape      tensor.Shape
	Parameters Parameters
	// Data holds the elements in C order, little endian; those of Bytes each as
	// a 4-byte little-endian length and so many bytes.
	Data []byte
}

// FromTensor names t.
func FromTensor(name string, t tensor.Tensor) Tensor {
	return Tensor{Name: name, Datatype: DatatypeOf(t.DType), Shape: t.Shape, Data: t.Data}
}

// FromStrings makes a vector of Bytes.
func FromStrings(name string, values ...string) Tensor {
	t := Tensor{Name: name, Datatype: Bytes, Shape: tensor.Shape{len(values)}, Data: []byte{}}
	for _, v := range values {
		t.Data = appendString(t.Data, v)
	}
	return t
}

func appendString(dst []byte, v string) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(v))), v...)
}

// Tensor is t without its name; it shares t's memory. An *Error for Bytes.
func (t Tensor) Tensor() (tensor.Tensor, error) {
	d := t.Datatype.DType()
	if d == tensor.Invalid {
		return tensor.Tensor{}, errorf("tensor %q has the datatype %s; expected numbers", t.Name, t.Datatype)
	}
	return tensor.Tensor{DType: d, Shape: t.Shape, Data: t.Data}, nil
}

// Strings are the elements of a tensor of Bytes; an *Error for any other.
func (t Tensor) Strings() ([]string, error) {
	if t.Datatype != Bytes {
		return nil, errorf("tensor %q has the datatype %s; expected BYTES", t.Name, t.Datatype)
	}
	var values []string
	for data := t.Data; len(data) > 0; {
		element, rest, ok := cutString(data)
		if !ok {
			return nil, errorf("tensor %q: element %d of BYTES is cut off", t.Name, len(values))
		}
		values, data = append(values, string(element)), rest
	}
	return values, nil
}

func cutString(data []byte) (element, rest []byte, ok bool) {
	if len(data) < 4 {
		return nil, nil, false
	}
	n := binary.LittleEndian.Uint32(data)
	if uint64(n) > uint64(len(data)-4) {
		return nil, nil, false
	}
	return data[4 : 4+n], data[4+n:], true
}

// Check reports whether the bytes fill the shape exactly.
func (t Tensor) Check() error {
	if err := t.Datatype.check(); err != nil {
		return prefixed(t.Name, err)
	}
	if t.Datatype != Bytes {
		plain, err := t.Tensor()
		if err == nil {
			err = plain.Check()
		}
		return prefixed(t.Name, err)
	}
	want, err := t.Shape.Elements()
	if err != nil {
		return prefixed(t.Name, err)
	}
	n := 0
	for data := t.Data; len(data) > 0; n++ {
		_, rest, ok := cutString(data)
		if !ok {
			return errorf("tensor %q: element %d of BYTES is cut off", t.Name, n)
		}
		data = rest
	}
	if n != want {
		return errorf("tensor %q has %d elements of BYTES; shape %v needs %d", t.Name, n, t.Shape, want)
	}
	return nil
}

func prefixed(name string, err error) error {
	if err == nil {
		return nil
	}
	return errorf("tensor %q: %v", clip(name), err)
}

// finite reports whether every element of a float tensor is one that JSON has.
// The exponent of those that it has not is all ones.
func (t Tensor) finite() bool {
	var mask uint64
	switch t.Datatype.DType() {
	case tensor.Float16:
		mask = 0x7c00
	case tensor.Float32:
		mask = 0x7f800000
	case tensor.Float64:
		mask = 0x7ff0000000000000
	default:
		return true
	}
	size := t.Datatype.DType().Size()
	for data := t.Data; len(data) >= size; data = data[size:] {
		if element(data[:size])&mask == mask {
			return false
		}
	}
	return true
}

// element is the little-endian number of up to 8 bytes.
func element(raw []byte) uint64 {
	var little [8]byte
	copy(little[:], raw)
	return binary.LittleEndian.Uint64(little[:])
}
