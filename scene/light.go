package scene

import "math"

// light is a source whose shadows are asked for one ray at a time.
type light interface {
	// shine returns the way from p to a point of the source chosen by u and v,
	// both 0..1, and what a white surface with normal n at p would send back
	// if nothing were between; black if the source cannot shine there.
	shine(p, n vec, u, v float64) (way, back vec)
}

// pane is a bright rectangle, a window under the sky.
type pane struct {
	centre, across, up vec // half extents as vectors
	inward             vec // unit normal of the bright side
	radiance           vec
}

func (l *pane) shine(p, n vec, u, v float64) (way, back vec) {
	way = l.centre.add(l.across.scale(2*u - 1)).add(l.up.scale(2*v - 1)).sub(p)
	d2 := way.dot(way)
	facing, leaving := n.dot(way), -l.inward.dot(way)
	if facing <= 0 || leaving <= 0 {
		return way, vec{}
	}
	area := 4 * l.across.length() * l.up.length()
	// Very near the pane one point stands badly for all: bounded below 0.2 m.
	return way, l.radiance.scale(area * facing * leaving / (math.Pi * max(d2*d2, 0.04*d2)))
}

// bulb is a small bright sphere.
type bulb struct {
	centre   vec
	radius   float64
	strength vec // radiant intensity
}

func (l *bulb) shine(p, n vec, u, v float64) (way, back vec) {
	sin, cos := math.Sincos(2 * math.Pi * u)
	flat := 2 * math.Sqrt(v*(1-v))
	way = l.centre.add(vec{flat * cos, 1 - 2*v, flat * sin}.scale(l.radius)).sub(p)
	facing, d2 := n.dot(way), way.dot(way)
	if facing <= 0 {
		return way, vec{}
	}
	return way, l.strength.scale(facing / (math.Pi * max(d2, 0.04) * math.Sqrt(d2)))
}

// sun is far away. Indoors it comes through a window, whose bars stop it.
type sun struct {
	toward   vec // unit
	strength vec
	through  *pane // nil outdoors
	bars     int   // upright bars that divide the pane; one lies across it too
}

// blur is the sun's radius in radians, doubled for haze.
const blur = 0.01

func (l *sun) shine(p, n vec, u, v float64) (way, back vec) {
	a, b := l.toward.basis()
	way = l.toward.add(a.scale(blur * (2*u - 1))).add(b.scale(blur * (2*v - 1)))
	facing := n.dot(way)
	if facing <= 0 {
		return way, vec{}
	}
	if l.through == nil {
		return way.scale(1e3), l.strength.scale(facing)
	}
	speed := l.through.inward.dot(way)
	t := l.through.inward.dot(l.through.centre.sub(p)) / speed
	if speed >= 0 || t <= 0 {
		return way, vec{}
	}
	at := p.add(way.scale(t)).sub(l.through.centre)
	x := at.dot(l.through.across) / l.through.across.dot(l.through.across)
	y := at.dot(l.through.up) / l.through.up.dot(l.through.up)
	_, bar := cell(x+1, 2/float64(l.bars+1))
	if math.Abs(x) > 1 || math.Abs(y) > 1 || min(bar, 2/float64(l.bars+1)-bar) < 0.04 || math.Abs(y-0.3) < 0.03 {
		return way, vec{}
	}
	return way.scale(t), l.strength.scale(facing)
}

// dice gives the random numbers of one sample: points of an even sequence
// (Roberts 2018, "The Unreasonable Effectiveness of Quasirandom Sequences"), so
// that the pixels of an 8x8 tile share the work and smoothing joins it.
type dice int

// throw returns the pair number k, 0..3, of the sample; both numbers are in 0..1.
func (d dice) throw(k int) (u, v float64) {
	// Pairs 0 and 2 belong together, as a bounce and the light where it ends.
	steps := [8]float64{
		0.8566748838545029, 0.7338918566271260, 0.7548776662466927, 0.5698402909980532,
		0.6287067210378087, 0.5385972572236101, 0.6180339887498949, 0.4142135623730951,
	}
	_, u = cell(0.5+float64(d)*steps[2*k], 1)
	_, v = cell(0.5+float64(d)*steps[2*k+1], 1)
	return u, v
}
