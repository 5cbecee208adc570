package accuracy

import (
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
)

// maxPixels bounds a truth file before memory is taken for it: 8192x8192.
const maxPixels = 1 << 26

// Truth is what a perfect network would see in one picture.
type Truth struct {
	Width, Height int
	// InverseDepth is 1/depth in any unit, row-major, Width*Height values;
	// larger is nearer. NaN is no data. With an absolute zero 0 is no data
	// too, for it would be infinitely far; without one it is a value as any.
	InverseDepth []float32
	// AbsoluteZero: InverseDepth is right up to a scale, so 1/InverseDepth is
	// a depth. Otherwise its shift is unknown as well, and only the measures
	// that a shift leaves alone are defined.
	AbsoluteZero bool
}

// FromDepth makes a truth with an absolute zero of depths along the optical
// axis, row-major, in any unit. A depth that is 0, negative or not finite is no data.
func FromDepth(width, height int, depth []float32) Truth {
	inverse := make([]float32, len(depth))
	for i, d := range depth {
		inverse[i] = float32(math.NaN())
		if d > 0 && finite(float64(d)) {
			inverse[i] = 1 / d
		}
	}
	return Truth{Width: width, Height: height, InverseDepth: inverse, AbsoluteZero: true}
}

// ReadTruth reads a 16-bit grey PNG: 0 is no data, v an inverse depth of
// (v-1)/65534, so 0..1. absoluteZero is Truth.AbsoluteZero; the file does not
// say. It fails where the file does not open, is no such PNG, or has more than
// 64 Mi pixels.
func ReadTruth(path string, absoluteZero bool) (Truth, error) {
	file, err := os.Open(path)
	if err != nil {
		return Truth{}, fmt.Errorf("accuracy: %w", err)
	}
	defer file.Close()
	header, err := png.DecodeConfig(file)
	if err != nil {
		return Truth{}, fmt.Errorf("accuracy: %s: %w", path, err)
	}
	if header.Width > maxPixels/header.Height {
		return Truth{}, fmt.Errorf("accuracy: %s: %dx%d is more than %d pixels", path, header.Width, header.Height, maxPixels)
	}
	if _, err := file.Seek(0, 0); err != nil {
		return Truth{}, fmt.Errorf("accuracy: %w", err)
	}
	decoded, err := png.Decode(file)
	if err != nil {
		return Truth{}, fmt.Errorf("accuracy: %s: %w", path, err)
	}
	grey, ok := decoded.(*image.Gray16)
	if !ok {
		return Truth{}, fmt.Errorf("accuracy: %s: not a 16-bit grey PNG but %T", path, decoded)
	}
	truth := Truth{Width: header.Width, Height: header.Height, AbsoluteZero: absoluteZero,
		InverseDepth: make([]float32, 0, header.Width*header.Height)}
	for y := range truth.Height {
		for x := range truth.Width {
			value := float32(math.NaN())
			if v := grey.Gray16At(x, y).Y; v > 0 {
				value = float32(float64(v-1) / 65534)
			}
			truth.InverseDepth = append(truth.InverseDepth, value)
		}
	}
	return truth, nil
}

// valid returns the prediction and the truth at the pixels that have data.
func valid(prediction []float32, truth Truth) (guess, actual []float64, err error) {
	for i, t32 := range truth.InverseDepth {
		t, p := float64(t32), float64(prediction[i])
		if !finite(t) || truth.AbsoluteZero && t <= 0 {
			continue
		}
		if !finite(p) {
			return nil, nil, fmt.Errorf("%w: %g at pixel %d", ErrPrediction, p, i)
		}
		guess, actual = append(guess, p), append(actual, t)
	}
	if len(actual) < MinValid {
		return nil, nil, fmt.Errorf("%w: %d of %d, at least %d are needed", ErrTooFew, len(actual), len(prediction), MinValid)
	}
	return guess, actual, nil
}
