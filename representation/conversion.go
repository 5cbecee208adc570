package representation

import (
	"fmt"
	"math"

	"hailo-depth/depthmap"
	"hailo-depth/manifest"
)

// Conversion turns a network's map into a representation in two steps, between
// which the map is brought to the picture's size.
//
// Disparity is what gets resized, never a logit, and depth only where it is what
// the network gives. A plane's disparity is linear in the picture's coordinates,
// so that interpolating it keeps walls and floors flat; interpolating their depth
// or a logit bends them. At an edge the mean of two disparities lies close to the
// nearer depth, while the mean of two depths is a place where nothing is. And so
// the two representations are reciprocal at every pixel.
type Conversion struct {
	Values Values
	before func(values []float32)
	after  func(m *depthmap.Map) error
}

// New plans the conversion of a network's output. within is what the request
// states of the scene, or zero. Errors are *Error.
func New(o manifest.Output, as Name, within Range) (Conversion, error) {
	raw := rawValues(o)
	c := Conversion{Values: raw}
	stated := within != (Range{})
	switch {
	case stated && as != Depth:
		return c, refuse("depth_range: %s needs none; it is for representation depth", as)
	case as == Raw:
		return c, nil
	case as != Disparity && as != Depth: // a caller that did not Parse
		_, err := Parse(string(as))
		return c, err
	}
	c.Values.Representation = as
	if o.Meaning == "logit" {
		if o.Sigmoid == (manifest.Sigmoid{}) {
			return c, refuse("representation: %s cannot be computed, for the model's manifest does not say how its logit becomes disparity (output.sigmoid); raw can", as)
		}
		c.before = func(values []float32) { sigmoid(values, o.Sigmoid) }
		c.Values = Values{Representation: as, Kind: "disparity", Unit: o.Unit, Near: "large", ShiftKnown: o.Invariance == "scale"}
	}
	if c.Values.Kind == string(as) { // as it is now
		if stated {
			return c, refuse("depth_range: this model gives depth by itself (%s); it is for models that leave scale and shift open", c.Values)
		}
		return c, nil
	}
	return c.reciprocal(as, within)
}

// reciprocal adds the step from disparity to depth, or back.
func (c Conversion) reciprocal(as Name, within Range) (Conversion, error) {
	stated := within != (Range{})
	open := !c.Values.ShiftKnown
	switch {
	case open && as == Disparity:
		return c, refuse("representation: disparity cannot be computed from this model's depth, whose scale and shift are unknown; raw and depth can")
	case open && !stated:
		return c, refuse("representation: depth cannot be computed from this model's disparity alone, whose scale and shift are unknown and other for every picture; " +
			"state depth_range=NEAR,FAR, the distances of the nearest and the farthest place in the picture in metres, or ask for disparity")
	case !open && stated:
		return c, refuse("depth_range: this model's depth follows from its disparity, whose shift is known; it is for models that leave scale and shift open")
	}
	c.Values.Kind, c.Values.Near = string(as), "small"
	if as == Disparity {
		c.Values.Near = "large"
	}
	if stated {
		c.Values.ScaleKnown, c.Values.ShiftKnown, c.Values.Range = true, true, within
		c.after = func(m *depthmap.Map) error { return within.depth(m) }
	} else {
		c.after = reciprocal
	}
	c.Values.Unit = unit(c.Values.Kind, c.Values.ScaleKnown)
	return c, nil
}

// Before is the step at the network's size; it changes the map.
func (c Conversion) Before(m *depthmap.Map) {
	if c.before != nil {
		c.before(m.Values)
	}
}

// After is the step at the picture's size; it changes the map. It fails when a
// map has no positive value to take the reciprocal of.
func (c Conversion) After(m *depthmap.Map) error {
	if c.after == nil {
		return nil
	}
	return c.after(m)
}

// sigmoid turns logits into disparity.
func sigmoid(values []float32, s manifest.Sigmoid) {
	for i, x := range values {
		values[i] = float32(s.Scale/(1+math.Exp(-float64(x))) + s.Shift)
	}
}

// mostRatio bounds the reciprocals: the largest is at most so many times the
// smallest. Networks that give metres give some zeros and less as well.
const mostRatio = 1e4

// reciprocal turns disparity into depth, or back. Numbers below the largest one's
// mostRatio-th part are taken as that.
func reciprocal(m *depthmap.Map) error {
	_, largest := m.Range()
	if !(largest >= leastLargest && largest <= mostLargest) {
		return fmt.Errorf("the largest number of the network's map is %g; expected %g to %g, for its reciprocal is wanted", largest, leastLargest, mostLargest)
	}
	floor := float64(largest) / mostRatio
	for i, v := range m.Values {
		m.Values[i] = float32(1 / max(float64(v), floor))
	}
	return nil
}

// Between these no reciprocal leaves the range in which float32 is precise.
const (
	leastLargest = 1e-30
	mostLargest  = 1e30
)

// depth maps disparity, whose scale and shift are unknown, to metres: its
// smallest value is at Far, its largest at Near. A constant map is at Far.
func (r Range) depth(m *depthmap.Map) error {
	low, high := m.Range()
	slope := 0.0
	if span := float64(high) - float64(low); span > 0 {
		slope = (1/r.Near - 1/r.Far) / span
	}
	for i, v := range m.Values {
		m.Values[i] = float32(1 / (1/r.Far + slope*(float64(v)-float64(low))))
	}
	return nil
}
