package scene

import "math"

// vec is a place or a direction in metres, x right, y up, z away from the
// viewer's wall, or a colour as linear red, green and blue with 1 white.
type vec struct{ x, y, z float64 }

func (a vec) add(b vec) vec            { return vec{a.x + b.x, a.y + b.y, a.z + b.z} }
func (a vec) sub(b vec) vec            { return vec{a.x - b.x, a.y - b.y, a.z - b.z} }
func (a vec) mul(b vec) vec            { return vec{a.x * b.x, a.y * b.y, a.z * b.z} }
func (a vec) scale(s float64) vec      { return vec{a.x * s, a.y * s, a.z * s} }
func (a vec) dot(b vec) float64        { return a.x*b.x + a.y*b.y + a.z*b.z }
func (a vec) length() float64          { return math.Sqrt(a.dot(a)) }
func (a vec) unit() vec                { return a.scale(1 / a.length()) }
func (a vec) abs() vec                 { return vec{math.Abs(a.x), math.Abs(a.y), math.Abs(a.z)} }
func (a vec) mix(b vec, t float64) vec { return a.scale(1 - t).add(b.scale(t)) }

func (a vec) cross(b vec) vec {
	return vec{a.y*b.z - a.z*b.y, a.z*b.x - a.x*b.z, a.x*b.y - a.y*b.x}
}

func (a vec) short() [3]float32 { return [3]float32{float32(a.x), float32(a.y), float32(a.z)} }

func long(a [3]float32) vec { return vec{float64(a[0]), float64(a[1]), float64(a[2])} }

// luminance is the brightness of a linear colour (Rec. 709 weights).
func (a vec) luminance() float64 { return 0.2126*a.x + 0.7152*a.y + 0.0722*a.z }

// basis returns two unit vectors that make a right angle with the unit vector
// a and with each other (Duff et al. 2017, "Building an Orthonormal Basis, Revisited").
func (a vec) basis() (vec, vec) {
	sign := math.Copysign(1, a.z)
	s := -1 / (sign + a.z)
	t := a.x * a.y * s
	return vec{1 + sign*a.x*a.x*s, sign * t, -sign * a.x}, vec{t, sign + a.y*a.y*s, -a.y}
}

// mat is a linear map by its rows.
type mat [3]vec

func (m mat) apply(v vec) vec { return vec{m[0].dot(v), m[1].dot(v), m[2].dot(v)} }

// transposed applies the transposed map.
func (m mat) transposed(v vec) vec {
	return m[0].scale(v.x).add(m[1].scale(v.y)).add(m[2].scale(v.z))
}

func (m mat) after(o mat) mat {
	return mat{o.transposed(m[0]), o.transposed(m[1]), o.transposed(m[2])}
}

// yaw turns about the vertical by an angle in radians: x towards z.
func yaw(angle float64) mat {
	s, c := math.Sincos(angle)
	return mat{{c, 0, -s}, {0, 1, 0}, {s, 0, c}}
}

// pitch turns about x: y towards z.
func pitch(angle float64) mat {
	s, c := math.Sincos(angle)
	return mat{{1, 0, 0}, {0, c, -s}, {0, s, c}}
}

// roll turns about z: x towards y.
func roll(angle float64) mat {
	s, c := math.Sincos(angle)
	return mat{{c, -s, 0}, {s, c, 0}, {0, 0, 1}}
}

// rgb is a colour of six hexadecimal digits, as painters give them, made linear.
func rgb(hex uint32) vec {
	linear := func(shift uint) float64 {
		v := float64(hex>>shift&255) / 255
		return math.Pow((v+0.055)/1.055, 2.4) // the sRGB curve without its short straight foot
	}
	return vec{linear(16), linear(8), linear(0)}
}
