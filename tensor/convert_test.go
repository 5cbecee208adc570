package tensor

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// of makes a vector of the values, which its type must hold exactly.
func of(d DType, values ...float64) Tensor {
	t := Tensor{DType: d, Shape: Shape{len(values)}, Data: make([]byte, len(values)*d.Size())}
	for i, v := range values {
		at := t.Data[i*d.Size():]
		switch d {
		case Float32:
			binary.LittleEndian.PutUint32(at, math.Float32bits(float32(v)))
		case Float64:
			binary.LittleEndian.PutUint64(at, math.Float64bits(v))
		case Float16:
			binary.LittleEndian.PutUint16(at, toFloat16(float32(v)))
		default:
			var wide [8]byte
			binary.LittleEndian.PutUint64(wide[:], uint64(int64(v)))
			copy(at, wide[:d.Size()])
		}
	}
	return t
}

func TestConvertValues(t *testing.T) {
	const top = 1<<53 - 1
	for _, c := range []struct{ from, want Tensor }{
		{of(Float32, 0, 1.9, 254.99, 255), of(Uint8, 0, 1, 254, 255)},
		{of(Float32, -0.5, 7), of(Uint8, 0, 7)},
		{of(Float64, -128.9, -3.7, 127.9), of(Int8, -128, -3, 127)},
		{of(Float32, 0, 1), of(Uint8, 0, 1)},
		{of(Float32, -3.5, 0.2), of(Int16, -3, 0)},
		{of(Float16, 65504, 2), of(Uint16, 65504, 2)},
		{of(Uint8, 0, 128, 255), of(Float32, 0, 128, 255)},
		{of(Uint8, 0, 128, 255), of(Float16, 0, 128, 255)},
		{of(Int8, -128, 127), of(Float64, -128, 127)},
		{of(Int16, -32768, 32767), of(Int32, -32768, 32767)},
		{of(Uint16, 0, 65535), of(Uint32, 0, 65535)},
		{of(Int32, math.MinInt32, math.MaxInt32), of(Int64, math.MinInt32, math.MaxInt32)},
		{of(Uint32, 0, math.MaxUint32), of(Uint64, 0, math.MaxUint32)},
		{of(Int64, -top, top), of(Float64, -top, top)},
		{of(Float64, -top, top), of(Int64, -top, top)},
		{of(Uint64, top), of(Int64, top)},
		{of(Int64, 0, top), of(Uint64, 0, top)},
		{of(Bool, 0, 1), of(Uint8, 0, 1)},
		{of(Bool, 0, 1), of(Float32, 0, 1)},
		{of(Uint8, 0, 1), of(Bool, 0, 1)},
		{of(Float32, 0, 1), of(Bool, 0, 1)},
		// The bytes stay: what clients that mean the other sign rely on.
		{of(Int8, -128, -1, 127), of(Uint8, 128, 255, 127)},
		{of(Uint8, 128, 255, 127), of(Int8, -128, -1, 127)},
		{of(Float32, math.Inf(1), math.NaN()), of(Float64, math.Inf(1), math.NaN())},
		{of(Float32), of(Uint8)},
	} {
		got, err := Convert(c.from, c.want.DType)
		if err != nil {
			t.Errorf("%s to %s: %v", c.from.Describe(), c.want.DType, err)
			continue
		}
		same := slices.Equal(got.Data, c.want.Data)
		if c.want.DType == Float64 && math.IsNaN(math.Float64frombits(binary.LittleEndian.Uint64(c.want.Data[len(c.want.Data)-8:]))) {
			same = slices.Equal(got.Data[:8], c.want.Data[:8]) && math.IsNaN(math.Float64frombits(binary.LittleEndian.Uint64(got.Data[8:])))
		}
		if got.DType != c.want.DType || !slices.Equal(got.Shape, c.from.Shape) || !same {
			t.Errorf("%s %v to %s: got %s %v, want %v", c.from.Describe(), c.from.Data, c.want.DType, got.Describe(), got.Data, c.want.Data)
		}
	}
}

func TestConvertRefusals(t *testing.T) {
	for _, c := range []struct {
		from Tensor
		to   DType
		says string
	}{
		{of(Float32, 5, 256), Uint8, "element 1 is 256; uint8 holds 0 to 255"},
		{of(Float32, -1), Uint8, "element 0 is -1"},
		{of(Int16, -129), Int8, "int8 holds -128 to 127"},
		{of(Uint16, 128), Int8, "element 0 is 128"},
		{of(Float32, math.NaN()), Uint8, "element 0 is NaN"},
		{of(Float32, math.Inf(1)), Int64, "element 0 is +Inf"},
		{of(Float32, math.Inf(-1)), Int64, "element 0 is -Inf"},
		{of(Int32, 32768), Int16, "int16 holds -32768 to 32767"},
		{of(Int32, -1), Uint16, "uint16 holds 0 to 65535"},
		{of(Int64, 1<<31), Int32, "int32 holds -2147483648 to 2147483647"},
		{of(Int64, -1), Uint32, "uint32 holds 0 to 4294967295"},
		{of(Uint8, 2), Bool, "bool holds 0 to 1"},
		{of(Float32, 0.25, 1), Uint8, "float32 values in 0..1 cannot become uint8; scale them to 0..255 first"},
		{of(Float64, 0.25, 0), Int32, "float64 values in 0..1 cannot become int32"},
		{of(Float16, 0.5), Bool, "float16 values in 0..1 cannot become bool"},
		{of(Float32, -0.5, 1), Int8, "float32 values in -1..1 cannot become int8"},
		{of(Float64, 1<<53), Int64, "element 0 is 9.007199254740992e+15"},
	} {
		_, err := Convert(c.from, c.to)
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindValue || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s to %s: %v, want %q", c.from.Describe(), c.to, err, c.says)
		}
	}
}

// TestConvertNeverChangesAWholeNumber: from 2^53 on a float64, through which
// values pass, lies between whole numbers; they must not come out changed.
func TestConvertNeverChangesAWholeNumber(t *testing.T) {
	for _, v := range []int64{1 << 53, 1<<53 + 1, -(1 << 53), -(1<<53 + 1), math.MaxInt64, math.MinInt64} {
		from := Tensor{DType: Int64, Shape: Shape{1}, Data: binary.LittleEndian.AppendUint64(nil, uint64(v))}
		if got, err := Convert(from, Uint64); err == nil {
			t.Errorf("%d became %d", v, binary.LittleEndian.Uint64(got.Data))
		}
	}
	from := Tensor{DType: Uint64, Shape: Shape{1}, Data: binary.LittleEndian.AppendUint64(nil, 1<<53+1)}
	if got, err := Convert(from, Int64); err == nil {
		t.Errorf("%d became %d", uint64(1<<53+1), binary.LittleEndian.Uint64(got.Data))
	}
}

func TestConvertOfTheSameTypeCopiesNothing(t *testing.T) {
	from := of(Float32, 0.25, math.Inf(1))
	got, err := Convert(from, Float32)
	if err != nil || &got.Data[0] != &from.Data[0] {
		t.Errorf("copied, %v", err)
	}
}

func TestConvertChecksFirst(t *testing.T) {
	for _, bad := range []Tensor{{}, {DType: Float32, Shape: Shape{2}, Data: make([]byte, 4)}, {DType: Uint8, Shape: Shape{-1}}} {
		if got, err := Convert(bad, bad.DType); err == nil {
			t.Errorf("%s became %s", bad.Describe(), got.Describe())
		}
	}
	var e *Error
	if _, err := Convert(of(Uint8, 1), Invalid); !errors.As(err, &e) || e.Kind != KindDType {
		t.Errorf("to no type: %v", err)
	}
}

func TestFloat32s(t *testing.T) {
	want := []float32{1.5, -2, float32(math.Inf(1))}
	made, err := FromFloat32(want, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := made.Float32s(); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := of(Uint8, 3, 4).Float32s(); err != nil || !slices.Equal(got, []float32{3, 4}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := FromFloat32(want, 4); err == nil {
		t.Error("three values fill a shape of four")
	}
}
