// Package depthmap holds a depth map and everything that leaves the service: the map at the picture's size, normalised,
// its statistics, a coloured PNG, a 16-bit PNG and a NumPy archive.
//
// The numbers agree with those of the earlier Python service (NumPy, Pillow, Matplotlib) to the bit where that is defined;
// each function says by which rule.
package depthmap

import (
	"fmt"
	"math"
)

// Map is a depth map: Height rows of Width values, so len(Values) == Width*Height; both sides are at least 1. What a
// value means (metres, disparity, near or far) is the model's business. Methods other than CheckFinite expect finite
// values; others give useless numbers, but never a panic.
type Map struct {
	Width, Height int
	Values        []float32
}

func newMap(width, height int) *Map {
	return &Map{Width: width, Height: height, Values: make([]float32, width*height)}
}

func (m *Map) row(y int) []float32 {
	return m.Values[m.Width*y : m.Width*(y+1) : m.Width*(y+1)]
}

// Range returns the smallest and the largest value.
func (m *Map) Range() (lowest, highest float32) {
	lowest, highest = float32(math.Inf(1)), float32(math.Inf(-1))
	for _, v := range m.Values {
		if v < lowest {
			lowest = v
		}
		if v > highest {
			highest = v
		}
	}
	return lowest, highest
}

// NonFiniteError reports a map that holds NaN or infinite values: the network failed, or was fed with nonsense.
type NonFiniteError struct {
	NaN, Infinite, Total int // numbers of values
}

func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("depth map has %d NaN and %d infinite values among %d; expected finite values only", e.NaN, e.Infinite, e.Total)
}

// CheckFinite returns a *NonFiniteError when a value is NaN or infinite.
func (m *Map) CheckFinite() error {
	e := NonFiniteError{Total: len(m.Values)}
	for _, v := range m.Values {
		// v-v is 0 for every finite value and NaN for all others.
		if v-v != 0 {
			if v != v {
				e.NaN++
			} else {
				e.Infinite++
			}
		}
	}
	if e.NaN+e.Infinite > 0 {
		return &e
	}
	return nil
}
