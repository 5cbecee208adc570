package scene

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Bounced light knows a skin by its tint alone, so the paint must be about the
// tint on average, and a possible colour everywhere.
func TestPaintIsAboutItsTint(t *testing.T) {
	red, blue, half := rgb(0xB5533C), rgb(0x5F7F8C), vec{0.6, 0.4, 0.6}
	skins := map[string]*skin{
		"plain": plain(red), "plaster": plaster(red, 1), "stripes": stripes(red, blue, 0.09, 1), "fabric": fabric(red, 1),
		"wood": wood(red, 1), "upright": upright(red, 1), "planks": planks(red, 0.1, 1.2, 0.5, 1),
		"tiles": tiles(red, blue, vec{0.4, 0.4, 0.4}, 0.2, 0, 1), "carpet": carpet(red, 1), "rug": rug(red, blue, red, half, 1),
		"canvas": canvas(half, [4]vec{red, blue, red, blue}, 1), "spines": spines(red, 1), "asphalt": asphalt(3, 1),
		"bricks": bricks(red, 1),
	}
	random := rand.New(rand.NewPCG(4, 4))
	for name, s := range skins {
		var mean float64
		const n = 4000
		for i := range n {
			own := vec{2*random.Float64() - 1, 2*random.Float64() - 1, 2*random.Float64() - 1}.mul(half)
			c := s.colour(own, i%3)
			if !(min(c.x, c.y, c.z) >= 0) || !(max(c.x, c.y, c.z) <= 1.5) {
				t.Fatalf("%s: colour %v at %v", name, c, own)
			}
			mean += c.luminance() / n
		}
		if part := mean / s.tint.luminance(); part < 0.7 || part > 1.45 {
			t.Errorf("%s: the mean colour is %.2f times the tint", name, part)
		}
	}
}

func TestNoise(t *testing.T) {
	var sum, squares float64
	const n = 20000
	for i := range n {
		x, y := float64(i)*0.37-3000, float64(i%131)*0.61-40
		for _, v := range []float64{noise(x, y, 1), cloud(x, y, 1), speck(i, -i, 1)} {
			if v < 0 || v > 1 {
				t.Fatalf("%g at %g, %g is not in 0..1", v, x, y)
			}
		}
		near(t, "noise is continuous", noise(x+1e-7, y, 1), noise(x, y, 1), 1e-5)
		b := bell(i, 7, 1)
		sum, squares = sum+b, squares+b*b
	}
	near(t, "mean of bell", sum/n, 0, 0.03)
	near(t, "deviation of bell", math.Sqrt(squares/n), 1, 0.03)
}

func TestColours(t *testing.T) {
	near(t, "white", rgb(0xFFFFFF).luminance(), 1, 1e-9)
	near(t, "middle grey", rgb(0x808080).x, 0.2159, 0.01)
	near(t, "step below", step(1, 2, 0), 0, 0)
	near(t, "step between", step(1, 2, 1.5), 0.5, 1e-12)
	near(t, "step down", step(2, 1, 0), 1, 0)
	if n, in := cell(-0.1, 0.5); n != -1 || math.Abs(in-0.4) > 1e-12 {
		t.Errorf("cell(-0.1, 0.5) = %d, %g", n, in)
	}
}
