package scene

// house is a front with windows, on the origin of its stage, looking along -z;
// it is 2*half wide and as deep behind.
func (s stage) house(half float64, floors int) {
	const storey = 3.0
	tall := storey*float64(floors) + 0.5
	wall := plaster(s.one(0xD9CFB8, 0xC98F6B, 0xB9C0BC, 0xE2D8C9, 0xB56A4C, 0xD6B77C, 0xC7B2A6), s.seed())
	if s.often(0.4) {
		wall = bricks(s.one(0x9A4F3A, 0x7F4334, 0xB07A5A, 0x8C6A57), s.seed())
	}
	s.box(vec{0, tall / 2, 5}, vec{half, tall / 2, 5}, wall)
	s.box(vec{0, 0.25, -0.01}, vec{half, 0.25, 0.03}, plaster(rgb(0x8C877E), s.seed()))
	s.box(vec{0, tall, -0.05}, vec{half, 0.10, 0.12}, plain(rgb(0xD8D3C8)))
	roof := s.put(taper, vec{0, tall + 1.3, 5}, vec{half, 1.3, 5.2}, yaw(0), plaster(s.one(0x7A4535, 0x4E4A4C, 0x8A5A42), s.seed()))
	roof.narrow = vec{z: 0.95}

	columns := max(2, int(2*half/2.3))
	pitch := 2 * half / float64(columns)
	glassHalf := vec{s.between(0.42, 0.55), s.between(0.65, 0.85), 0.03}
	frame := s.one(0xEDEAE2, 0xEDEAE2, 0x4A3B30, 0x2F4A3F)
	door := s.random.IntN(columns)
	for floor := range floors {
		for column := range columns {
			x := (float64(column)+0.5)*pitch - half
			y := storey*float64(floor) + 1.75
			if floor == 0 && column == door {
				s.door(x)
				continue
			}
			s.box(vec{x, y, 0}, glassHalf, glazing(glassHalf, frame, s.seed()))
			s.box(vec{x, y - glassHalf.y - 0.06, -0.03}, vec{glassHalf.x + 0.08, 0.05, 0.10}, plain(rgb(0xCFCABF)))
			if s.often(0.12) {
				s.box(vec{x, y - glassHalf.y + 0.02, -0.13}, vec{glassHalf.x * 0.9, 0.09, 0.08}, plain(rgb(0x8A4B36)))
				s.ball(vec{x, y - glassHalf.y + 0.14, -0.14}, vec{glassHalf.x * 0.9, 0.13, 0.12},
					&skin{tint: rgb(0x5E7F3A), paint: foliage(rgb(0x6E7F3A), 0.1, s.seed())})
			}
		}
	}
}

// door is a panel in a frame, two steps up.
func (s stage) door(x float64) {
	stone := plain(rgb(0xB5AFA3))
	s.box(vec{x, 1.25, 0}, vec{0.62, 1.25, 0.05}, plain(rgb(0xDDD8CC)))
	s.box(vec{x, 1.22, -0.04}, vec{0.48, 1.08, 0.03}, lacquer(s.one(0x2F4A5E, 0x5E2E2A, 0x2E4A3A, 0x3A3330, 0x8A5A2B)))
	s.box(vec{x, 0.07, -0.28}, vec{0.75, 0.07, 0.25}, stone)
}

// glazing is a window: a frame with a bar, dark glass with a trace of curtain.
func glazing(half, frame vec, seed uint64) *skin {
	dark := vec{0.030, 0.036, 0.045}.scale(0.6 + speck(0, 0, seed))
	drawn := 0.2 + 0.6*speck(0, 1, seed)
	return &skin{tint: dark, gloss: 1, paint: func(own vec, axis int) vec {
		u, v := own.x, own.y
		edge := min(half.x-abs(u), half.y-abs(v), abs(u)+0.02, abs(v-0.3*half.y)+0.02)
		if edge < 0.05 || axis != 2 {
			return frame
		}
		if abs(u) > half.x*drawn {
			return vec{0.30, 0.29, 0.27}.scale(0.7 + 0.5*noise(u*30, 0, seed+1))
		}
		return dark.scale(0.6 + 0.8*cloud(u*2, v*2, seed+2))
	}}
}

func abs(v float64) float64 { return max(v, -v) }

// bricks is a wall of them in stretcher bond.
func bricks(tint vec, seed uint64) *skin {
	const long, high = 0.24, 0.075
	mortar := tint.mix(vec{0.55, 0.53, 0.50}, 0.6)
	return &skin{tint: tint, paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		row, y := cell(v, high)
		column, x := cell(u+float64(row&1)*long/2, long)
		brick := tint.scale(0.65 + 0.45*speck(row, column, seed) + 0.3*cloud(u*0.8, v*0.8, seed+1))
		return mortar.mix(brick, seam(x, long, 0.012)*seam(y, high, 0.012))
	}}
}
