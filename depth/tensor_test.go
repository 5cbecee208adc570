package depth

import (
	"math"
	"slices"
	"testing"

	"hailo-depth/manifest"
	"hailo-depth/picture"
	"hailo-depth/tensor"
)

// two is a picture of two pixels, side by side.
func two() *picture.RGB {
	return &picture.RGB{Width: 2, Height: 1, Pix: []byte{0, 51, 102, 153, 204, 255}}
}

func TestToTensorBytes(t *testing.T) {
	for name, c := range map[string]struct {
		layout, channels string
		want             []byte
		shape            tensor.Shape
	}{
		"as it is":  {"NHWC", "RGB", []byte{0, 51, 102, 153, 204, 255}, tensor.Shape{1, 1, 2, 3}},
		"BGR":       {"NHWC", "BGR", []byte{102, 51, 0, 255, 204, 153}, tensor.Shape{1, 1, 2, 3}},
		"planes":    {"NCHW", "RGB", []byte{0, 153, 51, 204, 102, 255}, tensor.Shape{1, 3, 1, 2}},
		"BGR plane": {"NCHW", "BGR", []byte{102, 255, 51, 204, 0, 153}, tensor.Shape{1, 3, 1, 2}},
	} {
		got := toTensor(two(), manifest.Input{Width: 2, Height: 1, Layout: c.layout, Channels: c.channels, DType: "uint8", PixelMax: 255})
		if !slices.Equal(got.Data, c.want) || !slices.Equal(got.Shape, c.shape) || got.Check() != nil {
			t.Errorf("%s: %v %v, want %v %v", name, got.Shape, got.Data, c.shape, c.want)
		}
	}
}

// ImageNet's mean and standard deviation, on a scale of 0..1.
func TestToTensorScaled(t *testing.T) {
	in := manifest.Input{Width: 2, Height: 1, Layout: "NCHW", Channels: "RGB", DType: "float32", PixelMax: 1,
		Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}}
	values, err := toTensor(two(), in).Float32s()
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{(0 - 0.485) / 0.229, (0.6 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, (0.8 - 0.456) / 0.224, (0.4 - 0.406) / 0.225, (1 - 0.406) / 0.225}
	for i, w := range want {
		if math.Abs(float64(values[i])-w) > 1e-6 {
			t.Errorf("value %d is %v, want %v", i, values[i], w)
		}
	}
}

func TestToMap(t *testing.T) {
	make1 := func(shape ...int) *tensor.Tensor {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(i)
		}
		made, err := tensor.FromFloat32(values, shape...)
		if err != nil {
			t.Fatal(err)
		}
		return &made
	}
	for _, shape := range [][]int{{4, 5}, {1, 4, 5}, {1, 1, 4, 5}, {4, 5, 1}, {1, 4, 5, 1}} {
		m, err := toMap(make1(shape...))
		if err != nil || m.Width != 5 || m.Height != 4 || m.Values[19] != 19 {
			t.Errorf("%v: %+v, %v", shape, m, err)
		}
	}
	for _, shape := range [][]int{{5}, {2, 4, 5}, {4, 5, 3}, {0, 5}} {
		if m, err := toMap(make1(shape...)); err == nil {
			t.Errorf("%v became a map of %dx%d", shape, m.Width, m.Height)
		}
	}
	if _, err := toMap(nil); err == nil {
		t.Error("nothing became a map")
	}
	bad := make1(4, 5)
	copy(bad.Data, []byte{0, 0, 0xc0, 0x7f}) // NaN
	if _, err := toMap(bad); err == nil {
		t.Error("NaN became a depth")
	}
}
