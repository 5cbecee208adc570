package tensor

import (
	"math"
	"testing"
)

// TestFloat16AllValues goes through all there are: each becomes the number that
// IEEE 754 says, and comes back as the same bits.
func TestFloat16AllValues(t *testing.T) {
	for bits := range 1 << 16 {
		h := uint16(bits)
		got := float64(float16(h))
		exponent, fraction := int(h>>10&0x1f), float64(h&0x3ff)
		var want float64
		switch exponent {
		case 0:
			want = math.Ldexp(fraction, -24)
		case 31:
			want = math.Inf(1)
			if fraction != 0 {
				want = math.NaN()
			}
		default:
			want = math.Ldexp(1024+fraction, exponent-25)
		}
		if h>>15 == 1 {
			want = -want
		}
		if math.IsNaN(want) {
			if !math.IsNaN(got) || !math.IsNaN(float64(float16(toFloat16(float32(got))))) {
				t.Fatalf("%#04x is %v, want not a number, both ways", h, got)
			}
			continue
		}
		if got != want || math.Signbit(got) != math.Signbit(want) {
			t.Fatalf("%#04x is %v, want %v", h, got, want)
		}
		if back := toFloat16(float32(got)); back != h {
			t.Fatalf("%#04x comes back as %#04x", h, back)
		}
	}
}

// TestFloat16Rounds checks every midpoint between two neighbours, which goes to
// the even one, and the values next to it.
func TestFloat16Rounds(t *testing.T) {
	for h := uint16(0); h < 0x7bff; h++ {
		low, high := float16(h), float16(h+1)
		middle := (low + high) / 2
		even := h + h&1
		if got := toFloat16(middle); got != even {
			t.Fatalf("%v between %#04x and %#04x becomes %#04x, want %#04x", middle, h, h+1, got, even)
		}
		if got := toFloat16(math.Nextafter32(middle, 0)); got != h {
			t.Fatalf("just under %v becomes %#04x, want %#04x", middle, got, h)
		}
		if got := toFloat16(math.Nextafter32(middle, 1e9)); got != h+1 {
			t.Fatalf("just over %v becomes %#04x, want %#04x", middle, got, h+1)
		}
	}
	for v, want := range map[float32]uint16{
		65504: 0x7bff, 65519.996: 0x7bff, 65520: 0x7c00, 1e30: 0x7c00, -65520: 0xfc00,
		1e-30: 0, -1e-30: 0x8000, float32(math.Inf(-1)): 0xfc00, 2.9802322e-8: 0, 2.9802326e-8: 1,
	} {
		if got := toFloat16(v); got != want {
			t.Errorf("%v becomes %#04x, want %#04x", v, got, want)
		}
	}
}
