package depth

import (
	"encoding/binary"
	"fmt"
	"math"

	"hailo-depth/depthmap"
	"hailo-depth/manifest"
	"hailo-depth/picture"
	"hailo-depth/tensor"
)

// inputShape is the shape of the tensor that toTensor makes.
func inputShape(in manifest.Input) tensor.Shape {
	if in.Layout == "NCHW" {
		return tensor.Shape{1, 3, in.Height, in.Width}
	}
	return tensor.Shape{1, in.Height, in.Width, 3}
}

// toTensor makes a network's input of a picture of its size: uint8 as it is, or
// float32 with the manifest's scaling, in the manifest's layout and channel order.
func toTensor(p *picture.RGB, in manifest.Input) tensor.Tensor {
	t := tensor.Tensor{DType: tensor.Uint8, Shape: inputShape(in), Data: p.Pix}
	if in.DType == "uint8" && in.Layout == "NHWC" && in.Channels == "RGB" {
		return t
	}
	pixels := p.Width * p.Height
	// Channel c of the network comes from channel source[c] of the picture; value
	// i of it stands at c*plane + i*step.
	source := [3]int{0, 1, 2}
	if in.Channels == "BGR" {
		source = [3]int{2, 1, 0}
	}
	plane, step := 1, 3
	if in.Layout == "NCHW" {
		plane, step = pixels, 1
	}
	if in.DType == "uint8" {
		t.Data = make([]byte, 3*pixels)
		for c, from := range source {
			for i := range pixels {
				t.Data[c*plane+i*step] = p.Pix[3*i+from]
			}
		}
		return t
	}
	t.DType, t.Data = tensor.Float32, make([]byte, 4*3*pixels)
	for c, from := range source {
		bits := scaled(in, c)
		for i := range pixels {
			binary.LittleEndian.PutUint32(t.Data[4*(c*plane+i*step):], bits[p.Pix[3*i+from]])
		}
	}
	return t
}

// scaled tabulates the float32 bits of every value of a channel.
func scaled(in manifest.Input, channel int) (bits [256]uint32) {
	mean, std := 0.0, 1.0
	if len(in.Mean) > 0 {
		mean = in.Mean[channel]
	}
	if len(in.Std) > 0 {
		std = in.Std[channel]
	}
	for v := range bits {
		bits[v] = math.Float32bits(float32((float64(v)*in.PixelMax/255 - mean) / std))
	}
	return bits
}

// toMap squeezes a network's output to a map: the axes of one in front, then
// those behind, until two are left.
func toMap(t *tensor.Tensor) (*depthmap.Map, error) {
	if t == nil {
		return nil, fmt.Errorf("the network's output is not one tensor")
	}
	shape := t.Shape.Squeeze(2)
	for len(shape) > 2 && shape[len(shape)-1] == 1 {
		shape = shape[:len(shape)-1]
	}
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		return nil, fmt.Errorf("the network's output of shape %v is no map; expected one value a pixel", t.Shape)
	}
	values, err := t.Float32s()
	if err != nil {
		return nil, fmt.Errorf("the network's output: %w", err)
	}
	m := &depthmap.Map{Width: shape[1], Height: shape[0], Values: values}
	return m, m.CheckFinite()
}
