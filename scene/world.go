package scene

import "math"

// world is everything that light meets.
type world struct {
	*tree
	opaque  *tree             // what casts shadows
	soft    []light           // sources with broad shadows, and what surfaces send on
	sharp   []light           // sources with crisp shadows
	sky     func(way vec) vec // light from where nothing is, for a unit direction; nil indoors
	haze    float64           // metres over which air takes most colour of things, 0 indoors
	ambient vec               // stands for all light that came over more than one surface
}

func newWorld(solids []solid) *world {
	var opaque []solid
	for i, s := range solids {
		s.skin.number = int32(i)
		if !s.clear {
			opaque = append(opaque, s)
		}
	}
	return &world{tree: newTree(solids), opaque: newTree(opaque)}
}

// lift moves points off their surface, in metres, lest it shades itself.
const lift = 2e-4

// direct is the light that a white surface at p sends back of the sources,
// with shadows.
func (w *world) direct(sources []light, p, n vec, u, v float64) vec {
	var sum vec
	for _, l := range sources {
		way, back := l.shine(p, n, u, v)
		if back != (vec{}) && !w.opaque.blocked(p, way.scale(0.999)) {
			sum = sum.add(back)
		}
	}
	return sum
}

// indirect is one sample of the light that a white surface at p sends back of
// all that other surfaces and the sky send to it: colours spread, corners darken.
func (w *world) indirect(p, n vec, d dice) vec {
	u, v := d.throw(0)
	sin, cos := math.Sincos(2 * math.Pi * u)
	a, b := n.basis()
	r := math.Sqrt(v)
	way := a.scale(r * cos).add(b.scale(r * sin)).add(n.scale(math.Sqrt(1 - v)))
	return w.seen(p, way, d, false)
}

// seen is the light that comes to p against the unit direction way. A source's
// own glow counts only where asked for, for its light is counted as direct.
func (w *world) seen(p, way vec, d dice, glow bool) vec {
	id, t := w.nearest(p, way, 0)
	if id < 0 {
		if w.sky == nil {
			return vec{}
		}
		return w.sky(way)
	}
	s := &w.solids[id]
	at := p.add(way.scale(t))
	n, own, axis := s.spotOn(at)
	at = at.add(n.scale(lift))
	light := w.ambient
	u, v := d.throw(2)
	if len(w.soft) > 0 {
		// One source stands for all, each in its turn.
		turn := int(d) % len(w.soft)
		light = light.add(w.direct(w.soft[turn:turn+1], at, n, u, v).scale(float64(len(w.soft))))
	}
	light = light.add(w.direct(w.sharp, at, n, 0.5, 0.5))
	if !glow {
		// A rare bright patch would leave sparks that no smoothing hides.
		back := s.skin.tint.mul(light)
		return back.scale(1 / max(1, back.luminance()))
	}
	colour := s.skin.colour(own, axis)
	return colour.mul(light.add(s.skin.glow))
}

// mirrored is one sample of what a polished surface at p reflects towards an
// eye that looks along the unit direction way (Schlick 1994 for the share).
func (w *world) mirrored(p, n, way vec, s *skin, d dice) vec {
	facing := -n.dot(way)
	if s.gloss == 0 || facing <= 0 {
		return vec{}
	}
	share := s.gloss * (0.04 + 0.96*math.Pow(1-facing, 5))
	u, v := d.throw(3)
	rough := vec{u - 0.5, v - 0.5, u - v}.scale(0.09)
	way = way.add(n.scale(2 * facing)).add(rough).unit()
	return w.seen(p, way, d, true).scale(share)
}
