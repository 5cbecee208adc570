package depthmap

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func mapOf(width, height int, values ...float32) *Map { return &Map{width, height, values} }

// pattern is a map of random-looking finite values around zero.
func pattern(width, height int) *Map {
	m := newMap(width, height)
	state := uint32(7)
	for i := range m.Values {
		state = state*1664525 + 1013904223
		m.Values[i] = float32(int32(state)) / (1 << 27)
	}
	return m
}

func TestNormalizedReachesBothEnds(t *testing.T) {
	got := mapOf(2, 2, -3, 1, 5, 0).Normalized()
	if want := []float32{0, 0.5, 1, 0.375}; !slices.Equal(got.Values, want) {
		t.Errorf("got %v, want %v", got.Values, want)
	}
	if got := mapOf(3, 1, 7, 7, 7).Normalized(); !slices.Equal(got.Values, []float32{0, 0, 0}) {
		t.Errorf("a constant map became %v, want zeros", got.Values)
	}
	lowest, highest := pattern(50, 40).Normalized().Range()
	if lowest != 0 || highest != 1 {
		t.Errorf("normalised values run from %v to %v", lowest, highest)
	}
}

func TestParseScale(t *testing.T) {
	for text, want := range map[string]Scale{"0.5,10": {0.5, 10}, " -3 , 1e30": {-3, 1e30}} {
		if got, err := ParseScale(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "1,", "1,1", "2,1", "nan,1", "0,inf", "0,1e31", "-1e39,0", "1,2,3", "a,b"} {
		if got, err := ParseScale(text); err == nil || !strings.Contains(err.Error(), "expected two numbers") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestCheckFinite(t *testing.T) {
	if err := mapOf(2, 1, math.MaxFloat32, -math.MaxFloat32).CheckFinite(); err != nil {
		t.Errorf("finite values: %v", err)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	var e *NonFiniteError
	err := mapOf(5, 1, nan, inf, 1, -inf, inf).CheckFinite()
	if !errors.As(err, &e) || *e != (NonFiniteError{NaN: 1, Infinite: 3, Total: 5}) {
		t.Fatalf("got %v", err)
	}
	if want := "depth map has 1 NaN and 3 infinite values among 5; expected finite values only"; err.Error() != want {
		t.Errorf("message %q, want %q", err, want)
	}
}

// Nothing sensible can come of such maps, but nothing may break either.
func TestNonFiniteMapsDoNotPanic(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	cm, err := Lookup("viridis")
	if err != nil {
		t.Fatal(err)
	}
	for _, values := range [][]float32{{nan, nan}, {nan, 1}, {1, nan}, {inf, 1}, {-inf, inf}, {math.MaxFloat32, -math.MaxFloat32}} {
		m := mapOf(2, 1, values...)
		m.Normalized()
		m.Stats()
		m.ColorRGB(cm)
		m.Resize(5, 3)
		if err := new(PNGEncoder).EncodeGray16(&strings.Builder{}, m, m.Scale(), nil); err != nil {
			t.Errorf("%v: %v", values, err)
		}
	}
}

// TestStatsFollowTheDefinition compares with a sort.
func TestStatsFollowTheDefinition(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 1}, {3, 1}, {20, 1}, {21, 1}, {7, 13}, {64, 48}, {101, 99}} {
		for name, m := range map[string]*Map{
			"random":   pattern(size[0], size[1]),
			"few":      quantized(pattern(size[0], size[1])),
			"constant": pattern(size[0], size[1]).constant(),
		} {
			sorted := slices.Clone(m.Values)
			slices.SortFunc(sorted, cmp.Compare)
			position := float64(len(sorted)-1) * 0.95
			k := int(position)
			a, b := float64(sorted[k]), float64(sorted[min(k+1, len(sorted)-1)])
			p95 := a + (b-a)*(position-float64(k))
			got := m.Stats()
			if math.Abs(got.P95-p95) > 1e-6 {
				t.Errorf("%s %v: 95th percentile is %v, want %v", name, size, got.P95, p95)
			}
			sum, n, highest := 0.0, 0, math.Inf(-1)
			for _, v := range sorted {
				if float64(v) <= got.P95 {
					sum, n, highest = sum+float64(v), n+1, float64(v)
				}
			}
			if got.Min != float64(sorted[0]) || got.Max != highest || math.Abs(got.Mean-sum/float64(n)) > 1e-12 {
				t.Errorf("%s %v: %+v, want min %v, max %v, mean %v", name, size, got, sorted[0], highest, sum/float64(n))
			}
		}
	}
}

func quantized(m *Map) *Map {
	for i, v := range m.Values {
		m.Values[i] = float32(math.Round(float64(v) / 4))
	}
	return m
}

func (m *Map) constant() *Map {
	for i := range m.Values {
		m.Values[i] = -2.5
	}
	return m
}

func TestSelectRankIsASort(t *testing.T) {
	m := pattern(40, 30)
	copy(m.Values, []float32{0, float32(math.Copysign(0, -1)), 1e-45, -1e-45, math.MaxFloat32, -math.MaxFloat32})
	sorted := slices.Clone(m.Values)
	slices.Sort(sorted)
	for rank := range sorted {
		at, next := m.selectRank(rank)
		if at != sorted[rank] || next != sorted[min(rank+1, len(sorted)-1)] {
			t.Fatalf("rank %d: %v and %v, want %v and %v", rank, at, next, sorted[rank], sorted[min(rank+1, len(sorted)-1)])
		}
	}
}

func TestColormaps(t *testing.T) {
	for _, name := range Colormaps() {
		c, err := Lookup(name)
		if err != nil || c.Name != name {
			t.Fatalf("%s: %v, %v", name, c, err)
		}
		for i := 1; i < len(c.Colors); i++ {
			for channel := range 3 {
				step := int(c.Colors[i][channel]) - int(c.Colors[i-1][channel])
				if step < -8 || step > 8 {
					t.Errorf("%s: channel %d jumps by %d at %d", name, channel, step, i)
				}
			}
		}
	}
	known := map[string][3][3]byte{ // first, middle and last colour
		"viridis": {{68, 1, 84}, {32, 144, 140}, {253, 231, 36}},
		"inferno": {{0, 0, 3}, {187, 55, 84}, {252, 254, 164}},
		"jet":     {{0, 0, 127}, {124, 255, 121}, {127, 0, 0}},
		"gray":    {{0, 0, 0}, {128, 128, 128}, {255, 255, 255}},
	}
	for name, want := range known {
		c, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := [3][3]byte{c.Colors[0], c.Colors[128], c.Colors[255]}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	_, err := Lookup("Viridis")
	if want := `unknown colormap "Viridis"; expected one of viridis, plasma, magma, turbo, jet, inferno, gray`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestIndexIsFloorAndClip(t *testing.T) {
	for v, want := range map[float32]byte{-1: 0, 0: 0, 0.0039: 0, 1.0 / 256: 1, 0.5: 128, 0.99999: 255, 1: 255, 7: 255} {
		if got := index(v); got != want {
			t.Errorf("index(%v) = %d, want %d", v, got, want)
		}
	}
}

var resizeSizes = [][2]int{{1, 1}, {1, 40}, {2, 3}, {17, 13}, {40, 1}, {64, 64}, {320, 256}, {700, 1}}

func TestResizeProperties(t *testing.T) {
	for _, from := range resizeSizes {
		m := pattern(from[0], from[1])
		constant := pattern(from[0], from[1]).constant()
		lowest, highest := m.Range()
		for _, to := range resizeSizes {
			out := m.Resize(to[0], to[1])
			if out.Width != to[0] || out.Height != to[1] || len(out.Values) != to[0]*to[1] {
				t.Fatalf("%v to %v gave %dx%d with %d values", from, to, out.Width, out.Height, len(out.Values))
			}
			// Rounding may leave the range by the last bit.
			if l, h := out.Range(); l < lowest-1e-6*float32(math.Abs(float64(lowest))) || h > highest+1e-6*float32(math.Abs(float64(highest))) {
				t.Errorf("%v to %v: %v..%v became %v..%v", from, to, lowest, highest, l, h)
			}
			if l, h := constant.Resize(to[0], to[1]).Range(); l != -2.5 || h != -2.5 {
				t.Errorf("%v to %v: a constant became %v..%v", from, to, l, h)
			}
		}
		same := m.Resize(from[0], from[1])
		if !slices.Equal(same.Values, m.Values) || &same.Values[0] == &m.Values[0] {
			t.Errorf("%v to the same size is not an equal copy", from)
		}
	}
}
