package accuracy

import (
	"math"
	"testing"
)

// The first outputs from state 0, as published with the generator.
func TestSplitMix(t *testing.T) {
	var random splitMix
	for _, want := range []uint64{0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F} {
		if got := random.next(); got != want {
			t.Errorf("next() = %#x, want %#x", got, want)
		}
	}
}

func TestPairOrder(t *testing.T) {
	cases := []struct {
		name              string
		prediction, truth []float64
		want              float64
	}{
		{"right", []float64{3, 4, 9}, []float64{0, 1, 2}, 1},
		{"one of three pairs wrong", []float64{0, 2, 1}, []float64{0, 1, 2}, 2.0 / 3},
		{"equal is wrong", []float64{0, 1, 1}, []float64{0, 1, 2}, 2.0 / 3},
		{"close pairs do not count", []float64{0, 1, 0.5}, []float64{0, 1, 1.04}, 1},
	}
	for _, c := range cases {
		near(t, c.name, pairOrder(c.prediction, c.truth), c.want, 0.01)
	}
	if got := pairOrder([]float64{1, 2}, []float64{3, 3}); !math.IsNaN(got) {
		t.Errorf("pair order of a flat truth = %g, want NaN", got)
	}
}

func TestRamp(t *testing.T) {
	want := []float32{0, 0, 0.5, 0.5, 1, 1}
	got := Ramp(2, 3)
	if len(got) != len(want) {
		t.Fatalf("Ramp(2, 3) has %d values", len(got))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("Ramp(2, 3) = %v, want %v", got, want)
			break
		}
	}
	if one := Ramp(2, 1); len(one) != 2 || one[0] != 0 || one[1] != 0 {
		t.Errorf("Ramp(2, 1) = %v, want zeros", one)
	}
	if len(Ramp(0, 5)) != 0 || len(Ramp(-1, -1)) != 0 {
		t.Error("an empty ramp has values")
	}
}
