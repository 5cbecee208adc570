package depthmap

import "hailo-depth/internal/resample"

// Resize returns the map at width x height, both at least 1, filtered with the triangle of package resample: columns
// first, then rows. Weights and sums are float64, each pass rounds once to float32, and a direction that keeps its size
// is not filtered. The result equals Pillow's resize(..., BILINEAR) of a mode "F" image in every bit. It never shares
// memory with m.
func (m *Map) Resize(width, height int) *Map {
	out := m
	if width != out.Width {
		out = out.resizeRows(width)
	}
	if height != out.Height {
		out = out.resizeColumns(height)
	}
	if out == m {
		out = newMap(width, height)
		copy(out.Values, m.Values)
	}
	return out
}

// The products are converted explicitly for the reason that resample.Triangle gives: a fused multiplication and
// addition on arm64 would round differently.

func (m *Map) resizeRows(width int) *Map {
	out := newMap(width, m.Height)
	windows := resample.Triangle(m.Width, width)
	for y := range m.Height {
		src, dst := m.row(y), out.row(y)
		for x, w := range windows {
			sum := 0.0
			samples := src[w.First:][:len(w.Weights)]
			for i, k := range w.Weights {
				sum += float64(float64(samples[i]) * k)
			}
			dst[x] = float32(sum)
		}
	}
	return out
}

func (m *Map) resizeColumns(height int) *Map {
	out := newMap(m.Width, height)
	sums := make([]float64, m.Width)
	for y, w := range resample.Triangle(m.Height, height) {
		clear(sums)
		for j, k := range w.Weights {
			for i, v := range m.row(w.First + j)[:len(sums)] {
				sums[i] += float64(float64(v) * k)
			}
		}
		dst := out.row(y)[:len(sums)]
		for i, s := range sums {
			dst[i] = float32(s)
		}
	}
	return out
}
