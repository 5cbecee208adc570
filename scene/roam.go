package scene

import (
	"context"
	"math"
	"slices"
)

// Roam renders what somebody sees who carries a camera about carelessly: a
// room, a street or a heap of things, from anywhere, tilted and rolled, with a
// lens of 45 to 75 degrees across the longer side. Such views teach a network
// what neat ones do not. Errors are as Room's.
func Roam(ctx context.Context, seed uint64, width, height int) (*View, error) {
	if err := check(width, height); err != nil {
		return nil, err
	}
	for try := uint64(0); ; try++ {
		s := newStage(seed*64 + try)
		w, c, key := somewhere(s, width, height)
		// A few rays tell whether the eye stands right before, or within, something.
		if try < 63 && tooNear(w, &c) {
			continue
		}
		return w.render(ctx, c, key, s.seed())
	}
}

// somewhere is a world, a camera in it, and the brightness of the picture.
func somewhere(s stage, width, height int) (*world, camera, float64) {
	var w *world
	var eye, target vec
	key := s.between(0.12, 0.32)
	switch kind := s.random.IntN(10); {
	case kind < 4:
		w, _ = room(s.seed(), width, height)
		eye = vec{s.between(-1.9, 1.9), s.between(0.4, 2.2), s.between(0.2, 3.2)}
		target = vec{s.between(-2, 2), s.between(0, 2), s.between(1.5, 5)}
	case kind < 6:
		w, _ = street(s.seed(), width, height)
		eye = vec{s.between(-5, 5), s.between(0.4, 4), s.between(0, 40)}
		target = eye.add(vec{s.between(-8, 8), s.between(-4, 2), s.between(4, 14)})
	default:
		w, target = heap(s)
		away, around, up := s.between(0.7, 3.5), s.between(-1, 1), s.between(0.05, 1.1)
		eye = target.add(vec{away * math.Sin(around) * math.Cos(up), away * math.Sin(up), -away * math.Cos(around) * math.Cos(up)})
		eye.y = max(eye.y, 0.15)
	}
	c := aim(eye, target, s.between(0.65, 1.2), width, height)
	c.roll(s.between(-0.2, 0.2))
	return w, c, key
}

// roll turns the camera about its axis by an angle in radians.
func (c *camera) roll(angle float64) {
	sin, cos := math.Sincos(angle)
	c.right, c.up = c.right.scale(cos).add(c.up.scale(sin)), c.up.scale(cos).sub(c.right.scale(sin))
}

// tooNear says whether a twentieth of the picture is within 0.35 m, or half of it within 0.6 m.
func tooNear(w *world, c *camera) bool {
	const across = 16
	var depths []float64
	for j := range across {
		for i := range across {
			way := c.along((float64(i)+0.5)*float64(c.width)/across, (float64(j)+0.5)*float64(c.height)/across)
			_, t := w.nearest(c.eye, way, 0)
			depths = append(depths, t)
		}
	}
	slices.Sort(depths)
	return depths[len(depths)/20] < 0.35 || depths[len(depths)/2] < 0.6
}
