package scene

// Tables and cabinets stand on the origin of their stage; cabinets open towards -z.

// coffeeTable is low; it returns the height of its top.
func (s stage) coffeeTable(timber vec) float64 {
	top := wood(timber, s.seed())
	top.gloss = 0.7
	if s.often(0.4) {
		s.column(vec{0, 0.40, 0}, 0.46, 0, 0.02, top)
		for _, x := range []float64{-0.26, 0.26} {
			for _, z := range []float64{-0.26, 0.26} {
				s.column(vec{x, 0.19, z}, 0.02, -0.3, 0.19, upright(timber, s.seed()))
			}
		}
		return 0.42
	}
	s.box(vec{0, 0.40, 0}, vec{0.58, 0.02, 0.31}, top)
	s.box(vec{0, 0.15, 0}, vec{0.52, 0.012, 0.26}, wood(timber, s.seed()))
	for _, x := range []float64{-0.53, 0.53} {
		for _, z := range []float64{-0.26, 0.26} {
			s.box(vec{x, 0.19, z}, vec{0.025, 0.19, 0.025}, upright(timber, s.seed()))
		}
	}
	return 0.42
}

// diningTable is 2*half.x long; it returns the height of its top.
func (s stage) diningTable(timber vec, half vec) float64 {
	top := wood(timber, s.seed())
	top.gloss = 0.7
	s.box(vec{0, 0.735, 0}, vec{half.x, 0.018, half.z}, top)
	s.box(vec{0, 0.67, 0}, vec{half.x - 0.10, 0.045, half.z - 0.10}, wood(timber.scale(0.9), s.seed()))
	for _, x := range []float64{-1, 1} {
		for _, z := range []float64{-1, 1} {
			s.column(vec{x * (half.x - 0.09), 0.36, z * (half.z - 0.09)}, 0.024, -0.6, 0.36, upright(timber, s.seed()))
		}
	}
	return 0.753
}

// sideboard is a low cabinet with doors; it returns the height of its top.
func (s stage) sideboard(timber, front vec, halfWidth float64) float64 {
	body := wood(timber, s.seed())
	s.box(vec{0, 0.44, 0}, vec{halfWidth, 0.28, 0.21}, body)
	doors := 3
	wide := halfWidth / float64(doors)
	for i := range doors {
		x := (2*float64(i) + 1 - float64(doors)) * wide
		door := wood(front, s.seed())
		s.box(vec{x, 0.44, -0.215}, vec{wide - 0.008, 0.26, 0.01}, door)
		s.box(vec{x + wide*0.75, 0.52, -0.235}, vec{0.006, 0.06, 0.012}, lacquer(rgb(0x8A8378)))
	}
	for _, x := range []float64{-1, 1} {
		for _, z := range []float64{-0.16, 0.16} {
			s.column(vec{x * (halfWidth - 0.12), 0.08, z}, 0.016, -0.5, 0.08, upright(timber.scale(0.7), s.seed()))
		}
	}
	return 0.72
}

// shelf is a bookcase that is 2*halfWidth wide, with boards every 0.34 m, books and things.
func (s stage) shelf(timber vec, halfWidth float64, boards int) {
	const between, deep = 0.34, 0.15
	body := wood(timber, s.seed())
	height := between*float64(boards-1) + 0.12
	for _, side := range []float64{-1, 1} {
		s.box(vec{side * halfWidth, height / 2, 0}, vec{0.012, height / 2, deep}, upright(timber, s.seed()))
	}
	s.box(vec{0, height / 2, deep - 0.006}, vec{halfWidth, height / 2, 0.006}, upright(timber.scale(0.85), s.seed()))
	for i := range boards {
		y := 0.08 + between*float64(i)
		s.box(vec{0, y, 0}, vec{halfWidth - 0.012, 0.012, deep}, body)
		if i < boards-1 {
			s.moved(vec{0, y + 0.012, 0}, 0).books(halfWidth - 0.03)
		}
	}
}

// books fill a board from -half to half, upright, leaning, lying, or give way to a vase.
func (s stage) books(half float64) {
	x := -half
	for x < half-0.05 {
		if s.often(0.06) && x < half-0.2 {
			s.moved(vec{x + 0.10, 0, -0.02}, 0).vase(s.between(0.6, 0.9))
			x += 0.21
			continue
		}
		if s.often(0.08) {
			x += s.between(0.03, 0.12)
			continue
		}
		thick, tall, deep := s.between(0.010, 0.026), s.between(0.085, 0.14), s.between(0.075, 0.11)
		tint := s.one(0x8C2F2B, 0x1F3A5F, 0xD8CDB8, 0x2E4A3A, 0xC98B2B, 0x3B3B3F, 0x6C4A6E, 0xB9B2A3, 0x4F7C8A, 0xA65E3A)
		s.box(vec{x + thick, tall, -0.13 + deep}, vec{thick - 0.001, tall, deep}, spines(tint, s.seed()))
		x += 2 * thick
	}
}
