package stream

import (
	"testing"

	"hailo-depth/tensor"
)

func TestShape(t *testing.T) {
	for _, c := range []struct {
		stream Stream
		want   string
	}{
		{Stream{Height: 2, Width: 3, Features: 4, Order: 1, Type: Uint8, Bytes: 24}, "[2, 3, 4]"},
		{Stream{Height: 2, Width: 3, Features: 4, Order: 1, Type: Uint16, Bytes: 48}, "[2, 3, 4]"},
		{Stream{Height: 2, Width: 3, Features: 1, Order: NHW, Type: Float32, Bytes: 24}, "[2, 3]"},
		{Stream{Height: 1, Width: 1, Features: 512, Order: NC, Type: Uint8, Bytes: 512}, "[512]"},
		{Stream{Height: 2, Width: 3, Features: 4, Order: NCHW, Type: Uint8, Bytes: 24}, "[4, 2, 3]"},
		{Stream{Order: NMSByClass, Type: Float32, Classes: 80, BoxesPerClass: 100, Bytes: 4 * 80 * 501}, "[40080]"},
		{Stream{Order: NMSByScore, Type: Uint8, Bytes: 4802}, "[4802]"},
		{Stream{Order: NMSWithByteMask, Type: Uint8, Bytes: 123456}, "[123456]"},
	} {
		if got, err := c.stream.Shape(); err != nil || got.String() != c.want {
			t.Errorf("%+v: %v, %v; want %s", c.stream, got, err, c.want)
		}
	}
	for _, s := range []Stream{
		{Height: 2, Width: 3, Features: 4, Order: 1, Type: Uint8, Bytes: 25},
		{Height: 2, Width: 3, Features: 4, Order: 1, Type: Auto, Bytes: 24},
		{Height: 2, Width: 3, Features: 4, Order: 1, Type: 9, Bytes: 24},
		{Height: 1 << 30, Width: 1 << 30, Features: 4, Order: 1, Type: Uint8, Bytes: 24},
		{Height: -2, Width: 3, Features: -4, Order: 1, Type: Uint8, Bytes: 24},
	} {
		if got, err := s.Shape(); err == nil {
			t.Errorf("%+v has the shape %v", s, got)
		}
	}
}

func TestTypes(t *testing.T) {
	for from, want := range map[Type]tensor.DType{Auto: tensor.Invalid, Uint8: tensor.Uint8, Uint16: tensor.Uint16, Float32: tensor.Float32, 7: tensor.Invalid} {
		if got := from.DType(); got != want {
			t.Errorf("type %d is %s, want %s", from, got, want)
		}
	}
}
