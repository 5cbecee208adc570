package accuracy

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s = %.9g, want %.9g", what, got, want)
	}
}

// column is a truth of one row.
func column(absolute bool, values ...float32) Truth {
	return Truth{Width: len(values), Height: 1, InverseDepth: values, AbsoluteZero: absolute}
}

var nan32 = float32(math.NaN())

// The fit of 0, 1, 2 to 1, 2, 6 has scale 5/2 and shift 1/2: 0.5, 3, 5.5.
func TestCompareByHand(t *testing.T) {
	report, err := Compare([]float32{0, 9, 1, 2}, column(true, 1, nan32, 2, 6))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "scale", report.Scale, 2.5, 1e-12)
	near(t, "shift", report.Shift, 0.5, 1e-12)
	near(t, "AbsRel", report.AbsRel, (1+1.0/3+1.0/11)/3, 1e-12)
	near(t, "delta", report.Delta125, 1.0/3, 1e-12)
	near(t, "RMSE", report.RMSE, math.Sqrt((1+1.0/36+1.0/(66*66))/3), 1e-12)
	near(t, "aligned error", report.AlignedError, (0.5+1+0.5)/3/5, 1e-12)
	near(t, "pair order", report.PairOrder, 1, 0)
	if report.Valid != 3 {
		t.Errorf("valid = %d, want 3", report.Valid)
	}
}

// The fit of 0, 0, 0, 1 to 0.5, 1, 1.5, 1 is flat: every place at 1.
func TestCompareUncorrelated(t *testing.T) {
	report, err := Compare([]float32{0, 0, 0, 1}, column(true, 0.5, 1, 1.5, 1))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "scale", report.Scale, 0, 1e-12)
	near(t, "shift", report.Shift, 1, 1e-12)
	near(t, "AbsRel", report.AbsRel, 0.25, 1e-12)
	near(t, "delta", report.Delta125, 0.5, 1e-12)
	near(t, "aligned error", report.AlignedError, 0.25, 1e-12)
}

// The fit of -1, 0, 1 to 6, 2, 52 has scale 23 and shift 20: -3, 20, 43. The
// first reads as a fiftieth of 52, that is 1.04.
func TestCompareFloorsTheAligned(t *testing.T) {
	report, err := Compare([]float32{-1, 0, 1}, column(true, 6, 2, 52))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "scale", report.Scale, 23, 1e-12)
	near(t, "AbsRel", report.AbsRel, (math.Abs(6/1.04-1)+math.Abs(2.0/20-1)+math.Abs(52.0/43-1))/3, 1e-12)
	near(t, "RMSE", report.RMSE, math.Sqrt((sq(1/1.04-1.0/6)+sq(1.0/20-1.0/2)+sq(1.0/43-1.0/52))/3), 1e-12)
	near(t, "aligned error, not floored", report.AlignedError, (9.0+18+9)/3/50, 1e-12)
}

func sq(v float64) float64 { return v * v }

func TestCompareWithUnknownShift(t *testing.T) {
	report, err := Compare([]float32{0, 1, 2}, column(false, 0, 0.5, 1))
	if err != nil {
		t.Fatal(err)
	}
	if report.Valid != 3 {
		t.Errorf("valid = %d: an inverse depth of 0 is data where the zero is unknown", report.Valid)
	}
	for what, v := range map[string]float64{"AbsRel": report.AbsRel, "delta": report.Delta125, "RMSE": report.RMSE} {
		if !math.IsNaN(v) {
			t.Errorf("%s = %g, want NaN", what, v)
		}
	}
	near(t, "aligned error", report.AlignedError, 0, 1e-12)
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"abs_rel":null`, `"pair_order":1`, `"valid":3`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s lacks %s", text, part)
		}
	}
}

func TestCompareConstantPrediction(t *testing.T) {
	// 0.1 as float32 times n is rounded: its mean is not exactly itself.
	prediction, truth := make([]float32, 1000), Truth{Width: 100, Height: 10, InverseDepth: Ramp(100, 10)}
	for i := range prediction {
		prediction[i] = 0.1
	}
	report, err := Compare(prediction, truth)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "scale", report.Scale, 0, 0)
	near(t, "shift", report.Shift, 0.5, 1e-6)
	near(t, "pair order", report.PairOrder, 0, 0)
}

func TestCompareReversed(t *testing.T) {
	truth := Truth{Width: 4, Height: 20, InverseDepth: Ramp(4, 20), AbsoluteZero: true}
	reversed := make([]float32, 80)
	for i, v := range truth.InverseDepth {
		reversed[i] = 5 - 2*v
	}
	report, err := Compare(reversed, truth)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "scale", report.Scale, -0.5, 1e-6)
	near(t, "AbsRel", report.AbsRel, 0, 1e-6)
	near(t, "pair order", report.PairOrder, 0, 0)
}

func TestCompareErrors(t *testing.T) {
	cases := []struct {
		name       string
		prediction []float32
		truth      Truth
		want       error
		says       string
	}{
		{"size", []float32{1, 2}, column(true, 1, 2, 3), ErrSize, "2 predicted values, 3 true ones"},
		{"shape", []float32{1, 2, 3}, Truth{Width: 2, Height: 2, InverseDepth: []float32{1, 2, 3}}, ErrSize, "2x2"},
		{"negative shape", []float32{1, 2, 3, 4}, Truth{Width: -2, Height: -2, InverseDepth: []float32{1, 2, 3, 4}}, ErrSize, "-2x-2"},
		{"empty", nil, Truth{}, ErrTooFew, "0 of 0"},
		{"few", []float32{1, 2, 3, 4}, column(true, 0, nan32, 1, 2), ErrTooFew, "2 of 4, at least 3"},
		{"flat", []float32{1, 2, 3}, column(true, 2, 2, 2), ErrFlat, "2 at all 3"},
		{"NaN", []float32{1, nan32, 3}, column(true, 1, 2, 3), ErrPrediction, "NaN at pixel 1"},
		{"infinite", []float32{1, 2, float32(math.Inf(1))}, column(true, 1, 2, 3), ErrPrediction, "+Inf at pixel 2"},
	}
	for _, c := range cases {
		_, err := Compare(c.prediction, c.truth)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %v with %q", c.name, err, c.want, c.says)
		}
	}
	if _, err := Compare([]float32{1, nan32, 3, 5}, column(true, 1, 0, 3, 4)); err != nil {
		t.Errorf("a prediction without a value where there is no truth: %v", err)
	}
}
