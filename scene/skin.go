package scene

// skin is what a surface looks like.
type skin struct {
	tint  vec     // mean part of the light that comes back, linear, each 0..1
	paint paint   // the part at a point; nil: tint everywhere
	glow  vec     // light given off, times paint
	gloss float64 // 0 dull, 1 polished: how much of the mirror's share is seen
	leafy float64 // metres between leaves that turn the light every way; 0 for a smooth surface
	bevel float64 // metres over which a box's edges seem rounded

	number int32 // set by newWorld
}

// paint is the colour at a point in metres along the solid's own axes, on the
// face that looks along the own axis of that number.
type paint func(own vec, axis int) vec

func (s *skin) colour(own vec, axis int) vec {
	if s.paint == nil {
		return s.tint
	}
	return s.paint(own, axis)
}

// flat is a face's own two coordinates: u along, v up where there is an up.
func flat(own vec, axis int) (u, v float64) {
	switch axis {
	case 0:
		return own.z, own.y
	case 1:
		return own.x, own.z
	}
	return own.x, own.y
}

func plain(tint vec) *skin { return &skin{tint: tint} }

// lacquer is a smooth, slightly shining surface with worn edges.
func lacquer(tint vec) *skin { return &skin{tint: tint, gloss: 0.5, bevel: 0.006} }

// plaster is a wall paint with the unevenness that a roller leaves.
func plaster(tint vec, seed uint64) *skin {
	return &skin{tint: tint, paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		return tint.scale(0.94 + 0.08*cloud(u*1.3, v*1.3, seed) + 0.03*noise(u*90, v*90, seed+9))
	}}
}

// stripes is a wallpaper.
func stripes(tint, other vec, width float64, seed uint64) *skin {
	return &skin{tint: tint.mix(other, 0.5), paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		n, in := cell(u, width)
		edge := step(0, 0.004, in) * step(width, width-0.004, in)
		colour := tint
		if n&1 == 0 {
			colour = tint.mix(other, edge)
		}
		return colour.scale(0.96 + 0.06*noise(u*60, v*60, seed))
	}}
}

// fabric is a woven cover: threads, and broad marks of use.
func fabric(tint vec, seed uint64) *skin {
	return &skin{tint: tint, bevel: 0.04, paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		return tint.scale(0.72 + 0.34*cloud(u*6, v*6, seed) + 0.22*noise(u*260, v*190, seed+7))
	}}
}

// wood is one board with the grain along the longer own axis of the face, or
// up where a leg or a door is taller than wide.
func wood(tint vec, seed uint64) *skin {
	return &skin{tint: tint, gloss: 0.35, bevel: 0.006, paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		return tint.scale(grain(u, v, seed))
	}}
}

// upright is wood with the grain up.
func upright(tint vec, seed uint64) *skin {
	return &skin{tint: tint, gloss: 0.35, bevel: 0.006, paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		return tint.scale(grain(v, u, seed))
	}}
}

// grain is the shade of wood, about 1, at u along and v across the fibres.
func grain(u, v float64, seed uint64) float64 {
	bend := cloud(u*0.9, v*3, seed)
	rings := noise(u*0.7, v*26+7*bend, seed+5)
	fibres := noise(u*9, v*420, seed+11)
	return 0.70 + 0.25*bend + 0.22*rings + 0.13*fibres
}
