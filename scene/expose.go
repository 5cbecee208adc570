package scene

import (
	"context"
	"math"
	"slices"
)

// face and edge are how many points of a pixel are looked at for its colour,
// where it lies on one solid and where it does not.
const (
	face = 3
	edge = 7
)

// spread is how far from the pixel's centre they lie, in pixels: more than a
// half, since a lens is never quite sharp.
const spread = 0.65

// expose returns the linear colour of every pixel.
func (w *world) expose(ctx context.Context, c *camera, g *grid) ([][3]float32, error) {
	film := make([][3]float32, len(g.spots))
	err := rows(ctx, c.height, func(y int) {
		ids := make([]int32, 0, 9)
		for x := range c.width {
			ids = ids[:0]
			g.about(x, y, 1, func(there *spot) {
				if !slices.Contains(ids, there.id) {
					ids = append(ids, there.id)
				}
			})
			points := face
			if len(ids) > 1 {
				points = edge
			}
			var sum vec
			for i := range points {
				// Points of an even lattice (Fibonacci), the same in all pixels, lest edges fray.
				_, a := cell(float64(i)*0.6180339887+0.25, 1)
				b := (float64(i) + 0.5) / float64(points)
				sum = sum.add(w.point(c, g, ids, float64(x)+0.5+spread*(2*a-1), float64(y)+0.5+spread*(2*b-1)))
			}
			film[y*c.width+x] = sum.scale(1 / float64(points)).short()
		}
	})
	return film, err
}

// point is the colour at a point of the picture. It looks for the solids ids
// first, those that the pixels around see, -1 being the sky: what none of them
// has seen is too thin to matter, and asking the whole tree takes longer.
func (w *world) point(c *camera, g *grid, ids []int32, px, py float64) vec {
	along := c.along(px, py)
	id, t := -1, math.Inf(1)
	for _, other := range ids {
		if other >= 0 {
			if at := w.solids[other].meet(c.eye, along, 0); at < t {
				id, t = int(other), at
			}
		}
	}
	if id < 0 && (len(ids) > 1 || ids[0] >= 0) {
		id, t = w.nearest(c.eye, along, 0)
	}
	if id < 0 || t > skyDepth {
		if w.sky == nil {
			return vec{}
		}
		return w.sky(along.unit())
	}
	s := &w.solids[id]
	n, own, axis := s.spotOn(c.eye.add(along.scale(t)))
	here := spot{id: int32(id), skin: s.skin.number, depth: float32(t), normal: n.short()}
	light, shine := g.lightAt(&here, px, py)
	colour := s.skin.colour(own, axis).mul(light.add(s.skin.glow)).add(shine)
	if w.haze > 0 {
		colour = colour.mix(w.sky(vec{along.x, 0, along.z}.unit()), 1-math.Exp(-t/w.haze))
	}
	return colour
}
