package scene

import (
	"cmp"
	"math"
	"slices"
)

// bounds is a box along the world's axes.
type bounds struct{ low, high vec }

func (b bounds) with(o bounds) bounds {
	return bounds{
		vec{min(b.low.x, o.low.x), min(b.low.y, o.low.y), min(b.low.z, o.low.z)},
		vec{max(b.high.x, o.high.x), max(b.high.y, o.high.y), max(b.high.z, o.high.z)},
	}
}

func (b bounds) area() float64 {
	d := b.high.sub(b.low)
	return d.x*d.y + d.y*d.z + d.z*d.x
}

func (b bounds) middle(axis int) float64 {
	switch axis {
	case 0:
		return b.low.x + b.high.x
	case 1:
		return b.low.y + b.high.y
	}
	return b.low.z + b.high.z
}

// crossed returns where a ray is inside the box first, from 0 to most, or +Inf
// if it is nowhere. inverse is one over its direction, axis by axis.
func (b *bounds) crossed(from, inverse vec, most float64) float64 {
	low, high := b.low, b.high
	// Which side comes first is the same for all boxes: a ray guesses right.
	if inverse.x < 0 {
		low.x, high.x = high.x, low.x
	}
	if inverse.y < 0 {
		low.y, high.y = high.y, low.y
	}
	if inverse.z < 0 {
		low.z, high.z = high.z, low.z
	}
	enter := max(0, (low.x-from.x)*inverse.x, (low.y-from.y)*inverse.y, (low.z-from.z)*inverse.z)
	leave := min(most, (high.x-from.x)*inverse.x, (high.y-from.y)*inverse.y, (high.z-from.z)*inverse.z)
	switch {
	case enter > leave:
		return math.Inf(1)
	case enter != enter || leave != leave:
		return 0 // the ray lies in a side's plane, 0 times Inf: look inside
	}
	return enter
}

// node is a box around either two nodes, or count solids from first.
type node struct {
	bounds
	first, count int32 // count 0: the nodes first and first+1
}

// tree finds what a ray meets without asking every solid. It holds the solids
// in its own order.
type tree struct {
	nodes  []node
	solids []solid
}

func newTree(solids []solid) *tree {
	p := planter{nodes: make([]node, min(1, len(solids)), 2*len(solids)+1), boxes: make([]bounds, len(solids)), order: make([]int, len(solids))}
	for i := range solids {
		p.boxes[i], p.order[i] = solids[i].bounds(), i
	}
	if len(solids) > 0 {
		p.grow(0, 0, len(solids), 0)
	}
	t := &tree{nodes: p.nodes}
	for _, i := range p.order {
		t.solids = append(t.solids, solids[i])
	}
	return t
}

// planter makes a tree's nodes over solids of which it knows the bounds only.
type planter struct {
	nodes []node
	boxes []bounds
	order []int // of the solids
}

// grow makes node number at over the solids from first to last in order, split
// where the surface area heuristic (MacDonald, Booth 1990) expects the least work.
func (p *planter) grow(at, first, last, depth int) {
	beyond := make([]float64, last-first)
	all := p.costsBeyond(beyond, first, last)
	p.nodes[at] = node{all, int32(first), int32(last - first)}
	best, axis, split := all.area()*float64(last-first), -1, 0
	for a := range 3 {
		p.sort(a, first, last)
		p.costsBeyond(beyond, first, last)
		b := p.boxes[p.order[first]]
		for i := first + 1; i < last; i++ {
			if cost := b.area()*float64(i-first) + beyond[i-first] + all.area(); cost < best {
				best, axis, split = cost, a, i
			}
			b = b.with(p.boxes[p.order[i]])
		}
	}
	if axis < 0 || depth == deepest {
		return
	}
	p.sort(axis, first, last)
	left := len(p.nodes)
	p.nodes[at].first, p.nodes[at].count = int32(left), 0
	p.nodes = append(p.nodes, node{}, node{})
	p.grow(left, first, split, depth+1)
	p.grow(left+1, split, last, depth+1)
}

// costsBeyond sets, for each solid of a run, the cost of it and those after
// it, and returns the bounds of all.
func (p *planter) costsBeyond(costs []float64, first, last int) bounds {
	b := p.boxes[p.order[last-1]]
	for i := last - 1; i >= first; i-- {
		b = b.with(p.boxes[p.order[i]])
		costs[i-first] = b.area() * float64(last-i)
	}
	return b
}

func (p *planter) sort(axis, first, last int) {
	slices.SortStableFunc(p.order[first:last], func(a, b int) int {
		return cmp.Compare(p.boxes[a].middle(axis), p.boxes[b].middle(axis))
	})
}
