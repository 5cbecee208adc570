package scene

import "context"

// samples is how many points of each light and how many bounces a pixel tries.
const samples = 1

// skyDepth is the depth in metres of places where nothing is, and the most
// that any place has.
const skyDepth = 200

// gather looks at every pixel once, and at its light from there.
func (w *world) gather(ctx context.Context, c *camera) (*grid, error) {
	g := &grid{c.width, c.height, make([]spot, c.width*c.height)}
	err := rows(ctx, c.height, func(y int) {
		for x := range c.width {
			*g.at(x, y) = w.look(c, x, y)
		}
	})
	return g, err
}

func (w *world) look(c *camera, x, y int) spot {
	along := c.along(float64(x)+0.5, float64(y)+0.5)
	id, t := w.nearest(c.eye, along, 0)
	if id < 0 || t > skyDepth {
		return spot{id: -1, depth: skyDepth}
	}
	s := &w.solids[id]
	p := c.eye.add(along.scale(t))
	n, _, _ := s.spotOn(p)
	p = p.add(n.scale(lift))
	way := along.unit()
	// The numbers of a Bayer matrix, where neighbours differ most; every tile
	// of them starts elsewhere, or a patch of sun would be seen on all walls.
	tile := 0
	for bit := range 3 {
		tile = tile<<2 | (x^y)>>bit&1<<1 | y>>bit&1
	}
	first := int(hash(x>>3, y>>3, 0)&0xFFFF) + tile
	var light, shine, sunny vec
	for i := range samples {
		d := dice(first + 64*i)
		u, v := d.throw(1)
		light = light.add(w.direct(w.soft, p, n, u, v)).add(w.indirect(p, n, d))
		shine = shine.add(w.mirrored(p, n, way, s.skin, d))
		sunny = sunny.add(w.direct(w.sharp, p, n, u, v))
	}
	return spot{
		id: int32(id), skin: s.skin.number, depth: float32(t), normal: n.short(),
		light: light.scale(1.0 / samples).short(), shine: shine.scale(1.0 / samples).short(),
		sunny: sunny.scale(1.0 / samples).short(),
	}
}
