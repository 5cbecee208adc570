package scene

import "math"

// heaven is a blue sky with fair-weather clouds, brighter near the sun.
func heaven(sun vec, seed uint64) func(way vec) vec {
	return func(way vec) vec {
		up := math.Max(0, way.y)
		colour := vec{0.62, 0.72, 0.84}.mix(vec{0.16, 0.32, 0.66}, math.Pow(up, 0.55))
		if up > 0.01 {
			// A flat layer of clouds overhead, thinner towards the horizon.
			u, v := way.x/(up+0.15), way.z/(up+0.15)
			cover := step(0.48, 0.72, cloud(u*1.1, v*1.1, seed)) * step(0.01, 0.2, up)
			colour = colour.mix(vec{0.88, 0.90, 0.93}, 0.85*cover)
		}
		glare := math.Pow(math.Max(0, way.dot(sun)), 24)
		return colour.add(vec{0.5, 0.45, 0.35}.scale(glare))
	}
}

// foliage is a crown of leaves in clumps of size metres, lighter on top.
func foliage(green vec, size float64, seed uint64) paint {
	return func(own vec, _ int) vec {
		a := cloud((own.x+0.7*own.z)/size, own.y/size, seed)
		b := noise((own.x-own.z)*6/size, own.y*6/size, seed+3)
		return green.scale(0.1 + 0.9*a + 0.9*b*b).mul(vec{0.8 + 0.4*b, 1, 0.8})
	}
}
