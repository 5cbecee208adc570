// Package resample computes the weights of a triangle filter whose support grows with the scale: linear interpolation
// when a line of samples grows, and an average weighted by distance, which does not alias, when it shrinks.
//
// The network's pictures and its depth maps are both resized with it, so the one definition lives here.
package resample

import "math"

// Window is what one output sample reads: Weights[i] belongs to input sample First+i. The weights sum to 1.
type Window struct {
	First   int
	Weights []float64
}

// Triangle returns one window per output sample for a line resized from in to out samples; both must be positive.
//
// Sample i covers the interval [i, i+1). The output sample x has its centre at (x+0.5)*in/out in input coordinates, and an
// input sample at distance d (centre to centre) weighs 1 - d/s with s = max(1, in/out), which is also the reach of the
// filter. At the borders the window is cut and its weights are divided by their sum.
//
// Which samples the window holds, and the order of the operations, are those of Pillow's BILINEAR, because the results have
// to agree with it to the last bit. For the same reason every product that is added to something is converted
// explicitly: without that the compiler may fuse the two on arm64 and the Raspberry Pi would answer differently.
func Triangle(in, out int) []Window {
	scale := float64(in) / float64(out)
	reach := math.Max(scale, 1)
	perUnit := 1 / reach

	windows := make([]Window, out)
	longest := int(math.Ceil(reach))*2 + 1
	store := make([]float64, out*longest)
	for x := range windows {
		centre := float64((float64(x) + 0.5) * scale)
		first := max(int(centre-reach+0.5), 0)
		end := min(int(centre+reach+0.5), in)
		weights := store[x*longest:][: end-first : end-first]
		sum := 0.0
		for i := range weights {
			distance := math.Abs(float64((float64(i+first) - centre + 0.5) * perUnit))
			weights[i] = math.Max(1-distance, 0)
			sum += weights[i]
		}
		for i := range weights {
			weights[i] /= sum
		}
		windows[x] = Window{First: first, Weights: weights}
	}
	return windows
}
