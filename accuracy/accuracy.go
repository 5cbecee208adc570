// Package accuracy says how right a map of relative depth is.
//
// A prediction has no unit: it is fitted to the truth with one scale and one
// shift per picture, by least squares in inverse depth (Ranftl et al. 2020,
// "Towards Robust Monocular Depth Estimation", section 5), and what remains is
// measured as Eigen et al. 2014 do ("Depth Map Prediction from a Single Image
// using a Multi-Scale Deep Network", section 4).
//
// training/metrics.py has the same definitions, down to the random pairs, so a
// network's figures in its card and in the demo can be compared.
package accuracy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Floor is the least aligned inverse depth, as a part of the truth's largest.
// The fit may put far places at or below zero, at an infinite depth or behind
// the camera; they are read as this, fifty times the nearest depth.
const Floor = 0.02

// MinValid is the least number of pixels that a comparison needs: any
// prediction fits two pixels, so with fewer nothing is learned.
const MinValid = 3

var (
	// ErrSize: the prediction and the truth do not have the same pixels.
	ErrSize = errors.New("accuracy: sizes differ")
	// ErrTooFew: the truth has fewer than MinValid pixels with a value.
	ErrTooFew = errors.New("accuracy: too few valid pixels")
	// ErrFlat: the truth is the same everywhere, so there is no order to find.
	ErrFlat = errors.New("accuracy: the truth is constant")
	// ErrPrediction: the prediction holds NaN or an infinity.
	ErrPrediction = errors.New("accuracy: prediction is not finite")
)

// Report is how one prediction compares with one truth.
type Report struct {
	// AbsRel is the mean of |depth - true depth| / true depth; 0 is perfect.
	// NaN where the truth's zero is not absolute, as for Delta125 and RMSE.
	AbsRel float64
	// Delta125 is the part of the pixels, 0..1, whose depth and true depth
	// differ by a factor of less than 1.25; 1 is perfect.
	Delta125 float64
	// RMSE is the root of the mean squared difference of the depths, in the
	// unit of 1/Truth.InverseDepth: metres for a truth in 1/metre, the
	// picture's nearest depth for a truth whose largest value is 1.
	RMSE float64
	// PairOrder is the part of random pairs of pixels, 0..1, whose nearer end
	// the prediction names rightly. 0.5 is chance, 1 perfect, NaN if none of
	// the pairs drawn counts. Neither scale nor shift of the truth matters.
	PairOrder float64
	// AlignedError is the mean of |aligned - truth| in inverse depth, with the
	// truth's valid pixels scaled to 0..1. Nothing is floored here.
	AlignedError float64
	// Scale and Shift make the prediction the truth's inverse depth:
	// aligned = Scale*prediction + Shift. Scale is negative where the
	// prediction has near and far the wrong way round, which the fit hides in
	// every figure but PairOrder; it is 0 for a constant prediction.
	Scale, Shift float64
	// Valid is the number of pixels compared.
	Valid int
}

// Compare measures a prediction where larger is nearer, row-major, one value
// for each pixel of the truth; InverseDepth makes one of other kinds of map.
// Its errors are ErrSize, ErrTooFew, ErrFlat and ErrPrediction, wrapped with
// the numbers.
func Compare(prediction []float32, truth Truth) (Report, error) {
	if truth.Width < 0 || len(prediction) != len(truth.InverseDepth) || len(prediction) != truth.Width*truth.Height {
		return Report{}, fmt.Errorf("%w: %d predicted values, %d true ones, %dx%d pixels",
			ErrSize, len(prediction), len(truth.InverseDepth), truth.Width, truth.Height)
	}
	guess, actual, err := valid(prediction, truth)
	if err != nil {
		return Report{}, err
	}
	least, largest := extent(actual)
	if least == largest {
		return Report{}, fmt.Errorf("%w: %g at all %d valid pixels", ErrFlat, least, len(actual))
	}
	report := Report{AbsRel: math.NaN(), Delta125: math.NaN(), RMSE: math.NaN(), Valid: len(actual)}
	report.PairOrder = pairOrder(guess, actual)
	report.Scale, report.Shift = fit(guess, actual)
	for i, p := range guess {
		guess[i] = report.Scale*p + report.Shift
		report.AlignedError += math.Abs(guess[i] - actual[i])
	}
	report.AlignedError /= float64(len(actual)) * (largest - least)
	if truth.AbsoluteZero {
		report.AbsRel, report.Delta125, report.RMSE = depthErrors(guess, actual, Floor*largest)
	}
	return report, nil
}

// MarshalJSON writes the figures that are not defined as null; JSON has no NaN.
func (r Report) MarshalJSON() ([]byte, error) {
	defined := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	return json.Marshal(map[string]any{
		"abs_rel": defined(r.AbsRel), "delta_125": defined(r.Delta125), "rmse": defined(r.RMSE),
		"pair_order": defined(r.PairOrder), "aligned_error": defined(r.AlignedError),
		"scale": r.Scale, "shift": r.Shift, "valid": r.Valid,
	})
}
