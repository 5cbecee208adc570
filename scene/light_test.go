package scene

import (
	"math"
	"testing"
)

func TestBulbFallsOff(t *testing.T) {
	b := &bulb{centre: vec{y: 3}, radius: 0.01, strength: vec{1, 1, 1}}
	_, two := b.shine(vec{y: 1}, vec{y: 1}, 0.5, 0.5)
	_, one := b.shine(vec{y: 2}, vec{y: 1}, 0.5, 0.5)
	near(t, "light at twice the distance", two.x/one.x, 0.25, 0.01)
	if _, behind := b.shine(vec{y: 2}, vec{y: -1}, 0.5, 0.5); behind != (vec{}) {
		t.Errorf("light on the side that looks away: %v", behind)
	}
}

// Near a pane without end a surface that faces it sends back the pane's radiance.
func TestPaneFillsTheView(t *testing.T) {
	p := &pane{centre: vec{y: 1}, across: vec{x: 60}, up: vec{z: 60}, inward: vec{y: -1}, radiance: vec{2, 2, 2}}
	const n = 2000
	var sum float64
	for i := range n {
		for j := range n {
			_, back := p.shine(vec{}, vec{y: 1}, (float64(i)+0.5)/n, (float64(j)+0.5)/n)
			sum += back.x
		}
	}
	near(t, "light", sum/n/n, 2, 0.01)
	if _, back := p.shine(vec{y: 2}, vec{y: -1}, 0.5, 0.5); back != (vec{}) {
		t.Errorf("light behind the pane: %v", back)
	}
}

func TestSunThroughAWindow(t *testing.T) {
	window := &pane{centre: vec{0, 1.5, 3}, across: vec{x: 0.6}, up: vec{y: 0.5}, inward: vec{z: -1}}
	s := &sun{toward: vec{0, 1, 1}.unit(), strength: vec{1, 1, 1}, through: window, bars: 1}
	for _, c := range []struct {
		x, z float64
		lit  bool
	}{{0.3, 1.6, true}, {0, 1.6, false}, {0.3, 0.5, false}, {0.3, 2.4, false}, {0.9, 1.6, false}, {0.3, 4, false}} {
		if _, back := s.shine(vec{x: c.x, z: c.z}, vec{y: 1}, 0.5, 0.5); (back != vec{}) != c.lit {
			t.Errorf("floor at %g, %g: light %v, want lit %t", c.x, c.z, back, c.lit)
		}
	}
}

// Dice are even: the mean of a few hundred throws is a half, wherever they start.
func TestDice(t *testing.T) {
	for k := range 4 {
		var u, v float64
		for i := range 512 {
			a, b := dice(1000 + i).throw(k)
			if a < 0 || a >= 1 || b < 0 || b >= 1 {
				t.Fatalf("throw %d: %g, %g", k, a, b)
			}
			u, v = u+a/512, v+b/512
		}
		near(t, "mean", u, 0.5, 0.02)
		near(t, "mean", v, 0.5, 0.02)
	}
}

// Inside a white furnace of brightness 1 a surface sends back 1.
func TestIndirectInAWhiteSky(t *testing.T) {
	w := newWorld(nil)
	w.sky = func(vec) vec { return vec{1, 1, 1} }
	near(t, "light", w.indirect(vec{}, vec{0, 1, 0}, 5).x, 1, 1e-12)
}

func TestSmoothKeepsToTheFace(t *testing.T) {
	g := &grid{20, 10, make([]spot, 200)}
	for i := range g.spots {
		s := spot{id: int32(i % 20 / 10), skin: int32(i % 20 / 10), depth: 1, normal: [3]float32{0, 1, 0}}
		s.light[0] = float32(s.id*10) + float32(i%2)*0.2
		if i < 20 {
			s = spot{id: -1}
		}
		g.spots[i] = s
	}
	if err := g.smooth(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := 20; i < 200; i++ {
		s := g.spots[i]
		near(t, "smoothed light", float64(s.light[0]), float64(s.id*10)+0.1, 0.02)
	}
	light, _ := g.lightAt(&spot{id: 1, skin: 1, depth: 1, normal: [3]float32{0, 1, 0}}, 9.9, 5)
	near(t, "light beside another solid", light.x, 10.1, 0.02)
	light, _ = g.lightAt(&spot{id: 7, skin: 7, depth: 1, normal: [3]float32{0, 1, 0}}, 3, 5)
	near(t, "light of a solid that no pixel saw", light.x, 0.1, 0.02)
}

func TestFilm(t *testing.T) {
	near(t, "srgb(0)", srgb(0), 0, 0)
	near(t, "srgb(1)", srgb(1), 1, 1e-9)
	near(t, "srgb(0.214)", srgb(0.2140), 0.5, 1e-3)
	last := -1.0
	for v := 0.0; v < 20; v += 0.01 {
		c := curve(v)
		if c < last || c > 1 || math.IsNaN(c) {
			t.Fatalf("curve(%g) = %g after %g", v, c, last)
		}
		last = c
	}
	if g := meter([][3]float32{{}, {}, {}}, 0.2); math.IsInf(g, 0) || math.IsNaN(g) {
		t.Errorf("exposure of a black picture = %g", g)
	}
}
