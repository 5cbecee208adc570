package scene

import (
	"context"
	"math"
)

// Street renders a street of houses on a bright day, width*height pixels. A
// seed gives the houses, cars, trees, sun and camera: at eye height, looking
// along the street. Depth is capped at 200 m, which is what the sky has.
// Errors are as Room's.
func Street(ctx context.Context, seed uint64, width, height int) (*View, error) {
	if err := check(width, height); err != nil {
		return nil, err
	}
	w, c := street(seed, width, height)
	return w.render(ctx, c, 0.17, seed)
}

// quarter is the street: it runs along z, its middle at x 0.
type quarter struct {
	stage
	road   float64 // half the width between the kerbs
	pave   float64 // width of each pavement
	length float64
}

const kerb = 0.13

func street(seed uint64, width, height int) (*world, camera) {
	s := newStage(seed)
	q := &quarter{stage: s, road: s.between(2.9, 3.8), pave: s.between(1.9, 2.6), length: 90}
	q.ground()
	for _, side := range []float64{-1, 1} {
		q.row(side)
		q.kerbside(side)
	}
	q.horizon()

	w := newWorld(*s.solids)
	toward := vec{s.between(-0.8, 0.8), s.between(0.75, 1.1), s.between(-1, 0.15)}.unit()
	w.sharp = []light{&sun{toward: toward, strength: vec{1.0, 0.93, 0.82}.scale(s.between(2.0, 3.0))}}
	w.sky, w.haze, w.ambient = heaven(toward, s.seed()), 700, vec{0.18, 0.18, 0.20}

	eye := vec{s.between(-0.9, 0.9) * q.road, s.between(1.5, 1.75), 0}
	target := vec{-eye.x * s.between(0.2, 0.8), s.between(1.3, 2.0), 22}
	return w, aim(eye, target, s.between(0.78, 0.92), width, height)
}

func (q *quarter) ground() {
	road, far := asphalt(q.road, q.seed()), 0.55*float64(skyDepth)
	q.wall(vec{0, -0.1, far - 10}, vec{q.road, 0.1, far}, yaw(0), road)
	slabs := tiles(rgb(0xA9A59C), rgb(0xA09C94), rgb(0x77736C), 0.5, 0, q.seed())
	stone := plaster(rgb(0xB5B1A8), q.seed())
	for _, side := range []float64{-1, 1} {
		q.box(vec{side * (q.road + 0.08), 0.5*kerb - 0.1, far - 10}, vec{0.08, 0.5*kerb + 0.1, far}, stone)
		q.wall(vec{side * (q.road + 0.16 + 30), kerb - 0.1, far - 10}, vec{30, 0.1, far}, yaw(0), slabs)
	}
}

// asphalt is a road with a broken line along its middle and a gutter at its sides.
func asphalt(half float64, seed uint64) *skin {
	grey := rgb(0x5C5B5E)
	return &skin{tint: grey, paint: func(own vec, _ int) vec {
		shade := 0.75 + 0.35*cloud(own.x*0.6, own.z*0.25, seed) + 0.25*(noise(own.x*55, own.z*55, seed+4)-0.5)
		shade *= 0.75 + 0.25*step(half, half-0.3, math.Abs(own.x))
		colour := grey.scale(shade)
		_, along := cell(own.z, 4)
		line := step(0.075, 0.055, math.Abs(own.x)) * step(0, 0.05, along) * step(1.75, 1.7, along)
		worn := 0.5 + 0.5*noise(own.x*30, own.z*9, seed+8)
		return colour.mix(vec{0.75, 0.74, 0.70}, line*worn)
	}}
}

// row builds the houses of one side.
func (q *quarter) row(side float64) {
	z := -q.between(4, 9)
	for z < q.length {
		wide := q.between(5.5, 10)
		front := q.moved(vec{side * (q.road + 0.16 + q.pave + q.between(0, 0.25)), kerb, z + wide/2}, -side*math.Pi/2)
		front.house(wide/2-0.01, 2+q.random.IntN(3))
		z += wide
		if q.often(0.12) {
			z += q.between(2, 4)
		}
	}
}

// kerbside stands cars, trees and lamps along one side.
func (q *quarter) kerbside(side float64) {
	z := q.between(5.5, 9)
	for z < q.length*0.75 {
		if q.often(0.7) {
			lane := side * (q.road - 1.0)
			turn := 0.0
			if q.often(0.5) {
				turn = math.Pi
			}
			q.moved(vec{lane + q.between(-0.08, 0.08), 0, z}, turn+q.between(-0.02, 0.02)).car()
		}
		z += q.between(5.2, 7.5)
	}
	edge := side * (q.road + 0.16 + 0.45)
	for z := q.between(6, 11); z < 60; z += q.between(9, 14) {
		q.moved(vec{edge, kerb, z}, q.between(0, 6)).tree(q.between(4.5, 7))
		if q.often(0.5) {
			q.moved(vec{edge, kerb, z + 4.5}, side*math.Pi/2).lantern()
		}
	}
}

// horizon closes the street with a hill and bushes.
func (q *quarter) horizon() {
	wood := &skin{tint: rgb(0x4C6340), leafy: 0.5, paint: foliage(rgb(0x4C6340), 0.6, q.seed())}
	for i := range 9 {
		at := vec{(float64(i) - 4) * 9, 0, q.length + q.between(12, 35)}
		q.ball(at, vec{q.between(6, 10), q.between(4, 9), 6}, wood)
	}
}
