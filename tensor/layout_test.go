package tensor

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// counted makes a uint8 tensor whose elements are 0, 1, 2, ...
func counted(shape ...int) Tensor {
	n, _ := Shape(shape).Elements()
	t := Tensor{DType: Uint8, Shape: shape, Data: make([]byte, n)}
	for i := range t.Data {
		t.Data[i] = byte(i)
	}
	return t
}

func TestFit(t *testing.T) {
	same := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	toHWC := []byte{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11} // three channels of 2 x 2
	toCHW := []byte{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}
	for _, c := range []struct {
		have, want Shape
		data       []byte
	}{
		{Shape{3, 2, 2}, Shape{3, 2, 2}, same},
		{Shape{3, 2, 2}, Shape{1, 3, 2, 2}, same},
		{Shape{1, 1, 3, 2, 2}, Shape{3, 2, 2}, same},
		{Shape{3, 2, 2}, Shape{2, 2, 3}, toHWC},
		{Shape{1, 3, 2, 2}, Shape{1, 2, 2, 3}, toHWC},
		{Shape{3, 2, 2}, Shape{1, 2, 2, 3}, toHWC},
		{Shape{2, 2, 3}, Shape{3, 2, 2}, toCHW},
		{Shape{1, 2, 2, 3}, Shape{1, 3, 2, 2}, toCHW},
		{Shape{1, 2, 2, 3}, Shape{3, 2, 2}, toCHW},
		{Shape{1, 3, 4}, Shape{3, 4, 1}, same},
		{Shape{3, 4, 1}, Shape{1, 3, 4}, same},
		{Shape{3, 4, 1}, Shape{1, 1, 3, 4}, same},
		{Shape{3, 1, 4}, Shape{1, 4, 3}, []byte{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}},
		{Shape{12}, Shape{1, 12}, same},
		{Shape{1, 1}, Shape{}, []byte{0}},
		{Shape{0, 3}, Shape{1, 0, 3}, nil},
	} {
		from := counted(c.have...)
		got, err := Fit(from, Uint8, c.want)
		if err != nil {
			t.Errorf("%v to %v: %v", c.have, c.want, err)
			continue
		}
		if !slices.Equal(got.Shape, c.want) || !bytes.Equal(got.Data, c.data) {
			t.Errorf("%v to %v: got %v %v, want %v", c.have, c.want, got.Shape, got.Data, c.data)
		}
		if !bytes.Equal(from.Data, counted(c.have...).Data) {
			t.Errorf("%v to %v changed its argument", c.have, c.want)
		}
	}
}

// TestFitMovesWholeElements: the same with elements of several bytes, there and back.
func TestFitMovesWholeElements(t *testing.T) {
	from, err := FromFloat32([]float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 1, 3, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	there, err := Fit(from, Float64, Shape{2, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := there.Float32s(); err != nil || !slices.Equal(got, []float32{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}) {
		t.Errorf("got %v, %v", got, err)
	}
	back, err := Fit(there, Float32, Shape{1, 3, 2, 2})
	if err != nil || !bytes.Equal(back.Data, from.Data) {
		t.Errorf("it does not come back: %v, %v", back, err)
	}
}

func TestFitNamesBothShapes(t *testing.T) {
	for _, c := range []struct{ have, want Shape }{
		{Shape{2, 3, 4}, Shape{4, 3, 2}}, // a mirror image is no other layout
		{Shape{2, 3, 4}, Shape{3, 2, 4}},
		{Shape{6}, Shape{2, 3}},
		{Shape{2, 3}, Shape{2, 3, 1}},
		{Shape{2, 3, 4, 1}, Shape{2, 3, 4}},
		{Shape{2, 3, 4}, Shape{2, 2, 3, 4}},
	} {
		_, err := Fit(counted(c.have...), Uint8, c.want)
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindShape || !strings.Contains(e.Message, c.have.String()) || !strings.Contains(e.Message, c.want.String()) {
			t.Errorf("%v to %v: %v", c.have, c.want, err)
		}
	}
	if _, err := Fit(Tensor{DType: Uint8, Shape: Shape{2}, Data: []byte{1}}, Uint8, Shape{2}); err == nil {
		t.Error("a tensor with missing bytes fits")
	}
}

func TestHugeShapesDoNotOverflow(t *testing.T) {
	const most = int(^uint(0) >> 1)
	for _, s := range []Shape{{most}, {most, most}, {1 << 32, 1 << 32}, {1 << 21, 1 << 21, 1 << 22}, {1<<40 + 1}, {3, 1 << 62}, {-1, 0}, {0, -1}, {-most, -most}} {
		n, err := s.Elements()
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindShape {
			t.Errorf("%v has %d elements, %v", s, n, err)
		}
		if (Tensor{DType: Float64, Shape: s}).Check() == nil {
			t.Errorf("no bytes fill %v", s)
		}
	}
	for _, s := range []Shape{{1 << 40}, {1 << 20, 1 << 20}, {0, most}} {
		if _, err := s.Elements(); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
	if n, err := (Shape{}).Elements(); n != 1 || err != nil {
		t.Errorf("a scalar has %d elements, %v", n, err)
	}
}

func TestSqueeze(t *testing.T) {
	for _, c := range []struct {
		s    Shape
		keep int
		want Shape
	}{{Shape{1, 1, 2, 1}, 0, Shape{2, 1}}, {Shape{1, 1, 1}, 0, Shape{}}, {Shape{1, 1, 4, 5}, 3, Shape{1, 4, 5}}, {Shape{2, 1}, 0, Shape{2, 1}}} {
		if got := c.s.Squeeze(c.keep); !slices.Equal(got, c.want) {
			t.Errorf("%v down to %d: %v, want %v", c.s, c.keep, got, c.want)
		}
	}
}
