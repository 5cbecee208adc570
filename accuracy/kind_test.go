package accuracy

import (
	"errors"
	"math"
	"testing"
)

func TestInverseDepth(t *testing.T) {
	cases := []struct {
		kind   Kind
		values []float32
		want   []float32
	}{
		{Disparity, []float32{-1, 0, 7}, []float32{-1, 0, 7}},
		{Depth, []float32{8, 4, 2}, []float32{1, 2, 4}},
		{Depth, []float32{0, -3, 10}, []float32{1000, 1000, 1}},
		{Depth, []float32{1e-40, 2e-40}, []float32{2, 1}},
		{Logit, []float32{0, 500, -500}, []float32{0.5, 1, 0}},
	}
	for _, c := range cases {
		got, err := InverseDepth(c.values, c.kind)
		if err != nil {
			t.Errorf("%s %v: %v", c.kind, c.values, err)
			continue
		}
		for i := range c.want {
			near(t, string(c.kind), float64(got[i]), float64(c.want[i]), 1e-3)
		}
	}
}

// A perfect network is perfect whichever way it says so.
func TestEveryKindOfPerfectPrediction(t *testing.T) {
	depth, logit := make([]float32, 60), make([]float32, 60)
	for i := range depth {
		depth[i] = 1 + float32(i)/10
		disparity := 1 / float64(depth[i])
		logit[i] = float32(math.Log(disparity / (10 - disparity))) // disparity = 10*sigmoid
	}
	for kind, values := range map[Kind][]float32{Depth: depth, Logit: logit} {
		prediction, err := InverseDepth(values, kind)
		if err != nil {
			t.Fatal(err)
		}
		report, err := Compare(prediction, FromDepth(10, 6, depth))
		if err != nil {
			t.Fatal(err)
		}
		near(t, string(kind)+" AbsRel", report.AbsRel, 0, 1e-5)
		near(t, string(kind)+" pair order", report.PairOrder, 1, 0)
		if report.Scale <= 0 {
			t.Errorf("%s: scale %g", kind, report.Scale)
		}
	}
}

func TestInverseDepthErrors(t *testing.T) {
	infinite := float32(math.Inf(-1))
	for _, c := range []struct {
		kind   Kind
		values []float32
	}{{Disparity, []float32{nan32}}, {Logit, []float32{infinite}}, {Depth, []float32{0, -1}}, {Depth, nil}} {
		if _, err := InverseDepth(c.values, c.kind); !errors.Is(err, ErrPrediction) {
			t.Errorf("%s %v: error %v, want %v", c.kind, c.values, err, ErrPrediction)
		}
	}
	if _, err := InverseDepth([]float32{1}, "metres"); err == nil {
		t.Error("a kind that does not exist is accepted")
	}
}
