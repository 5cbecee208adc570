package picture

import "hailo-depth/internal/resample"

// Resize returns the picture at width x height, both at least 1, filtered with the triangle of package resample:
// columns first, then rows, with an 8-bit picture in between and weights in 22-bit fixed point. A direction that keeps
// its size is not filtered. The result equals Pillow's resize(..., BILINEAR) in every bit. It never shares memory with
// p.
func (p *RGB) Resize(width, height int) *RGB {
	out := p
	if width != out.Width {
		out = out.resizeRows(width)
	}
	if height != out.Height {
		out = out.resizeColumns(height)
	}
	if out == p {
		out = newRGB(width, height)
		copy(out.Pix, p.Pix)
	}
	return out
}

// weightBits leaves 8 bits for the sample and 2 for sums that overshoot in an int32.
const (
	weightBits = 32 - 8 - 2
	half       = 1 << (weightBits - 1)
)

// fixedWindow is a resample.Window in fixed point.
type fixedWindow struct {
	first   int
	weights []int32
}

func fixedWindows(in, out int) []fixedWindow {
	windows := resample.Triangle(in, out)
	fixed := make([]fixedWindow, len(windows))
	for i, w := range windows {
		fixed[i] = fixedWindow{w.First, make([]int32, len(w.Weights))}
		for j, v := range w.Weights {
			fixed[i].weights[j] = int32(0.5 + float64(v*(1<<weightBits)))
		}
	}
	return fixed
}

func (p *RGB) resizeRows(width int) *RGB {
	out := newRGB(width, p.Height)
	windows := fixedWindows(p.Width, width)
	for y := range p.Height {
		src, dst := p.row(y), out.row(y)
		for x, w := range windows {
			var r, g, b int32 = half, half, half
			samples := src[3*w.first : 3*(w.first+len(w.weights))]
			for _, k := range w.weights {
				r += k * int32(samples[0])
				g += k * int32(samples[1])
				b += k * int32(samples[2])
				samples = samples[3:]
			}
			dst[3*x], dst[3*x+1], dst[3*x+2] = clamp(r>>weightBits), clamp(g>>weightBits), clamp(b>>weightBits)
		}
	}
	return out
}

func (p *RGB) resizeColumns(height int) *RGB {
	out := newRGB(p.Width, height)
	sums := make([]int32, 3*p.Width)
	for y, w := range fixedWindows(p.Height, height) {
		for i := range sums {
			sums[i] = half
		}
		for j, k := range w.weights {
			for i, v := range p.row(w.first + j)[:len(sums)] {
				sums[i] += k * int32(v)
			}
		}
		dst := out.row(y)[:len(sums)]
		for i, s := range sums {
			dst[i] = clamp(s >> weightBits)
		}
	}
	return out
}
