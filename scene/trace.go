package scene

import "math"

// deepest is how often the tree may divide, and so how much a walk must remember.
const deepest = 30

// nearest returns the number of the first solid that the ray from+t*along
// meets beyond least, and its t; -1 and +Inf if there is none.
func (t *tree) nearest(from, along vec, least float64) (int, float64) {
	inverse := vec{1 / along.x, 1 / along.y, 1 / along.z}
	found, reach := -1, math.Inf(1)
	var stack [deepest + 2]waiting // the first is the tree's root, from 0
	for top := min(1, len(t.nodes)); top > 0; {
		top--
		if stack[top].from >= reach {
			continue
		}
		n := &t.nodes[stack[top].node]
		if n.count == 0 {
			near := waiting{n.first, t.nodes[n.first].crossed(from, inverse, reach)}
			far := waiting{n.first + 1, t.nodes[n.first+1].crossed(from, inverse, reach)}
			if near.from > far.from {
				near, far = far, near
			}
			if far.from < reach {
				stack[top] = far
				top++
			}
			if near.from < reach {
				stack[top] = near
				top++
			}
			continue
		}
		for i := n.first; i < n.first+n.count; i++ {
			if at := t.solids[i].meet(from, along, least); at < reach {
				found, reach = int(i), at
			}
		}
	}
	return found, reach
}

// waiting is a node that a ray enters at from, to be looked at later.
type waiting struct {
	node int32
	from float64
}

// blocked says whether something lies on the way from a point to from+along.
func (t *tree) blocked(from, along vec) bool {
	inverse := vec{1 / along.x, 1 / along.y, 1 / along.z}
	var stack [deepest + 2]int32
	for top := min(1, len(t.nodes)); top > 0; {
		top--
		n := &t.nodes[stack[top]]
		if n.crossed(from, inverse, 1) > 1 {
			continue
		}
		if n.count == 0 {
			stack[top], stack[top+1] = n.first, n.first+1
			top += 2
			continue
		}
		for i := n.first; i < n.first+n.count; i++ {
			if t.solids[i].meet(from, along, 0) < 1 {
				return true
			}
		}
	}
	return false
}
