package scene

import "math"

// spotOn describes the surface at a point of the world on the solid: its
// outward unit normal for light, the point in metres along the solid's own
// axes and the own axis (0 x, 1 y, 2 z) that the face looks along.
func (s *solid) spotOn(p vec) (normal, own vec, axis int) {
	q := s.own.apply(p.sub(s.centre))
	n := s.unitNormal(q)
	own = q.mul(s.half)
	switch a := n.abs(); {
	case a.y > a.x && a.y > a.z:
		axis = 1
	case a.x > a.z:
		axis = 0
	default:
		axis = 2
	}
	if s.shape == box && s.skin.bevel > 0 {
		n = s.bevelled(n, own)
	}
	normal = s.own.transposed(n).unit()
	if size := s.skin.leafy; size > 0 {
		a, b := (own.x+0.6*own.z)/size, (own.y+0.5*own.z)/size
		ruffle := vec{noise(a, b, 1) - 0.5, noise(a, b, 2) - 0.5, noise(a, b, 3) - 0.5}
		normal = normal.add(ruffle.scale(1.8)).unit()
	}
	return normal, own, axis
}

// unitNormal is the gradient of the unit shape at a point on it.
func (s *solid) unitNormal(q vec) vec {
	switch s.shape {
	case ball:
		return q
	case frustum:
		if math.Abs(q.y) > 1-1e-7 {
			return vec{0, q.y, 0}
		}
		b := s.narrow.x / 2
		return vec{q.x, b * (1 - b - b*q.y), q.z}
	case taper:
		normals, reach := s.sides()
		best, gap := 0, math.Inf(-1)
		for i, n := range normals {
			if g := n.dot(q) - reach[i]; g > gap {
				best, gap = i, g
			}
		}
		return normals[best]
	}
	a := q.abs()
	switch {
	case a.x > a.y && a.x > a.z:
		return vec{math.Copysign(1, q.x), 0, 0}
	case a.y > a.z:
		return vec{0, math.Copysign(1, q.y), 0}
	}
	return vec{0, 0, math.Copysign(1, q.z)}
}

// bevelled leans a box's normal over its nearby edges, so that they catch the
// light like worn wood or a padded seat. Only the light sees it: the depth is
// that of the sharp box.
func (s *solid) bevelled(n, own vec) vec {
	lean := func(n, at, half float64) float64 {
		edge := half - math.Abs(at)
		if n != 0 || edge >= s.skin.bevel {
			return n
		}
		// n is in units, and a bevel is not: half makes it metres again.
		return math.Copysign(0.8*(1-edge/s.skin.bevel), at)
	}
	metres := vec{lean(n.x, own.x, s.half.x), lean(n.y, own.y, s.half.y), lean(n.z, own.z, s.half.z)}
	return metres.mul(s.half)
}
