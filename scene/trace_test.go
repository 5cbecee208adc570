package scene

import (
	"math"
	"math/rand/v2"
	"testing"
)

func direction(random *rand.Rand) vec {
	return vec{random.NormFloat64(), random.NormFloat64(), random.NormFloat64()}.unit()
}

// crowd is many solids of every shape, turned every way.
func crowd(random *rand.Rand, count int) []solid {
	skins := []*skin{plain(vec{0.5, 0.5, 0.5}), {tint: vec{0.2, 0.5, 0.2}, bevel: 0.05}}
	var solids []solid
	for i := range count {
		turn := yaw(6 * random.Float64()).after(pitch(6 * random.Float64())).after(roll(6 * random.Float64()))
		half := vec{0.05 + random.Float64(), 0.05 + random.Float64(), 0.05 + random.Float64()}
		s := place(shape(i%4), direction(random).scale(8*random.Float64()), half, turn, skins[i/4%2])
		s.narrow = vec{random.Float64(), 0, random.Float64()}
		solids = append(solids, s)
	}
	return solids
}

// height is how far a unit point is outside the shape: 0 on its surface, below
// inside.
func (s *solid) height(q vec) float64 {
	a := q.abs()
	switch s.shape {
	case ball:
		return q.length() - 1
	case frustum:
		return max(math.Hypot(q.x, q.z)-(1-s.narrow.x*(q.y+1)/2), a.y-1)
	case taper:
		return max(a.x-(1-s.narrow.x*(q.y+1)/2), a.z-(1-s.narrow.z*(q.y+1)/2), a.y-1)
	}
	return max(a.x, a.y, a.z) - 1
}

func TestMeetIsOnTheSurface(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	hits := 0
	for _, s := range crowd(random, 200) {
		for range 200 {
			from := s.centre.add(direction(random).scale(3 + 5*random.Float64()))
			along := s.centre.sub(from).add(direction(random)).scale(0.2 + random.Float64())
			reach := s.meet(from, along, 0)
			if math.IsInf(reach, 1) {
				continue
			}
			hits++
			p := from.add(along.scale(reach))
			q := s.own.apply(p.sub(s.centre))
			if h := s.height(q); math.Abs(h) > 1e-9 {
				t.Fatalf("shape %d: met %g off its surface", s.shape, h)
			}
			for range 20 {
				before := from.add(along.scale(reach * random.Float64() * 0.999))
				if h := s.height(s.own.apply(before.sub(s.centre))); h < -1e-9 {
					t.Fatalf("shape %d: inside by %g before it is met", s.shape, -h)
				}
			}
			if b := s.bounds(); p.x < b.low.x-1e-9 || p.y < b.low.y-1e-9 || p.z < b.low.z-1e-9 ||
				p.x > b.high.x+1e-9 || p.y > b.high.y+1e-9 || p.z > b.high.z+1e-9 {
				t.Fatalf("shape %d: met outside its bounds", s.shape)
			}
			n, own, _ := s.spotOn(p)
			near(t, "length of the normal", n.length(), 1, 1e-9)
			if s.skin.bevel == 0 && n.dot(along) > 1e-6 {
				t.Fatalf("shape %d: the normal looks away from the ray by %g", s.shape, n.dot(along))
			}
			near(t, "own point", own.sub(q.mul(s.half)).length(), 0, 1e-12)
		}
	}
	if hits < 10000 {
		t.Errorf("only %d rays met anything", hits)
	}
}

func TestTreeFindsWhatAScanFinds(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	for _, count := range []int{0, 1, 2, 7, 300} {
		tree := newTree(crowd(random, count))
		if len(tree.solids) != count {
			t.Fatalf("%d solids of %d", len(tree.solids), count)
		}
		for i := range 2000 {
			from, along := direction(random).scale(12*random.Float64()), direction(random).scale(3)
			if i%5 == 0 { // along an axis, where a direction has zeros
				along = [3]vec{{x: 3}, {y: -3}, {z: 3}}[i/5%3]
			}
			best, reach := -1, math.Inf(1)
			for j := range tree.solids {
				if at := tree.solids[j].meet(from, along, 0); at < reach {
					best, reach = j, at
				}
			}
			if id, at := tree.nearest(from, along, 0); id != best || at != reach {
				t.Fatalf("tree of %d: solid %d at %g, want %d at %g", count, id, at, best, reach)
			}
			if got := tree.blocked(from, along); got != (reach < 1) {
				t.Fatalf("tree of %d: blocked %t, nearest at %g", count, got, reach)
			}
		}
	}
}

// All at one place cannot be divided well; the walk's memory must still do.
func TestTreeOfEquals(t *testing.T) {
	one := place(ball, vec{z: 3}, vec{1, 1, 1}, yaw(0), plain(vec{1, 1, 1}))
	var solids []solid
	for range 200 {
		solids = append(solids, one)
	}
	if _, at := newTree(solids).nearest(vec{}, vec{z: 1}, 0); at != 2 {
		t.Errorf("met at %g, want 2", at)
	}
}

func TestTurns(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	v := direction(random)
	a, b := yaw(0.7).after(pitch(0.2)), roll(-1.1)
	near(t, "after", a.after(b).apply(v).sub(a.apply(b.apply(v))).length(), 0, 1e-12)
	near(t, "transposed is the way back", a.transposed(a.apply(v)).sub(v).length(), 0, 1e-12)
	near(t, "yaw", yaw(math.Pi/2).apply(vec{x: 1}).sub(vec{z: 1}).length(), 0, 1e-12)
	near(t, "pitch", pitch(math.Pi/2).apply(vec{y: 1}).sub(vec{z: 1}).length(), 0, 1e-12)
	near(t, "roll", roll(math.Pi/2).apply(vec{x: 1}).sub(vec{y: 1}).length(), 0, 1e-12)
	for range 100 {
		n := direction(random)
		p, q := n.basis()
		near(t, "basis", math.Abs(n.dot(p))+math.Abs(n.dot(q))+math.Abs(p.dot(q))+math.Abs(p.length()-1)+math.Abs(q.length()-1), 0, 1e-12)
	}
}
