package scene

import "math"

// car is parked on the origin of its stage and faces -z.
func (s stage) car() {
	tint := s.one(0x8C1F1B, 0x1F3A5F, 0xC9CCCE, 0x2B2D30, 0x6D7378, 0xE6E4DF, 0x3E5A46, 0xB08A3C)
	body := &skin{tint: tint, gloss: 0.9, bevel: 0.14}
	dark := &skin{tint: vec{0.02, 0.022, 0.025}, gloss: 0.9}
	black := plain(vec{0.02, 0.02, 0.02})
	high := s.between(0, 0.12)

	s.box(vec{0, 0.56 + high/2, 0}, vec{0.86, 0.29 + high/2, 2.08}, body)
	s.box(vec{0, 0.32, 0}, vec{0.84, 0.10, 2.0}, black)
	cabin := s.put(taper, vec{0, 1.10 + high, 0.25}, vec{0.80, 0.26, 1.42}, yaw(0), dark)
	cabin.narrow = vec{x: 0.18, z: 0.36}
	roof := s.put(taper, vec{0, 1.37 + high, 0.25}, vec{0.665, 0.03, 0.93}, yaw(0), body)
	roof.narrow = vec{x: 0.1, z: 0.08}

	rubber, rim := plain(vec{0.025, 0.025, 0.027}), &skin{tint: rgb(0x9A9DA0), gloss: 0.6}
	for _, side := range []float64{-1, 1} {
		for _, z := range []float64{-1.32, 1.28} {
			across := roll(math.Pi / 2)
			s.put(frustum, vec{side * 0.77, 0.32, z}, vec{0.32, 0.11, 0.32}, across, rubber)
			s.put(frustum, vec{side * 0.78, 0.32, z}, vec{0.19, 0.115, 0.19}, across, rim)
		}
		s.box(vec{side * 0.66, 0.68, -2.07}, vec{0.15, 0.07, 0.03}, &skin{tint: rgb(0xE8EAEC), gloss: 0.8})
		s.box(vec{side * 0.70, 0.72, 2.07}, vec{0.12, 0.08, 0.03}, &skin{tint: rgb(0x9C1A14), gloss: 0.8})
		s.ball(vec{side * 0.93, 0.98 + high, -0.85}, vec{0.09, 0.07, 0.06}, body)
	}
	for _, z := range []float64{-2.085, 2.085} {
		s.box(vec{0, 0.50, z}, vec{0.26, 0.055, 0.012}, plain(rgb(0xDDDCD2)))
	}
}

// tree has a trunk on the origin and a crown of clumps of leaves, height metres in all.
func (s stage) tree(height float64) {
	bark := rgb(0x6B5A4A)
	seed := s.seed()
	trunk := &skin{tint: bark, paint: func(own vec, _ int) vec {
		return bark.scale(0.6 + 0.7*cloud((own.x+own.z)*25, own.y*4, seed))
	}}
	clear := height * s.between(0.34, 0.42)
	s.column(vec{0, height * 0.3, 0}, height*0.024, 0.5, height*0.3, trunk)
	green := s.one(0x5E7F3A, 0x4F7434, 0x77893F, 0x46683A)
	reach := (height - clear) / 2
	for range 170 {
		// Anywhere in a ball, more towards its skin.
		way := vec{s.between(-1, 1), s.between(-1, 1), s.between(-1, 1)}
		if way.length() > 1 {
			way = way.unit()
		}
		way = way.scale(0.45 + 0.4*way.length())
		at := vec{way.x * reach * 0.85, clear + reach + way.y*reach, way.z * reach * 0.85}
		size := reach * s.between(0.08, 0.2)
		turn := yaw(s.between(0, 6)).after(roll(s.between(-0.6, 0.6)))
		tint := green.scale(s.between(0.7, 1.25))
		s.put(ball, at, vec{size, size * 0.62, size}, turn, &skin{tint: tint, leafy: 0.07, paint: foliage(tint, 0.12, s.seed())})
	}
}

// lantern is a street lamp on the origin whose arm points along -z.
func (s stage) lantern() {
	iron := &skin{tint: rgb(0x3B4246), gloss: 0.4}
	s.column(vec{0, 2.2, 0}, 0.06, 0.4, 2.2, iron)
	s.box(vec{0, 4.4, -0.35}, vec{0.03, 0.03, 0.38}, iron)
	s.box(vec{0, 4.36, -0.8}, vec{0.09, 0.05, 0.22}, &skin{tint: rgb(0xC9CCCB), gloss: 0.3})
}
