package accuracy

import (
	"fmt"
	"math"
)

// Kind is what the values of a network's output mean, in a manifest's words.
type Kind string

const (
	Disparity Kind = "disparity" // inverse depth up to scale and shift: larger is nearer
	Depth     Kind = "depth"     // larger is farther
	Logit     Kind = "logit"     // disparity = sigmoid(value), up to scale and shift
)

// depthRange is how many times farther than the nearest the farthest depth of
// a prediction can be. Networks that end in a ReLU give depths of 0, whose
// inverse would be infinite.
const depthRange = 1000

// InverseDepth turns a network's output into values where larger is nearer,
// as Compare takes them, in a new slice:
//
//	disparity  as it is
//	logit      1/(1+exp(-v)); the networks' own 10*sigmoid+0.009 is the same after the fit
//	depth      1/v in the unit of the largest v of the map, with v not under a thousandth of it
//
// It fails with ErrPrediction for a NaN or an infinity, or a depth map without
// a depth above 0, and for a kind that is none of the three.
func InverseDepth(values []float32, kind Kind) ([]float32, error) {
	largest := math.Inf(-1)
	for i, v := range values {
		if !finite(float64(v)) {
			return nil, fmt.Errorf("%w: %g at pixel %d", ErrPrediction, v, i)
		}
		largest = math.Max(largest, float64(v))
	}
	var inverse func(float64) float64
	switch kind {
	case Disparity:
		inverse = func(v float64) float64 { return v }
	case Logit:
		inverse = func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	case Depth:
		if largest <= 0 {
			return nil, fmt.Errorf("%w: a depth map whose largest depth is %g", ErrPrediction, largest)
		}
		// In the unit of the largest, so that no depth is too small to invert.
		inverse = func(v float64) float64 { return 1 / math.Max(v/largest, 1.0/depthRange) }
	default:
		return nil, fmt.Errorf("accuracy: no output kind %q; there are %s, %s and %s", kind, Disparity, Depth, Logit)
	}
	result := make([]float32, len(values))
	for i, v := range values {
		result[i] = float32(inverse(float64(v)))
	}
	return result, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
