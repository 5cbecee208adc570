package tensor

import "math"

// float16 decodes an IEEE 754 binary16 value: 1 sign, 5 exponent (bias 15) and
// 10 fraction bits.
func float16(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exponent := uint32(h>>10) & 0x1f
	fraction := uint32(h) & 0x3ff
	switch exponent {
	case 0:
		v := float32(fraction) * (1.0 / (1 << 24)) // subnormal: fraction * 2^-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// toFloat16 encodes v as binary16, rounding to nearest, ties to even; what is
// too large becomes infinity.
func toFloat16(v float32) uint16 {
	b := math.Float32bits(v)
	sign := uint16(b>>16) & 0x8000
	magnitude := b & 0x7fffffff
	switch {
	case magnitude > 0x7f800000:
		return sign | 0x7e00 // NaN
	case magnitude >= 0x477ff000: // 65520 and more round to infinity
		return sign | 0x7c00
	case magnitude < 0x38800000: // below 2^-14: subnormal, in steps of 2^-24
		steps := math.RoundToEven(float64(math.Float32frombits(magnitude)) * (1 << 24))
		return sign | uint16(steps)
	}
	rounded := magnitude + 0xfff + (magnitude>>13)&1
	return sign | uint16((rounded-(127-15)<<23)>>13)
}
