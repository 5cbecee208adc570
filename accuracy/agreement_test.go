package accuracy

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The figures are those of training/metrics.py for the same 64x48 maps.
func TestCompareAgreesWithTraining(t *testing.T) {
	const width, height = 64, 48
	truth := Truth{Width: width, Height: height, AbsoluteZero: true}
	var prediction []float32
	for y := range height {
		for x := range width {
			v := float32(float64((x*7+y*13)%50+1) / 50)
			truth.InverseDepth = append(truth.InverseDepth, v)
			prediction = append(prediction, float32(float64((x*3+y*5)%31)+40*float64(v)))
		}
	}
	report, err := Compare(prediction, truth)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "abs_rel", report.AbsRel, 0.3580613907742564, 1e-9)
	near(t, "delta", report.Delta125, 0.4124348958333333, 1e-9)
	near(t, "rmse", report.RMSE, 7.130927810228251, 1e-9)
	near(t, "pair_order", report.PairOrder, 0.8251593239124411, 1e-9)
	// label_error of a truth from 0.02 to 1, which is not yet 0..1.
	near(t, "label_error", report.AlignedError*0.98, 0.14493347961483224, 1e-7)
}

// Whatever the scene, a scaled and shifted truth is a perfect prediction, and
// noise cannot make one better.
func TestCompareAffineIsPerfect(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		width, height := 2+random.IntN(60), 2+random.IntN(60)
		truth := Truth{Width: width, Height: height, AbsoluteZero: true, InverseDepth: make([]float32, width*height)}
		perfect, noisy := make([]float32, width*height), make([]float32, width*height)
		scale, shift := math.Exp(6*random.Float64()-3), 20*random.Float64()-10
		for i := range perfect {
			v := 0.05 + 0.95*random.Float64()
			truth.InverseDepth[i] = float32(v)
			perfect[i] = float32(scale*v + shift)
			noisy[i] = float32(scale*(v+0.5*random.NormFloat64()) + shift)
		}
		report, err := Compare(perfect, truth)
		if err != nil {
			t.Fatal(err)
		}
		// float32 keeps seven digits of scale*v + shift.
		tolerance := 1e-4 * (1 + 1/scale)
		near(t, "AbsRel", report.AbsRel, 0, tolerance)
		near(t, "RMSE", report.RMSE, 0, 20*tolerance)
		near(t, "delta", report.Delta125, 1, 0)
		near(t, "pair order", report.PairOrder, 1, 0)
		near(t, "aligned error", report.AlignedError, 0, tolerance)
		near(t, "scale", report.Scale*scale, 1, 10*tolerance)
		worse, err := Compare(noisy, truth)
		if err != nil {
			t.Fatal(err)
		}
		if worse.AbsRel < report.AbsRel || worse.AlignedError < report.AlignedError {
			t.Errorf("noise is better: %+v than %+v", worse, report)
		}
	}
}

// The figures do not depend on the unit of the truth, but RMSE does.
func TestCompareUnit(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	prediction := make([]float32, 400)
	metres := make([]float32, 400)
	feet := make([]float32, 400)
	for i := range prediction {
		metres[i] = 1 + 9*random.Float32()
		feet[i] = metres[i] / 0.3048
		prediction[i] = 1/metres[i] + 0.1*random.Float32()
	}
	a, err := Compare(prediction, FromDepth(20, 20, metres))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Compare(prediction, FromDepth(20, 20, feet))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "AbsRel", b.AbsRel, a.AbsRel, 1e-5)
	near(t, "delta", b.Delta125, a.Delta125, 1e-9)
	near(t, "aligned error", b.AlignedError, a.AlignedError, 1e-5)
	near(t, "RMSE in metres", b.RMSE*0.3048, a.RMSE, 1e-3)
}
