package picture

import "image"

// yccCoding is how a file format codes RGB as luma and chroma.
type yccCoding int

const (
	fullRange    yccCoding = iota // JPEG
	limitedRange                  // WebP
)

// fromYCbCr converts a picture of any chroma subsampling. Chroma is interpolated as libjpeg and libwebp do by default,
// not repeated: repeated chroma shows as steps along coloured edges, in small pictures the most.
func fromYCbCr(m *image.YCbCr, coding yccCoding) *RGB {
	pic := newRGB(m.Rect.Dx(), m.Rect.Dy())
	// The rounding term of the odd columns: libjpeg alternates 8 and 7 so that the error averages out, libwebp always
	// adds 8.
	toRGB, oddBias := fullRangeRow, int32(7)
	if coding == limitedRange {
		toRGB, oddBias = limitedRangeRow, 8
	}
	up := newChromaRows(m, oddBias)
	for y := range pic.Height {
		cb, cr := up.row(y)
		toRGB(pic.row(y), m.Y[m.YOffset(m.Rect.Min.X, m.Rect.Min.Y+y):][:pic.Width], cb, cr)
	}
	return pic
}

// fullRangeRow is the conversion of JFIF 1.02 (ITU-R BT.601, all of 0..255 used), in 16-bit fixed point:
//
//	R = Y + 1.402 (Cr-128)
//	G = Y - 0.34414 (Cb-128) - 0.71414 (Cr-128)
//	B = Y + 1.772 (Cb-128)
func fullRangeRow(dst, luma, cb, cr []byte) {
	const (
		crR   = 91881  // 1.402
		cbG   = 22554  // 0.34414
		crG   = 46802  // 0.71414
		cbB   = 116130 // 1.772
		round = 1 << 15
	)
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	dst = dst[:3*len(luma)]
	for i := range luma {
		y, u, v := int32(luma[i]), int32(cb[i])-128, int32(cr[i])-128
		dst[3*i] = clamp(y + (crR*v+round)>>16)
		dst[3*i+1] = clamp(y + (round-cbG*u-crG*v)>>16)
		dst[3*i+2] = clamp(y + (cbB*u+round)>>16)
	}
}

// limitedRangeRow is the conversion that WebP prescribes (RFC 9649; ITU-R BT.601 with luma in 16..235 and chroma in
// 16..240):
//
//	R = 1.164 (Y-16) + 1.596 (V-128)
//	G = 1.164 (Y-16) - 0.391 (U-128) - 0.813 (V-128)
//	B = 1.164 (Y-16) + 2.018 (U-128)
//
// The factors are in 14-bit fixed point, each product loses 8 bits before the sum and the result the other 6: libwebp's
// arithmetic, which decides the last bit. The constant terms gather the offsets and half a unit for rounding.
func limitedRangeRow(dst, luma, cb, cr []byte) {
	const (
		gain = 19077 // 1.164
		vR   = 26149 // 1.596
		uG   = 6419  // 0.391
		vG   = 13320 // 0.813
		uB   = 33050 // 2.018
	)
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	dst = dst[:3*len(luma)]
	for i := range luma {
		y, u, v := int32(luma[i])*gain>>8, int32(cb[i]), int32(cr[i])
		dst[3*i] = clamp((y + v*vR>>8 - 14234) >> 6)
		dst[3*i+1] = clamp((y - u*uG>>8 - v*vG>>8 + 8708) >> 6)
		dst[3*i+2] = clamp((y + u*uB>>8 - 17685) >> 6)
	}
}

func clamp(v int32) byte { return byte(min(max(v, 0), 255)) }
