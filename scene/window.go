package scene

// window is set on a wall behind the origin of its stage and looks along -z;
// its middle is the origin. It returns the sky's light and, if the sun stands
// before it, the sun's.
func (s stage) window(half vec, radiance float64, sunny bool, curtain vec) (soft, sharp []light) {
	white := lacquer(rgb(0xECE8E0))
	s.box(vec{0, 0, -0.004}, vec{half.x, half.y, 0.004}, outside(half, 0.5*radiance, s.seed()))
	for _, side := range []float64{-1, 1} {
		s.box(vec{side * half.x, 0, -0.03}, vec{0.04, half.y + 0.04, 0.03}, white)
		s.box(vec{0, side * half.y, -0.03}, vec{half.x, 0.04, 0.03}, white)
	}
	const bars = 1
	s.box(vec{0, 0, -0.025}, vec{0.03, half.y, 0.02}, white)
	s.box(vec{0, 0.3 * half.y, -0.022}, vec{half.x, 0.018, 0.015}, white)
	s.box(vec{0, -half.y - 0.05, -0.09}, vec{half.x + 0.09, 0.015, 0.09}, white)

	cloth := &skin{tint: curtain}
	s.put(frustum, vec{0, half.y + 0.18, -0.13}, vec{0.012, half.x + 0.55, 0.012}, roll(1.5708), lacquer(rgb(0x3A3330)))
	for _, side := range []float64{-1, 1} {
		for i := range 7 {
			x := side * (half.x + 0.46 - 0.085*float64(i))
			bottom := -half.y - s.between(0.70, 0.73)
			top := half.y + 0.17
			s.put(frustum, vec{x, (top + bottom) / 2, -0.13 + s.between(-0.012, 0.012)},
				vec{s.between(0.045, 0.06), (top - bottom) / 2, s.between(0.028, 0.045)}, yaw(s.between(-0.3, 0.3)), cloth)
		}
	}

	inward := s.turn.apply(vec{0, 0, -1})
	// In front of the frame, where nothing of the window shades it.
	glass := &pane{centre: s.where(vec{0, 0, -0.07}), across: s.turn.apply(vec{x: half.x - 0.04}),
		up: vec{y: half.y - 0.04}, inward: inward, radiance: vec{0.92, 0.97, 1.08}.scale(radiance)}
	if !sunny {
		return []light{glass}, nil
	}
	toward := s.turn.apply(vec{s.between(-0.9, 0.9), s.between(0.55, 0.95), 1}.unit())
	strength := vec{1.0, 0.88, 0.70}.scale(radiance * s.between(0.4, 0.8))
	return []light{glass}, []light{&sun{toward: toward, strength: strength, through: glass, bars: bars}}
}
