package scene

// camera is a pinhole with square pixels and the optical axis in the middle.
type camera struct {
	eye                vec
	right, up, forward vec     // unit
	focal              float64 // pixels
	width, height      int
}

// aim makes a camera at eye that looks at target, upright. lens is the focal
// length over the longer side of the picture.
func aim(eye, target vec, lens float64, width, height int) camera {
	forward := target.sub(eye).unit()
	right := vec{0, 1, 0}.cross(forward).unit()
	return camera{eye: eye, right: right, up: forward.cross(right), forward: forward,
		focal: lens * float64(max(width, height)), width: width, height: height}
}

// along is the direction through a point of the picture, pixel x having its
// centre at x+0.5. Its part along the optical axis is 1, so that the t where a
// ray eye+t*along meets a surface is the depth along that axis in metres.
func (c *camera) along(x, y float64) vec {
	return c.forward.
		add(c.right.scale((x - float64(c.width)/2) / c.focal)).
		add(c.up.scale((float64(c.height)/2 - y) / c.focal))
}
