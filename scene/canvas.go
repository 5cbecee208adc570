package scene

import "math"

// canvas is an abstract landscape to hang on a wall: sky, hills and a sun, on
// a solid of the given half extents.
func canvas(half vec, colours [4]vec, seed uint64) *skin {
	mean := colours[0].mix(colours[1], 0.5).mix(colours[2].mix(colours[3], 0.5), 0.5)
	return &skin{tint: mean, paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		u, v = u/half.y, v/half.y
		colour := colours[0].mix(vec{1, 1, 1}, 0.4*step(0.9, -0.4, v))
		sun := vec{speck(1, 0, seed) - 0.5, 0.2 + 0.4*speck(2, 0, seed), 0}
		if (vec{u, v, 0}).sub(sun).length() < 0.22 {
			colour = colours[3]
		}
		for i := range 3 {
			ridge := 0.25 - 0.45*float64(i) + 0.6*(cloud(u*1.5+float64(i)*9, 0.5, seed)-0.5)
			if v < ridge {
				colour = colours[1].mix(colours[2], float64(i)/2).scale(0.75 + 0.25*float64(i)/2)
			}
		}
		return colour.scale(0.8 + 0.4*cloud(u*4, v*4, seed+5))
	}}
}

// spines is the cover of a book that stands: its title is a light band or two.
func spines(tint vec, seed uint64) *skin {
	title := tint.mix(vec{0.85, 0.8, 0.65}, 0.25+0.5*speck(1, 1, seed))
	middle := 0.01 + 0.05*speck(1, 2, seed)
	return &skin{tint: tint, bevel: 0.004, paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		shade := 0.85 + 0.2*noise(u*50, v*9, seed)
		if math.Abs(v-middle) < 0.018 || math.Abs(v+0.06) < 0.004 {
			return title.scale(shade)
		}
		return tint.scale(shade)
	}}
}

// outside is the bright garden behind a window's curtain of glass: sky over
// blurred green, brighter than any wall.
func outside(half vec, brightness float64, seed uint64) *skin {
	return &skin{tint: vec{0.1, 0.1, 0.1}, glow: vec{1, 1, 1}.scale(brightness), paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		sky := vec{0.80, 0.90, 1.0}.mix(vec{1, 1, 1}, cloud(u*1.2, v*2, seed))
		leaves := vec{0.20, 0.30, 0.13}.scale(0.5 + 1.1*cloud(u*3, v*3, seed+3))
		height := v/half.y + 0.7*(cloud(u*1.5, 0, seed+7)-0.5)
		return leaves.mix(sky, step(-0.75, -0.15, height))
	}}
}
