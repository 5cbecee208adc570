package scene

import "math"

// Small things stand on the origin of their stage.

// vase is a round body with a neck, about 0.25 m high at size 1.
func (s stage) vase(size float64) {
	clay := lacquer(s.one(0xE9E4DA, 0x3F5B66, 0xB8684A, 0x8A9A7B, 0x26282B, 0xC9B79C))
	s.ball(vec{0, 0.09 * size, 0}, vec{0.085 * size, 0.09 * size, 0.085 * size}, clay)
	s.column(vec{0, 0.19 * size, 0}, 0.045*size, 0.2, 0.05*size, clay)
}

// bowl is a flat dish with fruit.
func (s stage) bowl() {
	s.column(vec{0, 0.035, 0}, 0.09, -0.8, 0.035, lacquer(s.one(0xEDE8DD, 0x31546B, 0x6E4B33)))
	tint := s.one(0xE07B1F, 0xB02A20, 0x9DB83B, 0xE3C04A)
	for i := range 5 {
		angle := 2 * math.Pi * float64(i) / 5
		at := vec{0.078 * math.Cos(angle), 0.085, 0.078 * math.Sin(angle)}
		s.ball(at, vec{0.042, 0.04, 0.042}, &skin{tint: tint.scale(s.between(0.8, 1.1)), gloss: 0.5})
	}
	s.ball(vec{0, 0.13, 0}, vec{0.042, 0.04, 0.042}, &skin{tint: tint, gloss: 0.5})
}

// stack is a few books that lie.
func (s stage) stack(count int) {
	y := 0.0
	for range count {
		thick := s.between(0.009, 0.02)
		tint := s.one(0x8C2F2B, 0x1F3A5F, 0xD8CDB8, 0x2E4A3A, 0xC98B2B, 0x3B3B3F)
		s.moved(vec{0, y + thick, 0}, s.between(-0.5, 0.5)).
			box(vec{}, vec{s.between(0.10, 0.14), thick, s.between(0.07, 0.10)}, spines(tint, s.seed()))
		y += 2 * thick
	}
}

// mug is a cup without a handle.
func (s stage) mug() {
	s.column(vec{0, 0.045, 0}, 0.036, -0.15, 0.045, lacquer(s.one(0xF0EDE6, 0xC0392B, 0x2C5F7C, 0xD8B34A)))
}

// setting lays some of the things on a table top, reach metres about the middle.
func (s stage) setting(reachX, reachZ float64) {
	things := []func(stage){
		func(s stage) { s.bowl() },
		func(s stage) { s.stack(2 + s.random.IntN(3)) },
		func(s stage) { s.vase(s.between(0.7, 1.2)) },
		func(s stage) { s.mug() },
	}
	s.random.Shuffle(len(things), func(i, j int) { things[i], things[j] = things[j], things[i] })
	for i, thing := range things[:2+s.random.IntN(3)] {
		x := reachX * (float64(i)*0.62 - 0.95 + s.between(-0.1, 0.1))
		thing(s.moved(vec{x, 0, reachZ * s.between(-0.6, 0.6)}, s.between(-1, 1)))
	}
}

// picture hangs on a wall behind the origin of its stage and looks along -z.
func (s stage) picture(half vec) {
	frame := lacquer(s.one(0x2A2725, 0xEFEBE3, 0x8A6238, 0xB89B5E))
	mount := min(half.x, half.y) * s.between(0.12, 0.3)
	colours := [4]vec{
		s.one(0xBFD3DA, 0xF0D9B5, 0xD98C5F, 0x9CB4C0), s.one(0x2F4858, 0x4E6151, 0x7A3E3A, 0x33415C),
		s.one(0xC8A45C, 0xA65E3A, 0x86A397, 0xD1BFA7), s.one(0xE4572E, 0xF3C969, 0xF5F0E1),
	}
	s.box(vec{0, 0, -0.012}, vec{half.x, half.y, 0.012}, frame)
	s.box(vec{0, 0, -0.025}, vec{half.x - 0.022, half.y - 0.022, 0.002}, plain(vec{0.80, 0.78, 0.74}))
	image := vec{half.x - mount, half.y - mount, 0.002}
	s.box(vec{0, 0, -0.028}, image, canvas(image, colours, s.seed()))
}

// pictures hang one, two or three beside each other, about width metres in all.
func (s stage) pictures(width float64) {
	switch s.random.IntN(3) {
	case 0:
		s.picture(vec{width / 2, s.between(0.30, 0.42), 0})
	case 1:
		for _, side := range []float64{-1, 1} {
			s.moved(vec{x: side * width * 0.28}, 0).picture(vec{width * 0.21, width * 0.28, 0})
		}
	default:
		for i := range 3 {
			s.moved(vec{x: width * 0.36 * float64(i-1)}, 0).picture(vec{width * 0.14, width * s.between(0.17, 0.22), 0})
		}
	}
}

// carton is a cardboard box, closed with tape.
func (s stage) carton(half vec) {
	seed := s.seed()
	board := rgb(0xB08A5B)
	surface := &skin{tint: board, bevel: 0.004, paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		colour := board.scale(0.85 + 0.15*cloud(u*3, v*3, seed) + 0.06*noise(u*12, v*300, seed))
		if axis == 1 && math.Abs(own.x) < 0.025 || axis == 2 && math.Abs(own.x) < 0.025 && own.y > half.y*0.6 {
			colour = colour.mix(rgb(0xCDB58A), 0.7)
		}
		return colour
	}}
	s.box(vec{0, half.y, 0}, half, surface)
}
