package picture

import (
	"image"
	"image/color"
)

// fromImage converts what the decoders return. The colours are taken as stored, without their alpha; only image.RGBA
// and image.RGBA64 hold them multiplied by alpha, and there the division gives them back.
func fromImage(img image.Image) *RGB {
	b := img.Bounds()
	pic := newRGB(b.Dx(), b.Dy())
	switch m := img.(type) {
	case *image.Gray:
		for y := range pic.Height {
			spreadGray(pic.row(y), m.Pix[y*m.Stride:], 1)
		}
	case *image.Gray16:
		for y := range pic.Height {
			spreadGray(pic.row(y), m.Pix[y*m.Stride:], 2)
		}
	case *image.NRGBA:
		for y := range pic.Height {
			pickRGB(pic.row(y), m.Pix[y*m.Stride:], 1)
		}
	case *image.NRGBA64:
		for y := range pic.Height {
			pickRGB(pic.row(y), m.Pix[y*m.Stride:], 2)
		}
	case *image.RGBA:
		for y := range pic.Height {
			divideAlpha(pic.row(y), m.Pix[y*m.Stride:], 1)
		}
	case *image.RGBA64:
		for y := range pic.Height {
			divideAlpha(pic.row(y), m.Pix[y*m.Stride:], 2)
		}
	case *image.Paletted:
		table := paletteTable(m.Palette)
		for y := range pic.Height {
			mapIndices(pic.row(y), m.Pix[y*m.Stride:][:pic.Width], &table)
		}
	case *image.CMYK:
		for y := range pic.Height {
			fromInks(pic.row(y), m.Pix[y*m.Stride:])
		}
	default:
		fromAny(pic, img)
	}
	return pic
}

// In the row functions dst is one row of RGB, src starts with the row's first sample, and size is the number of bytes
// per sample; the high byte comes first, so a 16-bit sample is its first byte.

func spreadGray(dst, src []byte, size int) {
	for i, j := 0, 0; i+3 <= len(dst); i, j = i+3, j+size {
		v := src[j]
		dst[i], dst[i+1], dst[i+2] = v, v, v
	}
}

func pickRGB(dst, src []byte, size int) {
	for i, j := 0, 0; i+3 <= len(dst); i, j = i+3, j+4*size {
		dst[i], dst[i+1], dst[i+2] = src[j], src[j+size], src[j+2*size]
	}
}

func divideAlpha(dst, src []byte, size int) {
	for i, j := 0, 0; i+3 <= len(dst); i, j = i+3, j+4*size {
		r, g, b, a := src[j], src[j+size], src[j+2*size], src[j+3*size]
		if a != 255 && a != 0 {
			r, g, b = undoAlpha(r, a), undoAlpha(g, a), undoAlpha(b, a)
		}
		dst[i], dst[i+1], dst[i+2] = r, g, b
	}
}

func undoAlpha(v, a byte) byte { return byte(min(int(v)*255/int(a), 255)) }

func mapIndices(dst, indices []byte, table *[256][3]byte) {
	for i, index := range indices {
		c := &table[index]
		dst[3*i], dst[3*i+1], dst[3*i+2] = c[0], c[1], c[2]
	}
}

func paletteTable(p color.Palette) (table [256][3]byte) {
	for i, c := range p[:min(len(p), 256)] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		table[i] = [3]byte{n.R, n.G, n.B}
	}
	return table
}

// fromInks converts cyan, magenta, yellow, black (255 is full ink): v = (255-ink) * (255-black) / 255, rounded as
// Pillow rounds, by subtracting the rounded product.
func fromInks(dst, src []byte) {
	for i, j := 0, 0; i+3 <= len(dst); i, j = i+3, j+4 {
		white := 255 - int(src[j+3])
		dst[i] = byte(white - (int(src[j])*white+127)/255)
		dst[i+1] = byte(white - (int(src[j+1])*white+127)/255)
		dst[i+2] = byte(white - (int(src[j+2])*white+127)/255)
	}
}

// fromAny is the way for picture types that no decoder in use returns today; it is slow and correct.
func fromAny(pic *RGB, img image.Image) {
	b := img.Bounds()
	for y := range pic.Height {
		row := pic.row(y)
		for x := range pic.Width {
			c := color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			row[3*x], row[3*x+1], row[3*x+2] = c.R, c.G, c.B
		}
	}
}
