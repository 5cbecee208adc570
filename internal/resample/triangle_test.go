package resample

import (
	"math"
	"testing"
)

func TestTriangleKnownWindows(t *testing.T) {
	// Doubling: the outer samples see one input only, the inner ones 3/4 of the near and 1/4 of the far neighbour.
	got := Triangle(2, 4)
	want := []Window{{0, []float64{1}}, {0, []float64{0.75, 0.25}}, {0, []float64{0.25, 0.75}}, {1, []float64{1}}}
	for x, w := range want {
		checkWindow(t, x, got[x], w)
	}
	// Halving: reach 2, so four inputs at distances 1.5, 0.5, 0.5, 1.5 weigh 1/8, 3/8, 3/8, 1/8 away from the borders.
	checkWindow(t, 1, Triangle(8, 4)[1], Window{1, []float64{0.125, 0.375, 0.375, 0.125}})
}

func checkWindow(t *testing.T, x int, got, want Window) {
	t.Helper()
	got.First, got.Weights = trimZeros(got)
	if got.First != want.First || len(got.Weights) != len(want.Weights) {
		t.Fatalf("window %d is %v, want %v", x, got, want)
	}
	for i := range want.Weights {
		if math.Abs(got.Weights[i]-want.Weights[i]) > 1e-15 {
			t.Errorf("window %d is %v, want %v", x, got, want)
		}
	}
}

// trimZeros drops zero weights at the ends: a window may name samples that lie exactly at the reach.
func trimZeros(w Window) (int, []float64) {
	first, weights := w.First, w.Weights
	for len(weights) > 0 && weights[0] == 0 {
		first, weights = first+1, weights[1:]
	}
	for len(weights) > 0 && weights[len(weights)-1] == 0 {
		weights = weights[:len(weights)-1]
	}
	return first, weights
}

func TestTriangleWindowsAreSound(t *testing.T) {
	sizes := []int{1, 2, 3, 5, 17, 61, 97, 256, 320, 700, 1081}
	for _, in := range sizes {
		for _, out := range sizes {
			for x, w := range Triangle(in, out) {
				if w.First < 0 || w.First+len(w.Weights) > in || len(w.Weights) == 0 {
					t.Fatalf("%d to %d: window %d reads %d..%d", in, out, x, w.First, w.First+len(w.Weights))
				}
				sum := 0.0
				for _, k := range w.Weights {
					if k < 0 || math.IsNaN(k) {
						t.Fatalf("%d to %d: window %d has the weight %v", in, out, x, k)
					}
					sum += k
				}
				if math.Abs(sum-1) > 1e-12 {
					t.Fatalf("%d to %d: the weights of window %d sum to %v", in, out, x, sum)
				}
			}
		}
	}
}
