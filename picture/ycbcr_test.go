package picture

import (
	"image"
	"math"
	"testing"
)

// TestRowsFollowTheFormula compares the fixed-point conversions with their definition in floating point.
func TestRowsFollowTheFormula(t *testing.T) {
	full := func(y, u, v float64) [3]float64 {
		u, v = u-128, v-128
		return [3]float64{y + 1.402*v, y - 0.344136*u - 0.714136*v, y + 1.772*u}
	}
	limited := func(y, u, v float64) [3]float64 {
		y, u, v = (y-16)*255/219, (u-128)*255/224, (v-128)*255/224
		return [3]float64{y + 1.402*v, y - 0.344136*u - 0.714136*v, y + 1.772*u}
	}
	check := func(name string, row func(dst, y, u, v []byte), formula func(y, u, v float64) [3]float64, allowed float64) {
		var dst [3]byte
		for y := 0; y < 256; y += 5 {
			for u := 0; u < 256; u += 5 {
				for v := 0; v < 256; v += 5 {
					row(dst[:], []byte{byte(y)}, []byte{byte(u)}, []byte{byte(v)})
					for i, want := range formula(float64(y), float64(u), float64(v)) {
						want = min(max(want, 0), 255)
						if math.Abs(float64(dst[i])-want) > allowed {
							t.Fatalf("%s: (%d, %d, %d) gives %v, want %.2f in channel %d", name, y, u, v, dst, want, i)
						}
					}
				}
			}
		}
	}
	check("full range", fullRangeRow, full, 0.51)
	check("limited range", limitedRangeRow, limited, 1.1) // three products that each lose their fraction
}

// TestChromaInterpolation gives every subsampling a chroma plane that rises evenly: the interpolated rows must
// rise evenly too, in the right place, and stop at the outermost samples.
func TestChromaInterpolation(t *testing.T) {
	const width, height = 13, 9
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		m := image.NewYCbCr(image.Rect(0, 0, width, height), ratio)
		across, down := subsampling(ratio)
		columns, rows := (width+across-1)/across, (height+down-1)/down
		for y := range rows {
			for x := range columns {
				m.Cb[y*m.CStride+x] = byte(14*x + 8*y)
				m.Cr[y*m.CStride+x] = byte(255 - 14*x)
			}
		}
		up := newChromaRows(m, 7)
		for y := range height {
			cb, cr := up.row(y)
			for x := range width {
				// The position of the luma sample among the chroma samples.
				cx := min(max((float64(x)+0.5)/float64(across)-0.5, 0), float64(columns-1))
				cy := min(max((float64(y)+0.5)/float64(down)-0.5, 0), float64(rows-1))
				if across == 4 {
					cx, cy = float64(x/4), float64(y/down) // repeated
				}
				if math.Abs(float64(cb[x])-(14*cx+8*cy)) > 1 || math.Abs(float64(cr[x])-(255-14*cx)) > 1 {
					t.Fatalf("%v: (%d, %d) has chroma %d, %d; want %.2f, %.2f", ratio, x, y, cb[x], cr[x], 14*cx+8*cy, 255-14*cx)
				}
			}
		}
	}
}
