package tensor

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Convert returns t with elements of type to: t itself when it has that type.
//
// Whole-number targets take whole numbers in their range; a fraction is cut off
// towards zero, as NumPy's astype does. A value out of range, or one that is not
// finite, is an error of KindValue with the value and its index. Between int8
// and uint8 the bytes are reinterpreted, which existing clients rely on. A
// float tensor with fractions whose values all lie in -1..1 is refused for a
// whole-number target: cutting it off would make a black picture of it.
func Convert(t Tensor, to DType) (Tensor, error) {
	if err := t.Check(); err != nil {
		return Tensor{}, err
	}
	if t.DType == to {
		return t, nil
	}
	if to.Size() == 1 && t.DType.Size() == 1 && to != Bool && t.DType != Bool {
		return Tensor{DType: to, Shape: t.Shape, Data: t.Data}, nil
	}
	read, write := reader(t.DType), writer(to)
	if read == nil || write == nil {
		return Tensor{}, &Error{Kind: KindDType, Message: fmt.Sprintf("cannot convert %s to %s", t.DType, to)}
	}
	if low, high, whole := bounds(to); whole {
		if err := checkWhole(t, read, low, high, to); err != nil {
			return Tensor{}, err
		}
	}
	n := len(t.Data) / t.DType.Size()
	out := make([]byte, n*to.Size())
	for i := range n {
		write(out[i*to.Size():], read(t.Data[i*t.DType.Size():]))
	}
	return Tensor{DType: to, Shape: t.Shape, Data: out}, nil
}

func checkWhole(t Tensor, read func([]byte) float64, low, high float64, to DType) error {
	fractional, smallest, largest := false, 0.0, 0.0
	for i := range len(t.Data) / t.DType.Size() {
		v := read(t.Data[i*t.DType.Size():])
		if math.IsNaN(v) || math.Trunc(v) < low || math.Trunc(v) > high {
			return &Error{Kind: KindValue, Message: fmt.Sprintf(
				"element %d is %v; %s holds %.0f to %.0f", i, v, to, low, high)}
		}
		fractional = fractional || v != math.Trunc(v)
		smallest, largest = min(smallest, v), max(largest, v)
	}
	if fractional && smallest >= -1 && largest <= 1 {
		return &Error{Kind: KindValue, Message: fmt.Sprintf(
			"%s values in %.0f..1 cannot become %s; scale them to 0..%.0f first", t.DType, math.Floor(smallest), to, high)}
	}
	return nil
}

// bounds gives the range of a whole-number type. The 64-bit types stop short of
// 2^53, from which on float64, through which values pass, is not exact.
func bounds(d DType) (low, high float64, whole bool) {
	switch d {
	case Bool:
		return 0, 1, true
	case Int8, Int16, Int32:
		half := math.Exp2(float64(8*d.Size() - 1))
		return -half, half - 1, true
	case Uint8, Uint16, Uint32:
		return 0, math.Exp2(float64(8*d.Size())) - 1, true
	case Int64:
		return -(1<<53 - 1), 1<<53 - 1, true
	case Uint64:
		return 0, 1<<53 - 1, true
	}
	return 0, 0, false
}

func reader(d DType) func([]byte) float64 {
	le := binary.LittleEndian
	switch d {
	case Bool, Uint8:
		return func(b []byte) float64 { return float64(b[0]) }
	case Int8:
		return func(b []byte) float64 { return float64(int8(b[0])) }
	case Int16:
		return func(b []byte) float64 { return float64(int16(le.Uint16(b))) }
	case Uint16:
		return func(b []byte) float64 { return float64(le.Uint16(b)) }
	case Int32:
		return func(b []byte) float64 { return float64(int32(le.Uint32(b))) }
	case Uint32:
		return func(b []byte) float64 { return float64(le.Uint32(b)) }
	case Int64:
		return func(b []byte) float64 { return float64(int64(le.Uint64(b))) }
	case Uint64:
		return func(b []byte) float64 { return float64(le.Uint64(b)) }
	case Float16:
		return func(b []byte) float64 { return float64(float16(le.Uint16(b))) }
	case Float32:
		return func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }
	case Float64:
		return func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }
	}
	return nil
}

func writer(d DType) func([]byte, float64) {
	le := binary.LittleEndian
	switch d {
	case Bool, Uint8:
		return func(b []byte, v float64) { b[0] = uint8(v) }
	case Int8:
		return func(b []byte, v float64) { b[0] = uint8(int8(v)) }
	case Int16:
		return func(b []byte, v float64) { le.PutUint16(b, uint16(int16(v))) }
	case Uint16:
		return func(b []byte, v float64) { le.PutUint16(b, uint16(v)) }
	case Int32:
		return func(b []byte, v float64) { le.PutUint32(b, uint32(int32(v))) }
	case Uint32:
		return func(b []byte, v float64) { le.PutUint32(b, uint32(v)) }
	case Int64:
		return func(b []byte, v float64) { le.PutUint64(b, uint64(int64(v))) }
	case Uint64:
		return func(b []byte, v float64) { le.PutUint64(b, uint64(v)) }
	case Float16:
		return func(b []byte, v float64) { le.PutUint16(b, toFloat16(float32(v))) }
	case Float32:
		return func(b []byte, v float64) { le.PutUint32(b, math.Float32bits(float32(v))) }
	case Float64:
		return func(b []byte, v float64) { le.PutUint64(b, math.Float64bits(v)) }
	}
	return nil
}
