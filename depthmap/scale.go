package depthmap

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Scale maps the values from Low to High to 0..1; what lies outside is cut off. Where High is not above Low, all
// becomes 0. The zero value stands for no scale at all.
type Scale struct{ Low, High float32 }

// Scale is the map's own: from its smallest to its largest value.
func (m *Map) Scale() Scale {
	lowest, highest := m.Range()
	return Scale{lowest, highest}
}

// mostScale keeps differences inside float32.
const mostScale = 1e30

// ParseScale reads "LOW,HIGH": two numbers, the first below the second.
func ParseScale(text string) (Scale, error) {
	low, high, found := strings.Cut(text, ",")
	l, err := strconv.ParseFloat(strings.TrimSpace(low), 32)
	h, err2 := strconv.ParseFloat(strings.TrimSpace(high), 32)
	if !found || err != nil || err2 != nil || !(l < h && float32(math.Abs(l)) <= mostScale && float32(math.Abs(h)) <= mostScale) {
		return Scale{}, fmt.Errorf("%.64q is not valid; expected two numbers, the first below the second, as 0.1,10", text)
	}
	return Scale{float32(l), float32(h)}, nil
}

// of computes in float32, as NumPy does, and does not cut off.
func (s Scale) of(v float32) float32 {
	if span := s.High - s.Low; span > 0 {
		return (v - s.Low) / span
	}
	return 0
}

// Scaled returns the map with its values scaled, in float32.
func (m *Map) Scaled(s Scale) *Map {
	out := newMap(m.Width, m.Height)
	for i, v := range m.Values {
		out.Values[i] = min(max(s.of(v), 0), 1)
	}
	return out
}

// Normalized returns (v-min)/(max-min), computed in float32 as NumPy does: values 0..1 with both ends reached.
// A constant map becomes zeros.
func (m *Map) Normalized() *Map { return m.Scaled(m.Scale()) }
