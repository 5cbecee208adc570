package scene

import "math"

// shape is one of four unit solids that fill -1..1 along each axis. Placed,
// turned and stretched they make everything that a scene holds.
type shape uint8

const (
	box     shape = iota
	taper         // a box that narrows towards +y: a car's cabin, a roof
	ball          // the unit sphere; stretched, a cushion or a leaf
	frustum       // a round column about y that may narrow towards +y: a leg, a pot, a cone
)

// solid is a unit shape in the world.
type solid struct {
	shape  shape
	narrow vec // taper: part of the width lost at the top, in x and z; frustum: part of the radius, in x
	centre vec // in the world
	half   vec // metres of a unit along the solid's own axes
	own    mat // turns world directions into the solid's axes, in units
	skin   *skin
	clear  bool // casts no shadow: a lamp's shade, the walls around all lights
}

// place makes a solid with the given half extents in metres, turned about its centre.
func place(s shape, centre, half vec, turn mat, surface *skin) solid {
	// The inverse of turn after stretch: rows are turn's columns over the extents.
	own := mat{
		{turn[0].x / half.x, turn[1].x / half.x, turn[2].x / half.x},
		{turn[0].y / half.y, turn[1].y / half.y, turn[2].y / half.y},
		{turn[0].z / half.z, turn[1].z / half.z, turn[2].z / half.z},
	}
	return solid{shape: s, centre: centre, half: half, own: own, skin: surface}
}

// bounds is the solid's box along the world's axes.
func (s *solid) bounds() bounds {
	// own's rows are axes over extents; extents squared times them are axes times extents.
	reach := s.own[0].scale(s.half.x * s.half.x).abs().
		add(s.own[1].scale(s.half.y * s.half.y).abs()).
		add(s.own[2].scale(s.half.z * s.half.z).abs())
	return bounds{s.centre.sub(reach), s.centre.add(reach)}
}

// meet returns where the ray from+t*along enters the solid, as t above least,
// or +Inf. along need not have unit length. A ray that starts inside finds
// nothing, for the scenes' eyes and surfaces are outside.
func (s *solid) meet(from, along vec, least float64) float64 {
	o, d := s.own.apply(from.sub(s.centre)), s.own.apply(along)
	var t float64
	switch s.shape {
	case box:
		t = meetBox(o, d)
	case taper:
		t = s.meetTaper(o, d)
	case ball:
		t = meetBall(o, d)
	default:
		t = s.meetFrustum(o, d)
	}
	if t > least {
		return t
	}
	return math.Inf(1)
}

func meetBox(o, d vec) float64 {
	x, y, z := 1/d.x, 1/d.y, 1/d.z
	sx, sy, sz := math.Copysign(1, x), math.Copysign(1, y), math.Copysign(1, z)
	enter := max((-sx-o.x)*x, (-sy-o.y)*y, (-sz-o.z)*z)
	leave := min((sx-o.x)*x, (sy-o.y)*y, (sz-o.z)*z)
	if enter > leave {
		return math.Inf(1)
	}
	return enter
}

func meetBall(o, d vec) float64 {
	a, b, c := d.dot(d), o.dot(d), o.dot(o)-1
	root := b*b - a*c
	if root < 0 {
		return math.Inf(1)
	}
	return (-b - math.Sqrt(root)) / a
}

// sides are the six planes n.p <= reach of a taper.
func (s *solid) sides() (normals [6]vec, reach [6]float64) {
	a, b := s.narrow.x/2, s.narrow.z/2
	return [6]vec{{1, a, 0}, {-1, a, 0}, {0, b, 1}, {0, b, -1}, {0, 1, 0}, {0, -1, 0}},
		[6]float64{1 - a, 1 - a, 1 - b, 1 - b, 1, 1}
}

func (s *solid) meetTaper(o, d vec) float64 {
	enter, leave := math.Inf(-1), math.Inf(1)
	normals, reach := s.sides()
	for i, n := range normals {
		gap, speed := reach[i]-n.dot(o), n.dot(d)
		switch {
		case speed < 0:
			enter = math.Max(enter, gap/speed)
		case speed > 0:
			leave = math.Min(leave, gap/speed)
		case gap < 0:
			return math.Inf(1)
		}
	}
	if enter > leave {
		return math.Inf(1)
	}
	return enter
}

// meetFrustum solves x^2 + z^2 = (a - b*y)^2 for |y| <= 1, and the two lids.
func (s *solid) meetFrustum(o, d vec) float64 {
	b := s.narrow.x / 2
	a := 1 - b
	nearest := math.Inf(1)
	if d.y != 0 {
		lid := -math.Copysign(1, d.y)
		t := (lid - o.y) / d.y
		x, z, r := o.x+t*d.x, o.z+t*d.z, a-b*lid
		if x*x+z*z <= r*r {
			nearest = t
		}
	}
	r := a - b*o.y
	qa := d.x*d.x + d.z*d.z - b*b*d.y*d.y
	qb := o.x*d.x + o.z*d.z + r*b*d.y
	qc := o.x*o.x + o.z*o.z - r*r
	root := qb*qb - qa*qc
	if root < 0 || qc < 0 && math.Abs(o.y) < 1 || qa == 0 {
		return nearest
	}
	root = math.Sqrt(root)
	for _, t := range [2]float64{(-qb - root) / qa, (-qb + root) / qa} {
		if y := o.y + t*d.y; math.Abs(y) <= 1 && t > 0 && t < nearest {
			nearest = t
		}
	}
	return nearest
}
