package scene

import "math"

// spot is what the ray through the centre of one pixel finds.
type spot struct {
	id     int32 // number of the solid, -1 for the sky
	skin   int32 // number of its skin: the folds of a curtain share one
	depth  float32
	normal [3]float32
	light  [3]float32 // that a white surface there would send back, of soft sources and other surfaces
	sunny  [3]float32 // the same of sharp sources
	shine  [3]float32 // reflected as by a mirror
}

// grid is the spots of all pixels, row-major.
type grid struct {
	width, height int
	spots         []spot
}

func (g *grid) at(x, y int) *spot { return &g.spots[y*g.width+x] }

// about calls do for a pixel and its neighbours up to reach away.
func (g *grid) about(x, y, reach int, do func(there *spot)) {
	for j := max(0, y-reach); j <= min(g.height-1, y+reach); j++ {
		for i := max(0, x-reach); i <= min(g.width-1, x+reach); i++ {
			do(g.at(i, j))
		}
	}
}

// facing is how much the light at one spot says about another, 0..1: nothing
// on other things, little on another face.
func facing(a, b *spot) float32 {
	if a.id != b.id && (a.skin != b.skin || a.depth > 1.03*b.depth || b.depth > 1.03*a.depth) {
		return 0
	}
	dot := a.normal[0]*b.normal[0] + a.normal[1]*b.normal[1] + a.normal[2]*b.normal[2]
	if dot <= 0 {
		return 0
	}
	dot *= dot
	dot *= dot
	return dot * dot // the 8th power
}

// lightAt is the light at a point of the picture that shows a given spot: that
// of the four pixels around it which see the same face, or what comes next.
func (g *grid) lightAt(here *spot, px, py float64) (light, shine vec) {
	left, top := int(math.Floor(px-0.5)), int(math.Floor(py-0.5))
	var sum float64
	for j := max(0, top); j <= min(g.height-1, top+1); j++ {
		for i := max(0, left); i <= min(g.width-1, left+1); i++ {
			there := g.at(i, j)
			weight := float64(facing(here, there))
			if weight == 0 {
				continue
			}
			weight *= (1.001 - math.Abs(float64(i)+0.5-px)) * (1.001 - math.Abs(float64(j)+0.5-py))
			sum += weight
			light = light.add(long(there.light).add(long(there.sunny)).scale(weight))
			shine = shine.add(long(there.shine).scale(weight))
		}
	}
	if sum < 1e-6 {
		return g.kinLight(here.id, px, py), vec{}
	}
	return light.scale(1 / sum), shine.scale(1 / sum)
}

// kinLight is the light at a pixel near a point that sees the solid id, the
// pixel around it before others; any solid if none does.
func (g *grid) kinLight(id int32, px, py float64) vec {
	x, y := min(g.width-1, max(0, int(px))), min(g.height-1, max(0, int(py)))
	home := g.at(x, y)
	best, rank := home, 0
	g.about(x, y, 1, func(there *spot) {
		r := 0
		if there.id >= 0 {
			r++
		}
		if there.id == id {
			r += 2
		}
		if there == home && r > 0 {
			r++
		}
		if r > rank {
			best, rank = there, r
		}
	})
	return long(best.light).add(long(best.sunny))
}
