// Package manifest says what a depth network expects and what its output
// means, where the model file cannot say it itself. NAME.yaml beside NAME.onnx
// or NAME.hef is all that a network of somebody else's needs to be used.
package manifest

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"hailo-depth/strictyaml"
)

// Manifest describes a depth network.
type Manifest struct {
	Name        string `yaml:"name"`
	Type        string `yaml:"type"` // monocular
	Description string `yaml:"description"`
	Licence     string `yaml:"licence"`
	Source      string `yaml:"source"`
	Input       Input  `yaml:"input"`
	Output      Output `yaml:"output"`
}

// Input is the picture that the network takes. The picture is stretched to
// Width x Height; each value v of a channel, 0..255, becomes
// (v * PixelMax / 255 - Mean) / Std.
type Input struct {
	Name     string    `yaml:"name"` // of the network's input; needed where the file leaves sizes free
	Width    int       `yaml:"width"`
	Height   int       `yaml:"height"`
	Layout   string    `yaml:"layout"`    // NHWC or NCHW
	DType    string    `yaml:"dtype"`     // uint8 or float32
	Channels string    `yaml:"channels"`  // RGB or BGR
	PixelMax float64   `yaml:"pixel_max"` // what a full channel becomes before mean and std: 255 or 1
	Mean     []float64 `yaml:"mean"`      // per channel, in the network's order; none: 0
	Std      []float64 `yaml:"std"`       // likewise; none: 1
}

// Output is what comes out.
type Output struct {
	Name string `yaml:"name"`
	// Meaning is logit (a network's raw output), disparity (inverse depth) or
	// depth (distance).
	Meaning string `yaml:"meaning"`
	Near    string `yaml:"near"` // large or small: which end of the numbers is near
	Unit    string `yaml:"unit"` // relative or metre; disparity in metre is 1/metre
	// Invariance says what relative numbers leave open: scale (one factor) or
	// affine (a factor and a summand, so that not even ratios mean anything).
	// Empty where the unit is metre. For a logit it is that of its disparity.
	Invariance string  `yaml:"invariance"`
	Sigmoid    Sigmoid `yaml:"sigmoid"` // how a logit becomes disparity
}

// Sigmoid is the last step of networks that train on disparity within bounds:
// disparity = Scale*sigmoid(x) + Shift. Scale 0: it is not known.
type Sigmoid struct {
	Scale float64 `yaml:"scale"`
	Shift float64 `yaml:"shift"` // more than 0, or depth would have no bound
}

// check fills in the invariance and refuses outputs that contradict themselves.
func (o *Output) check(fail func(key string, value any, want string), oneOf func(key, value string, allowed ...string)) {
	switch {
	case o.Meaning == "disparity" && o.Near == "small":
		fail("output.near", o.Near, "large: disparity grows towards the near")
	case o.Meaning == "depth" && o.Near == "large":
		fail("output.near", o.Near, "small: depth grows towards the far")
	case o.Unit == "metre" && o.Meaning == "logit":
		fail("output.unit", o.Unit, "relative: a logit has no unit")
	}
	switch {
	case o.Unit != "relative":
		if o.Invariance != "" {
			fail("output.invariance", o.Invariance, "none beside unit "+o.Unit)
		}
	case o.Invariance != "":
		oneOf("output.invariance", o.Invariance, "scale", "affine")
	case o.Meaning == "logit":
		o.Invariance = "scale"
	default:
		o.Invariance = "affine" // which promises least
	}
	s := o.Sigmoid
	switch {
	case s == Sigmoid{}:
	case o.Meaning != "logit":
		fail("output.sigmoid", s, "none beside meaning "+o.Meaning)
	case !(s.Scale >= leastSigmoid && s.Scale <= mostSigmoid):
		fail("output.sigmoid.scale", s.Scale, fmt.Sprintf("%g to %g", leastSigmoid, mostSigmoid))
	case !(s.Shift >= s.Scale/mostDepthRatio && s.Shift <= mostSigmoid):
		fail("output.sigmoid.shift", s.Shift, fmt.Sprintf("at least a %gth of the scale, at most %g", mostDepthRatio, mostSigmoid))
	case o.Near == "small":
		fail("output.near", o.Near, "large: this logit grows with disparity")
	}
}

// Bounds of a sigmoid, so that disparity and depth stay far inside what float32
// holds and no depth is many times the smallest.
const (
	leastSigmoid   = 1e-6
	mostSigmoid    = 1e6
	mostDepthRatio = 5000.0
)

// Larger says in words which way the numbers run.
func (o Output) Larger() string {
	if o.Near == "large" {
		return "larger is nearer"
	}
	return "larger is farther"
}

// maxSide bounds the input's sides; the largest public depth networks take about 1300.
const maxSide = 8192

// Parse reads and checks a manifest; name is for messages. Values that are left
// out get the usual ones: NHWC, uint8, RGB, pixel_max 255, no mean and std.
func Parse(r io.Reader, name string) (Manifest, error) {
	m := Manifest{Type: "monocular", Input: Input{Layout: "NHWC", DType: "uint8", Channels: "RGB", PixelMax: 255}, Output: Output{Unit: "relative"}}
	if err := strictyaml.Decode(r, name, &m); err != nil {
		return m, err
	}
	var errs []error
	fail := func(key string, value any, want string) {
		errs = append(errs, &strictyaml.Error{Source: name, Message: fmt.Sprintf("%s: %v is not valid; expected %s", key, value, want)})
	}
	oneOf := func(key, value string, allowed ...string) {
		for _, a := range allowed {
			if value == a {
				return
			}
		}
		fail(key, fmt.Sprintf("%q", value), "one of "+strings.Join(allowed, ", "))
	}
	if m.Name == "" || strings.ContainsAny(m.Name, "/\\\x00") {
		fail("name", fmt.Sprintf("%q", m.Name), "a name without slashes")
	}
	oneOf("type", m.Type, "monocular")
	in := m.Input
	if in.Width < 1 || in.Width > maxSide {
		fail("input.width", in.Width, fmt.Sprintf("1 to %d", maxSide))
	}
	if in.Height < 1 || in.Height > maxSide {
		fail("input.height", in.Height, fmt.Sprintf("1 to %d", maxSide))
	}
	oneOf("input.layout", in.Layout, "NHWC", "NCHW")
	oneOf("input.dtype", in.DType, "uint8", "float32")
	oneOf("input.channels", in.Channels, "RGB", "BGR")
	if in.PixelMax != 255 && in.PixelMax != 1 {
		fail("input.pixel_max", in.PixelMax, "255 or 1")
	}
	perChannel := func(key string, values []float64, zero bool) {
		ok := len(values) == 0 || len(values) == 3
		for _, v := range values {
			ok = ok && !math.IsNaN(v) && !math.IsInf(v, 0) && (zero || v > 0)
		}
		if !ok {
			fail(key, values, "three numbers, one a channel")
		}
	}
	perChannel("input.mean", in.Mean, true)
	perChannel("input.std", in.Std, false)
	if in.DType == "uint8" && (in.PixelMax != 255 || len(in.Mean) > 0 || len(in.Std) > 0) {
		fail("input.dtype", in.DType, "float32, since pixel_max, mean or std are given")
	}
	oneOf("output.meaning", m.Output.Meaning, "logit", "disparity", "depth")
	oneOf("output.near", m.Output.Near, "large", "small")
	oneOf("output.unit", m.Output.Unit, "relative", "metre")
	m.Output.check(fail, oneOf)
	return m, errors.Join(errs...)
}
