package scene

import "math"

// Seats stand on the origin of their stage and look along -z.

// sofa is for places people, 0.62 m each between the arms.
func (s stage) sofa(places int, tint vec) {
	cover, dark := fabric(tint, s.seed()), fabric(tint.scale(0.8), s.seed())
	wide := 0.31 * float64(places)
	s.box(vec{0, 0.22, 0.02}, vec{wide, 0.13, 0.40}, dark)
	s.put(box, vec{0, 0.58, 0.38}, vec{wide + 0.14, 0.26, 0.09}, pitch(0.10), cover)
	for _, side := range []float64{-1, 1} {
		s.box(vec{side * (wide + 0.09), 0.34, 0}, vec{0.09, 0.27, 0.43}, cover)
		for _, end := range []float64{-0.34, 0.34} {
			s.column(vec{side * wide, 0.045, end}, 0.03, 0, 0.045, lacquer(rgb(0x2B211B)))
		}
	}
	for i := range places {
		x := (float64(i) - float64(places-1)/2) * 0.62
		s.box(vec{x, 0.41, -0.04}, vec{0.302, 0.075, 0.37}, fabric(tint.scale(s.between(0.93, 1.07)), s.seed()))
		s.put(box, vec{x, 0.66, 0.24}, vec{0.295, 0.20, 0.085}, pitch(0.22), fabric(tint.scale(s.between(0.93, 1.07)), s.seed()))
	}
	for _, side := range []float64{-1, 1} {
		if s.often(0.8) {
			cushion := fabric(s.one(0xD9A441, 0xB5533C, 0x5F7F8C, 0xE6DFD0, 0x7C8B5A, 0xA7727C), s.seed())
			cushion.bevel = 0.1
			turn := yaw(side * s.between(-0.5, 0.2)).after(pitch(0.35)).after(roll(s.between(-0.25, 0.25)))
			s.put(box, vec{side * (wide - 0.22), 0.64, 0.08}, vec{0.21, 0.19, 0.06}, turn, cushion)
		}
	}
}

// armchair is padded, on splayed legs.
func (s stage) armchair(tint, timber vec) {
	cover, legs := fabric(tint, s.seed()), wood(timber, s.seed())
	s.box(vec{0, 0.37, 0}, vec{0.30, 0.09, 0.32}, cover)
	s.put(box, vec{0, 0.68, 0.32}, vec{0.30, 0.34, 0.07}, pitch(0.20), cover)
	for _, side := range []float64{-1, 1} {
		s.put(box, vec{side * 0.35, 0.50, 0.02}, vec{0.06, 0.15, 0.34}, roll(-0.06*side), cover)
		for _, end := range []float64{-0.25, 0.25} {
			turn := roll(0.18 * side).after(pitch(0.18 * math.Copysign(1, end)))
			s.put(frustum, vec{side * 0.29, 0.14, end * 1.1}, vec{0.022, 0.15, 0.022}, turn, legs)
		}
	}
	s.put(ball, vec{0, 0.60, 0.16}, vec{0.21, 0.20, 0.08}, pitch(0.3),
		fabric(s.one(0xE6DFD0, 0xD9A441, 0x3F5560, 0xB5533C), s.seed()))
}

// chair is a wooden one for a table.
func (s stage) chair(timber, seat vec) {
	frame := upright(timber, s.seed())
	s.box(vec{0, 0.455, 0}, vec{0.215, 0.02, 0.21}, fabric(seat, s.seed()))
	for _, side := range []float64{-1, 1} {
		s.box(vec{side * 0.19, 0.22, -0.18}, vec{0.018, 0.22, 0.018}, frame)
		s.put(box, vec{side * 0.19, 0.46, 0.21}, vec{0.018, 0.47, 0.018}, pitch(0.08), frame)
		s.box(vec{side * 0.19, 0.40, 0.01}, vec{0.012, 0.025, 0.18}, frame)
	}
	s.box(vec{0, 0.40, -0.18}, vec{0.18, 0.025, 0.012}, frame)
	for i := range 3 {
		s.put(box, vec{0, 0.60 + 0.13*float64(i), 0.222 + 0.0105*float64(i)}, vec{0.18, 0.035, 0.009}, pitch(0.08), wood(timber, s.seed()))
	}
}

// pouf is a round padded stool.
func (s stage) pouf(tint vec) {
	s.column(vec{0, 0.19, 0}, 0.27, -0.04, 0.17, fabric(tint, s.seed()))
	s.ball(vec{0, 0.36, 0}, vec{0.275, 0.07, 0.275}, fabric(tint.scale(1.05), s.seed()))
}
