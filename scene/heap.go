package scene

import "math"

// heap throws things together on a floor between none and three walls, and
// returns the point that a camera looks at. Things are of all sizes, turned
// every way, and some stick in others: what a network learns here is shape,
// not furniture.
func heap(s stage) (w *world, middle vec) {
	wide := s.between(1.2, 4)
	s.wall(vec{0, -0.1, 0}, vec{30, 0.1, 30}, yaw(s.between(0, 3)), s.surface())
	walls := s.random.IntN(4)
	for i := range walls {
		turn := yaw(math.Pi/2*float64(i) + s.between(-0.4, 0.4))
		s.wall(turn.apply(vec{0, 5, wide + s.between(0.1, 2)}), vec{20, 5, 0.1}, turn, s.surface())
	}
	high := s.between(0, 0.9)
	if s.often(0.5) {
		s.box(vec{0, high / 2, 0}, vec{wide * s.between(0.3, 0.6), high / 2, wide * s.between(0.3, 0.6)}, s.surface())
	} else {
		high = 0
	}
	for range 6 + s.random.IntN(40) {
		size := 0.05 * math.Exp(s.between(0, 2.2))
		half := vec{size * s.between(0.3, 1.5), size * s.between(0.3, 1.5), size * s.between(0.3, 1.5)}
		at := vec{wide * s.between(-0.6, 0.6), high + half.y*s.between(0.4, 1) + s.random.ExpFloat64()*0.12, wide * s.between(-0.6, 0.6)}
		turn := yaw(s.between(0, 6.3))
		if s.often(0.4) {
			turn = turn.after(roll(s.between(-1.5, 1.5)))
		}
		kind := []shape{box, box, taper, ball, frustum}[s.random.IntN(5)]
		made := s.put(kind, at, half, turn, s.surface())
		switch kind {
		case taper:
			made.narrow = vec{x: s.between(0, 0.9), z: s.between(0, 0.9)}
		case frustum:
			made.narrow = vec{x: s.between(-0.5, 0.9)}
		}
	}
	for range s.random.IntN(6) { // sticks: the thin things that networks miss
		s.column(vec{wide * s.between(-0.8, 0.8), 0.8, wide * s.between(-0.8, 0.8)}, s.between(0.01, 0.04), 0, 0.8, s.surface())
	}
	w = newWorld(*s.solids)
	toward := vec{s.between(-1, 1), s.between(0.5, 1.5), s.between(-1, 1)}.unit()
	w.sky, w.ambient = heaven(toward, s.seed()), vec{0.25, 0.25, 0.27}
	if s.often(0.6) {
		w.sharp = []light{&sun{toward: toward, strength: vec{1, 0.95, 0.88}.scale(s.between(0.5, 2.5))}}
	}
	return w, vec{wide * s.between(-0.4, 0.4), high + s.between(0, 0.3), wide * s.between(-0.4, 0.4)}
}

// surface is any skin that the scenes have, in any colour.
func (s stage) surface() *skin {
	colour := func() vec {
		grey := s.between(0.03, 0.85)
		return vec{grey, grey, grey}.mul(vec{s.between(0.6, 1.2), s.between(0.6, 1.2), s.between(0.6, 1.2)})
	}
	a, b := colour(), colour()
	switch s.random.IntN(12) {
	case 0:
		return plain(a)
	case 1:
		return lacquer(a)
	case 2:
		return stripes(a, b, s.between(0.02, 0.2), s.seed())
	case 3:
		return fabric(a, s.seed())
	case 4:
		return wood(a, s.seed())
	case 5:
		return upright(a, s.seed())
	case 6:
		return tiles(a, b, colour(), s.between(0.05, 0.5), 0.3, s.seed())
	case 7:
		return planks(a, s.between(0.05, 0.2), s.between(0.5, 2), 0.4, s.seed())
	case 8:
		return carpet(a, s.seed())
	case 9:
		return canvas(vec{0.3, 0.3, 0.3}, [4]vec{a, b, colour(), colour()}, s.seed())
	case 10:
		return &skin{tint: a, paint: foliage(a, s.between(0.02, 0.3), s.seed())}
	}
	return plaster(a, s.seed())
}
