package picture

import (
	"image"
	"image/color"
	"image/draw"
	"testing"
)

// TestEveryImageTypeConverts draws the same opaque colours into each type of package image; all must convert to the
// same picture, the types that take the slow way included.
func TestEveryImageTypeConverts(t *testing.T) {
	b := image.Rect(0, 0, 7, 5)
	want := noise(7, 5)
	source := image.NewNRGBA(b)
	grey := newRGB(7, 5)
	for i := range want.Width * want.Height {
		copy(source.Pix[4*i:], want.Pix[3*i:3*i+3])
		source.Pix[4*i+3] = 255
		g := color.GrayModel.Convert(source.At(i%7, i/7)).(color.Gray).Y
		copy(grey.Pix[3*i:], []byte{g, g, g})
	}
	exact := []draw.Image{image.NewNRGBA(b), image.NewRGBA(b), image.NewNRGBA64(b), image.NewRGBA64(b)}
	for _, m := range exact {
		draw.Draw(m, b, source, image.Point{}, draw.Src)
		comparePictures(t, fromImage(m), want, 0)
	}
	comparePictures(t, fromImage(struct{ image.Image }{source}), want, 0)
	for _, m := range []draw.Image{image.NewGray(b), image.NewGray16(b)} {
		draw.Draw(m, b, source, image.Point{}, draw.Src)
		comparePictures(t, fromImage(m), grey, 1) // Gray16 is computed with more digits
	}
}

func TestAlphaIsDropped(t *testing.T) {
	b := image.Rect(0, 0, 2, 1)
	colour := color.NRGBA{200, 100, 50, 3}
	kept := &RGB{2, 1, []byte{200, 100, 50, 200, 100, 50}}

	nrgba := image.NewNRGBA(b)
	nrgba64 := image.NewNRGBA64(b)
	palette := image.NewPaletted(b, color.Palette{colour})
	for x := range 2 {
		nrgba.SetNRGBA(x, 0, colour)
		nrgba64.SetNRGBA64(x, 0, color.NRGBA64{200<<8 | 17, 100<<8 | 200, 50 << 8, 3})
	}
	comparePictures(t, fromImage(nrgba), kept, 0)
	comparePictures(t, fromImage(nrgba64), kept, 0)
	comparePictures(t, fromImage(palette), kept, 0)

	// Multiplied by alpha 51/255 these become 40, 20, 10, and the division brings them back.
	rgba := image.NewRGBA(b)
	copy(rgba.Pix, []byte{40, 20, 10, 51, 40, 20, 10, 51})
	comparePictures(t, fromImage(rgba), kept, 0)
	copy(rgba.Pix, []byte{40, 20, 10, 0, 255, 20, 10, 51}) // nothing to divide by; more colour than alpha allows
	comparePictures(t, fromImage(rgba), &RGB{2, 1, []byte{40, 20, 10, 255, 100, 50}}, 0)
}

func TestInks(t *testing.T) {
	m := image.NewCMYK(image.Rect(0, 0, 5, 1))
	copy(m.Pix, []byte{
		0, 0, 0, 0, // paper
		0, 0, 0, 255, // black
		255, 0, 0, 0, // cyan
		255, 128, 0, 128, // dark, between cyan and blue: 127 - round(128*127/255) = 63
		10, 20, 30, 0,
	})
	comparePictures(t, fromImage(m), &RGB{5, 1, []byte{255, 255, 255, 0, 0, 0, 0, 255, 255, 0, 63, 127, 245, 235, 225}}, 0)
}

func TestIndexBeyondThePaletteIsBlack(t *testing.T) {
	m := image.NewPaletted(image.Rect(0, 0, 2, 1), color.Palette{color.White})
	m.Pix[1] = 200
	comparePictures(t, fromImage(m), &RGB{2, 1, []byte{255, 255, 255, 0, 0, 0}}, 0)
}
