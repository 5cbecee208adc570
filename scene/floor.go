package scene

// planks is a floor of boards along the own z axis, each with its own tone and
// grain and a dark joint around it.
func planks(tint vec, width, length, gloss float64, seed uint64) *skin {
	return &skin{tint: tint.scale(0.95), gloss: gloss, paint: func(own vec, _ int) vec {
		row, across := cell(own.x, width)
		board, along := cell(own.z+length*speck(row, 0, seed), length)
		tone := 0.72 + 0.5*speck(row, board, seed+1)
		warm := speck(row, board, seed+2) - 0.5
		shade := tone * grain(own.z+float64(row)*3.7, own.x+float64(board)*5.3, seed+3)
		joint := seam(across, width, 0.004) * seam(along, length, 0.003)
		colour := tint.mul(vec{1 + 0.12*warm, 1, 1 - 0.16*warm})
		return colour.scale(shade * (0.3 + 0.7*joint))
	}}
}

// seam is 0 on the edges of a tile and 1 inside.
func seam(in, size, width float64) float64 {
	return step(0, width, in) * step(size, size-width, in)
}

// tiles is a floor or wall of square stones with light joints; every second one
// may have another colour.
func tiles(tint, other, joint vec, size, gloss float64, seed uint64) *skin {
	return &skin{tint: tint.mix(other, 0.5), gloss: gloss, paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		i, x := cell(u, size)
		j, y := cell(v, size)
		colour := tint
		if (i+j)&1 == 1 {
			colour = other
		}
		stone := 0.8 + 0.14*speck(i, j, seed) + 0.2*cloud(u*5+float64(i)*3, v*5, seed+1)
		return joint.mix(colour.scale(stone), seam(x, size, 0.006)*seam(y, size, 0.006))
	}}
}

// carpet is a pile of short threads.
func carpet(tint vec, seed uint64) *skin {
	return &skin{tint: tint, paint: func(own vec, axis int) vec {
		u, v := flat(own, axis)
		return tint.scale(0.6 + 0.4*cloud(u*3, v*3, seed) + 0.4*noise(u*160, v*160, seed+7))
	}}
}

// rug is a woven pattern of lozenges with a border, on a solid of the given half extents.
func rug(ground, figure, border, half vec, seed uint64) *skin {
	return &skin{tint: ground.mix(figure, 0.4), paint: func(own vec, _ int) vec {
		edge := min(half.x-own.abs().x, half.z-own.abs().z)
		colour := ground
		_, u := cell(own.x+own.z, 0.30)
		_, v := cell(own.x-own.z, 0.30)
		switch band := min(u, 0.30-u, v, 0.30-v); {
		case edge < 0.05 || edge > 0.11 && edge < 0.14:
			colour = border
		case edge > 0.14 && band < 0.025:
			colour = figure
		case edge > 0.14 && band > 0.10:
			colour = border.mix(figure, 0.5)
		}
		return colour.scale(0.62 + 0.3*cloud(own.x*4, own.z*4, seed) + 0.35*noise(own.x*150, own.z*150, seed+3))
	}}
}
