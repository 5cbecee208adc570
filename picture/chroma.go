package picture

import "image"

// chromaRows gives the two chroma planes of a picture row by row at the size of its luma.
//
// A chroma sample lies in the middle of the luma samples it belongs to, so along a halved direction each luma sample is
// a quarter of the way from its own chroma sample to the next one: weights 3/4 and 1/4, in both directions 9, 3, 3 and
// 1 sixteenths. At the borders the outermost sample stands for the missing one.
type chromaRows struct {
	m             *image.YCbCr
	width, height int     // of the chroma planes
	oddBias       int32   // rounding term of the odd columns where chroma grows in both directions
	cb, cr        []byte  // one row at full width
	sums          []int32 // one chroma row, 3 parts near and 1 part far
}

func newChromaRows(m *image.YCbCr, oddBias int32) *chromaRows {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	across, down := subsampling(m.SubsampleRatio)
	c := &chromaRows{m: m, oddBias: oddBias, width: (w + across - 1) / across, height: (h + down - 1) / down}
	if across > 1 || down > 1 {
		// Up to across-1 samples wider than the luma: rows are written in whole groups.
		c.cb, c.cr = make([]byte, across*c.width), make([]byte, across*c.width)
		c.sums = make([]int32, c.width)
	}
	return c
}

// subsampling is how many luma samples share a chroma sample in each direction.
func subsampling(r image.YCbCrSubsampleRatio) (across, down int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// row returns both planes for luma row y; they are valid until the next call.
func (c *chromaRows) row(y int) (cb, cr []byte) {
	across, down := subsampling(c.m.SubsampleRatio)
	if across == 1 && down == 1 {
		return c.plain(c.m.Cb, y), c.plain(c.m.Cr, y)
	}
	c.grow(c.cb, c.m.Cb, y)
	c.grow(c.cr, c.m.Cr, y)
	return c.cb, c.cr
}

// plain is row number at of a plane as stored.
func (c *chromaRows) plain(plane []byte, at int) []byte {
	return plane[at*c.m.CStride:][:c.width]
}

func (c *chromaRows) grow(dst, plane []byte, y int) {
	across, down := subsampling(c.m.SubsampleRatio)
	near := c.plain(plane, y/down)
	far := near
	if down == 2 {
		far = c.plain(plane, min(max(y/2-1+y%2*2, 0), c.height-1))
	}
	switch {
	case across == 4:
		// Rare (old video cameras); libjpeg repeats these as well.
		for i, v := range near {
			dst[4*i], dst[4*i+1], dst[4*i+2], dst[4*i+3] = v, v, v, v
		}
	case across == 1:
		bias := 1 + y%2
		for i := range near {
			dst[i] = byte((3*int(near[i]) + int(far[i]) + bias) >> 2)
		}
	case down == 1:
		last := len(near) - 1
		for i, v := range near {
			dst[2*i] = byte((3*int(v) + int(near[max(i-1, 0)]) + 1) >> 2)
			dst[2*i+1] = byte((3*int(v) + int(near[min(i+1, last)]) + 2) >> 2)
		}
	default:
		c.growBoth(dst, near, far)
	}
}

func (c *chromaRows) growBoth(dst, near, far []byte) {
	sums := c.sums
	far = far[:len(sums)]
	for i, v := range near[:len(sums)] {
		sums[i] = 3*int32(v) + int32(far[i])
	}
	before, here := sums[0], sums[0]
	dst = dst[:2*len(sums)]
	for i := range sums {
		after := sums[min(i+1, len(sums)-1)]
		dst[2*i] = byte((3*here + before + 8) >> 4)
		dst[2*i+1] = byte((3*here + after + c.oddBias) >> 4)
		before, here = here, after
	}
}
