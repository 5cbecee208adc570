package representation

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"hailo-depth/depthmap"
	"hailo-depth/manifest"
)

// The outputs of the zoo's networks.
var (
	scdepth  = manifest.Output{Meaning: "logit", Near: "large", Unit: "relative", Invariance: "scale", Sigmoid: manifest.Sigmoid{Scale: 10, Shift: 0.009}}
	fast     = manifest.Output{Meaning: "depth", Near: "small", Unit: "metre"}
	anything = manifest.Output{Meaning: "disparity", Near: "large", Unit: "relative", Invariance: "affine"}
)

func random(r *rand.Rand, width, height int, low, high float64) *depthmap.Map {
	m := &depthmap.Map{Width: width, Height: height, Values: make([]float32, width*height)}
	for i := range m.Values {
		m.Values[i] = float32(low + (high-low)*r.Float64())
	}
	return m
}

// convert does what package depth does: convert, resize, convert.
func convert(t *testing.T, o manifest.Output, as Name, within Range, m *depthmap.Map, width, height int) (*depthmap.Map, Values) {
	t.Helper()
	c, err := New(o, as, within)
	if err != nil {
		t.Fatal(err)
	}
	m = &depthmap.Map{Width: m.Width, Height: m.Height, Values: slices.Clone(m.Values)}
	c.Before(m)
	m = m.Resize(width, height)
	if err := c.After(m); err != nil {
		t.Fatal(err)
	}
	return m, c.Values
}

func near(t *testing.T, what string, got float32, want float64) {
	t.Helper()
	if math.Abs(float64(got)-want) > 4e-7*math.Abs(want) {
		t.Fatalf("%s is %v, want %v", what, got, want)
	}
}

// At the network's own size every value is the formula's.
func TestFormulas(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	logits := random(r, 40, 30, -12, 12)
	logits.Values[0], logits.Values[1] = -1e30, 1e30
	disparity, _ := convert(t, scdepth, Disparity, Range{}, logits, 40, 30)
	depth, _ := convert(t, scdepth, Depth, Range{}, logits, 40, 30)
	for i, x := range logits.Values {
		want := 10/(1+math.Exp(-float64(x))) + 0.009
		near(t, "disparity", disparity.Values[i], want)
		near(t, "depth", depth.Values[i], 1/want)
	}
	metres := random(r, 40, 30, 0.3, 10)
	metres.Values[7], metres.Values[8] = 0, -0.2
	inverse, _ := convert(t, fast, Disparity, Range{}, metres, 40, 30)
	_, largest := metres.Range()
	for i, v := range metres.Values {
		near(t, "disparity", inverse.Values[i], 1/max(float64(v), float64(largest)/mostRatio))
	}
	open := random(r, 40, 30, -3, 50)
	stated, _ := convert(t, anything, Depth, Range{0.5, 20}, open, 40, 30)
	low, high := open.Range()
	for i, v := range open.Values {
		share := (float64(v) - float64(low)) / (float64(high) - float64(low))
		near(t, "depth", stated.Values[i], 1/(1.0/20+share*(1/0.5-1.0/20)))
	}
	if nearest, farthest := stated.Range(); nearest != 0.5 || farthest != 20 {
		t.Errorf("depth from %v to %v, want 0.5 to 20", nearest, farthest)
	}
}

// What a network gives by itself is passed on bit for bit.
func TestOwnQuantityIsUntouched(t *testing.T) {
	m := random(rand.New(rand.NewPCG(3, 4)), 30, 20, -5, 5)
	want := m.Resize(71, 33)
	for name, c := range map[string]struct {
		o  manifest.Output
		as Name
	}{"logit": {scdepth, Raw}, "disparity raw": {anything, Raw}, "disparity": {anything, Disparity}, "depth raw": {fast, Raw}, "depth": {fast, Depth}} {
		if got, _ := convert(t, c.o, c.as, Range{}, m, 71, 33); !slices.Equal(got.Values, want.Values) {
			t.Errorf("%s is changed", name)
		}
	}
}

// Depth and disparity of one picture are each other's reciprocal at every pixel,
// also where the resize has interpolated.
func TestDepthIsReciprocalOfDisparityEverywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		width, height := 1+r.IntN(90), 1+r.IntN(90)
		for _, c := range []struct {
			o         manifest.Output
			low, high float64
		}{{scdepth, -8, 8}, {fast, 0.1, 10}} {
			m := random(r, 24, 18, c.low, c.high)
			disparity, v := convert(t, c.o, Disparity, Range{}, m, width, height)
			depth, w := convert(t, c.o, Depth, Range{}, m, width, height)
			if v.Near != "large" || w.Near != "small" || v.ScaleKnown != w.ScaleKnown || v.ShiftKnown != w.ShiftKnown {
				t.Fatalf("%v and %v", v, w)
			}
			for i := range depth.Values {
				near(t, "depth times disparity", depth.Values[i]*disparity.Values[i], 1)
			}
		}
	}
}

// A plane stays a plane: its disparity is linear in the picture, and so it must
// be in the enlarged one. Resizing logits, or depth, would bend it.
func TestResizeKeepsPlanesFlat(t *testing.T) {
	const small, large = 16, 160
	disparityAt := func(x, of float64) float64 { return 0.02 + 9*(x+0.5)/of } // a floor seen from near to far
	m := &depthmap.Map{Width: small, Height: 1, Values: make([]float32, small)}
	for x := range m.Values {
		s := (disparityAt(float64(x), small) - scdepth.Sigmoid.Shift) / scdepth.Sigmoid.Scale
		m.Values[x] = float32(math.Log(s / (1 - s)))
	}
	depth, _ := convert(t, scdepth, Depth, Range{}, m, large, 1)
	afterDepth, _ := convert(t, scdepth, Depth, Range{}, m, small, 1)
	bent := afterDepth.Resize(large, 1)
	worst, worstBent := 0.0, 0.0
	for x := large / small; x < large-large/small; x++ { // the outermost pixels have nothing to interpolate with
		want := 1 / disparityAt(float64(x), large)
		worst = max(worst, math.Abs(float64(depth.Values[x])-want)/want)
		worstBent = max(worstBent, math.Abs(float64(bent.Values[x])-want)/want)
	}
	if worst > 1e-5 || worstBent < 0.01 {
		t.Errorf("the plane is off by %.2g; by %.2g if depth were resized", worst, worstBent)
	}
}

func TestValues(t *testing.T) {
	metric := manifest.Output{Meaning: "disparity", Near: "large", Unit: "metre"}
	upToScale := manifest.Output{Meaning: "disparity", Near: "large", Unit: "relative", Invariance: "scale"}
	marigold := manifest.Output{Meaning: "depth", Near: "small", Unit: "relative", Invariance: "affine"}
	vague := scdepth
	vague.Invariance = "affine"
	for _, c := range []struct {
		o      manifest.Output
		as     Name
		within Range
		want   string
	}{
		{scdepth, Raw, Range{}, "logit; near=large; unit=relative; scale=unknown; shift=unknown"},
		{scdepth, Disparity, Range{}, "disparity; near=large; unit=relative; scale=unknown; shift=known"},
		{scdepth, Depth, Range{}, "depth; near=small; unit=relative; scale=unknown; shift=known"},
		{fast, Raw, Range{}, "depth; near=small; unit=metre; scale=known; shift=known"},
		{fast, Disparity, Range{}, "disparity; near=large; unit=1/metre; scale=known; shift=known"},
		{fast, Depth, Range{}, "depth; near=small; unit=metre; scale=known; shift=known"},
		{anything, Raw, Range{}, "disparity; near=large; unit=relative; scale=unknown; shift=unknown"},
		{anything, Disparity, Range{}, "disparity; near=large; unit=relative; scale=unknown; shift=unknown"},
		{anything, Depth, Range{0.5, 10}, "depth; near=small; unit=metre; scale=known; shift=known; depth-range=0.5,10"},
		{vague, Depth, Range{0.5, 10}, "depth; near=small; unit=metre; scale=known; shift=known; depth-range=0.5,10"},
		{metric, Raw, Range{}, "disparity; near=large; unit=1/metre; scale=known; shift=known"},
		{metric, Depth, Range{}, "depth; near=small; unit=metre; scale=known; shift=known"},
		{upToScale, Depth, Range{}, "depth; near=small; unit=relative; scale=unknown; shift=known"},
		{marigold, Depth, Range{}, "depth; near=small; unit=relative; scale=unknown; shift=unknown"},
	} {
		conversion, err := New(c.o, c.as, c.within)
		if err != nil || conversion.Values.String() != c.want || conversion.Values.Representation != c.as {
			t.Errorf("%+v as %s: %v, %v\n\twant %s", c.o, c.as, conversion.Values, err, c.want)
		}
	}
	unsaid := scdepth
	unsaid.Sigmoid = manifest.Sigmoid{}
	for _, c := range []struct {
		o      manifest.Output
		as     Name
		within Range
		want   string
	}{
		{anything, Depth, Range{}, "scale and shift are unknown and other for every picture; state depth_range=NEAR,FAR"},
		{marigold, Disparity, Range{}, "disparity cannot be computed from this model's depth"},
		{marigold, Disparity, Range{0.5, 1}, "depth_range: disparity needs none"},
		{unsaid, Depth, Range{}, "output.sigmoid"},
		{unsaid, Disparity, Range{}, "output.sigmoid"},
		{scdepth, Depth, Range{0.5, 1}, "depth_range: this model's depth follows from its disparity"},
		{fast, Depth, Range{0.5, 1}, "depth_range: this model gives depth by itself"},
		{fast, Raw, Range{0.5, 1}, "depth_range: raw needs none"},
		{fast, "metres", Range{}, `representation: "metres" is unknown; expected one of raw, disparity, depth`},
	} {
		_, err := New(c.o, c.as, c.within)
		var refused *Error
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v as %s: %v\n\twant %s", c.o, c.as, err, c.want)
		}
	}
}

// Maps of nothing but zeros, or of one value, give numbers or an error.
func TestDegenerateMaps(t *testing.T) {
	c, err := New(fast, Disparity, Range{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []float32{0, -1, 1e-38, math.MaxFloat32} {
		m := &depthmap.Map{Width: 2, Height: 1, Values: []float32{v, v}}
		if err := c.After(m); err == nil || !strings.Contains(err.Error(), "largest number of the network's map is") {
			t.Errorf("%v: %v, %v", v, m.Values, err)
		}
	}
	m := &depthmap.Map{Width: 2, Height: 1, Values: []float32{3, 3}}
	if c, err = New(anything, Depth, Range{0.5, 4}); err != nil || c.After(m) != nil || m.Values[0] != 4 || m.Values[1] != 4 {
		t.Errorf("a constant map becomes %v, %v", m.Values, err)
	}
}

// Whatever finite numbers a network gives, what leaves is finite.
func FuzzConversion(f *testing.F) {
	f.Add(float32(-1e38), float32(1e38), float32(0), 0.5, 10.0)
	f.Add(float32(0), float32(1e-30), float32(-4), 1e-6, 1e6)
	f.Fuzz(func(t *testing.T, a, b, c float32, near, far float64) {
		m := &depthmap.Map{Width: 3, Height: 1, Values: []float32{a, b, c}}
		within := Range{near, far}
		if m.CheckFinite() != nil || !within.valid() {
			return
		}
		for _, o := range []manifest.Output{scdepth, fast, anything} {
			for _, as := range []Name{Disparity, Depth} {
				for _, r := range []Range{{}, within} {
					c, err := New(o, as, r)
					if err != nil {
						continue
					}
					got := &depthmap.Map{Width: 3, Height: 1, Values: slices.Clone(m.Values)}
					c.Before(got)
					if err := c.After(got); err == nil && got.CheckFinite() != nil {
						t.Errorf("%v as %s within %v: %v", m.Values, as, r, got.Values)
					}
				}
			}
		}
	})
}
