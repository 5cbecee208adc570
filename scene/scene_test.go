package scene

import (
	"bytes"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"
)

type maker func(ctx context.Context, seed uint64, width, height int) (*View, error)

func kinds() map[string]maker { return map[string]maker{"room": Room, "street": Street, "roam": Roam} }

func view(t *testing.T, render maker, seed uint64, width, height int) *View {
	t.Helper()
	v, err := render(t.Context(), seed, width, height)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSameSeedSameBytes(t *testing.T) {
	for name, render := range kinds() {
		first := view(t, render, 7, 96, 72)
		before := runtime.GOMAXPROCS(3)
		second := view(t, render, 7, 96, 72)
		runtime.GOMAXPROCS(before)
		if !bytes.Equal(first.Picture, second.Picture) || !slices.Equal(first.Depth, second.Depth) {
			t.Errorf("%s: the same seed gives another view with other processors", name)
		}
		other := view(t, render, 8, 96, 72)
		if bytes.Equal(first.Picture, other.Picture) || slices.Equal(first.Depth, other.Depth) {
			t.Errorf("%s: another seed gives the same view", name)
		}
	}
}

func TestDepthIsPossible(t *testing.T) {
	bounds := map[string]struct{ least, far, farthest float32 }{
		"room": {0.6, 3, 9}, "street": {0.6, skyDepth, skyDepth}, "roam": {0.05, 1, skyDepth},
	}
	for name, render := range kinds() {
		for seed := range uint64(8) {
			v := view(t, render, seed, 80, 60)
			if len(v.Depth) != 80*60 || len(v.Picture) != 3*80*60 || v.Width != 80 || v.Height != 60 {
				t.Fatalf("%s: %dx%d with %d depths and %d bytes", name, v.Width, v.Height, len(v.Depth), len(v.Picture))
			}
			least, most := slices.Min(v.Depth), slices.Max(v.Depth) // NaN if any is
			if want := bounds[name]; !(least > want.least) || !(most >= want.far) || !(most <= want.farthest) {
				t.Errorf("%s %d: depth from %g to %g", name, seed, least, most)
			}
			if v.FocalPixels < 52 || v.FocalPixels > 96 {
				t.Errorf("%s %d: focal length %g pixels of 80", name, seed, v.FocalPixels)
			}
		}
	}
}

// A network trained on photographs wants them neither black nor blown out.
func TestPictureIsExposed(t *testing.T) {
	for name, render := range kinds() {
		for seed := range uint64(6) {
			v := view(t, render, seed, 80, 60)
			var sum, squares, clipped float64
			for _, b := range v.Picture {
				sum += float64(b)
				squares += float64(b) * float64(b)
				if b == 0 || b == 255 {
					clipped++
				}
			}
			n := float64(len(v.Picture))
			mean := sum / n
			deviation := math.Sqrt(squares/n - mean*mean)
			if mean < 70 || mean > 185 || deviation < 25 || clipped/n > 0.15 {
				t.Errorf("%s %d: mean %.0f, deviation %.0f, clipped %.2f", name, seed, mean, deviation, clipped/n)
			}
		}
	}
}

func TestSizes(t *testing.T) {
	for name, render := range kinds() {
		for _, size := range [][2]int{{0, 0}, {15, 100}, {100, 15}, {-640, 480}, {4097, 16}, {16, 1 << 40}, {1 << 32, 1 << 32},
			{2048, 2048}, {math.MaxInt, math.MaxInt}, {math.MinInt, 480}} {
			if _, err := render(t.Context(), 1, size[0], size[1]); !errors.Is(err, ErrSize) {
				t.Errorf("%s %v: error %v, want %v", name, size, err, ErrSize)
			}
		}
		for _, size := range [][2]int{{16, 16}, {200, 16}, {17, 90}} {
			view(t, render, 1, size[0], size[1])
		}
	}
	if err := check(1920, 1080); err != nil {
		t.Error(err)
	}
}

// patience ends after its Err was asked for a number of times, so that a test
// can stop a picture in the middle without a clock.
type patience struct {
	context.Context
	left chan struct{}
}

func (p patience) Err() error {
	select {
	case <-p.left:
		return nil
	default:
		return context.DeadlineExceeded
	}
}

func TestCancel(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, render := range kinds() {
		if v, err := render(ended, 1, 640, 480); !errors.Is(err, context.Canceled) || v != nil {
			t.Errorf("%s: error %v after the end", name, err)
		}
		// 16 rows in each of gather, four passes of smooth, expose and develop.
		for _, asked := range []int{1, 10, 17, 30, 60, 90, 100, 110} {
			p := patience{t.Context(), closedAfter(asked)}
			if v, err := render(p, 1, 24, 16); !errors.Is(err, context.DeadlineExceeded) || v != nil {
				t.Errorf("%s: error %v when ended after %d questions", name, err, asked)
			}
		}
	}
}

func closedAfter(n int) chan struct{} {
	left := make(chan struct{}, n)
	for range n {
		left <- struct{}{}
	}
	return left
}

func BenchmarkRoom(b *testing.B)   { benchmark(b, Room) }
func BenchmarkStreet(b *testing.B) { benchmark(b, Street) }

func benchmark(b *testing.B, render maker) {
	seed := uint64(0)
	for b.Loop() {
		seed++
		if _, err := render(b.Context(), seed, 640, 480); err != nil {
			b.Fatal(err)
		}
	}
}
