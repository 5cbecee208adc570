package scene

import (
	"context"
	"slices"
)

// crisp is the last pass that joins the light of sharp sources.
const crisp = 2

// smooth averages the light of neighbours on the same face in passes with
// holes (Dammertz et al. 2010, "Edge-Avoiding A-Trous Wavelet Transform"). The
// first three passes join the tiles of 8x8 pixels that share their samples.
func (g *grid) smooth(ctx context.Context) error {
	other := &grid{g.width, g.height, slices.Clone(g.spots)}
	from, to := g, other
	for _, hole := range []int{1, 2, 4, 8} { // an even number, so that g has the last
		err := rows(ctx, g.height, func(y int) {
			for x := range g.width {
				to.at(x, y).blend(from, x, y, hole)
			}
		})
		if err != nil {
			return err
		}
		from, to = to, from
	}
	return nil
}

// blend sets the light to the mean of nine pixels, weighted 1 2 1 each way.
func (s *spot) blend(from *grid, x, y, hole int) {
	here := from.at(x, y)
	var light, shine, sunny [3]float32
	var sum float32
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			i, j := x+dx*hole, y+dy*hole
			if i < 0 || j < 0 || i >= from.width || j >= from.height {
				continue
			}
			there := from.at(i, j)
			weight := facing(here, there) * float32((2-dx*dx)*(2-dy*dy))
			if weight == 0 {
				continue
			}
			sum += weight
			for k := range 3 {
				light[k] += weight * there.light[k]
				shine[k] += weight * there.shine[k]
				sunny[k] += weight * there.sunny[k]
			}
		}
	}
	if sum == 0 {
		return // the sky, which is its own light
	}
	for k := range 3 {
		s.light[k], s.shine[k] = light[k]/sum, shine[k]/sum
		s.sunny[k] = here.sunny[k]
		if hole <= crisp {
			s.sunny[k] = sunny[k] / sum
		}
	}
}
