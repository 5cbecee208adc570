package scene

import (
	"context"
	"math"
	"slices"
)

// grainSize is the deviation of the sensor's noise in steps of the 8-bit picture.
const grainSize = 1.1

// develop turns linear colours into an 8-bit sRGB picture as a camera does:
// exposure, darker corners, colours that are less pure than paint, a curve that keeps highlights, noise.
func develop(ctx context.Context, film [][3]float32, width, height int, key float64, seed uint64) ([]byte, error) {
	exposure := meter(film, key)
	picture := make([]byte, 3*len(film))
	centre, reach := vec{float64(width) / 2, float64(height) / 2, 0}, math.Hypot(float64(width), float64(height))/2
	err := rows(ctx, height, func(y int) {
		for x := range width {
			i := y*width + x
			r := (vec{float64(x) + 0.5, float64(y) + 0.5, 0}).sub(centre).length() / reach
			colour := long(film[i]).scale(exposure * (1 - 0.22*r*r))
			colour = colour.mix(vec{1, 1, 1}.scale(colour.luminance()), 0.15)
			luma := bell(x, y, seed) * grainSize
			for k, v := range [3]float64{colour.x, colour.y, colour.z} {
				noise := luma + 0.5*grainSize*bell(x, y, seed+1+uint64(k))
				picture[3*i+k] = uint8(math.Max(0, math.Min(255, 255*srgb(curve(v))+noise+0.5)))
			}
		}
	})
	return picture, err
}

// meter is the exposure that puts the middle brightness of the picture at key.
func meter(film [][3]float32, key float64) float64 {
	bright := make([]float64, 0, len(film)/7+1)
	for i := 0; i < len(film); i += 7 {
		bright = append(bright, long(film[i]).luminance())
	}
	slices.Sort(bright)
	return key / math.Max(1e-6, bright[len(bright)/2])
}

// curve maps linear light to 0..1, nearly straight in the middle (Narkowicz
// 2015, a fit of the film industry's ACES curve).
func curve(v float64) float64 {
	return math.Min(1, v*(2.51*v+0.03)/(v*(2.43*v+0.59)+0.14))
}

// srgb is the transfer curve of IEC 61966-2-1.
func srgb(v float64) float64 {
	if v <= 0.0031308 {
		return 12.92 * v
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}
