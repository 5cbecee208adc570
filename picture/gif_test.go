package picture

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"testing"
)

// gifWith encodes one frame at an offset on a screen. A palette entry without alpha becomes the transparent colour;
// image/gif writes its RGB as it is, so the file still says what it was.
func gifWith(tb testing.TB, screen image.Point, rect image.Rectangle, palette color.Palette) []byte {
	tb.Helper()
	frame := image.NewPaletted(rect, palette)
	for i := range frame.Pix {
		frame.Pix[i] = byte((i*5 + i/rect.Dx()) % len(palette))
	}
	var buf bytes.Buffer
	err := gif.EncodeAll(&buf, &gif.GIF{
		Image: []*image.Paletted{frame}, Delay: []int{0},
		Config: image.Config{Width: screen.X, Height: screen.Y},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

func TestGIFFrameOnItsScreen(t *testing.T) {
	opaque := color.Palette{color.RGBA{10, 20, 30, 255}, color.RGBA{200, 0, 7, 255}, color.RGBA{1, 99, 5, 255}, color.RGBA{250, 251, 252, 255}}
	clear := color.Palette{opaque[0], opaque[1], color.NRGBA{60, 70, 80, 0}, opaque[3]}
	cases := []struct {
		name    string
		screen  image.Point
		rect    image.Rectangle
		palette color.Palette
		around  [3]byte
	}{
		{"fills the screen", image.Pt(9, 7), image.Rect(0, 0, 9, 7), opaque, [3]byte{}},
		{"fills the screen, transparent colour", image.Pt(9, 7), image.Rect(0, 0, 9, 7), clear, [3]byte{}},
		{"smaller: colour 0 around it", image.Pt(9, 7), image.Rect(2, 1, 6, 5), opaque, [3]byte{10, 20, 30}},
		{"smaller: the transparent colour around it", image.Pt(9, 7), image.Rect(3, 0, 9, 6), clear, [3]byte{60, 70, 80}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			data := gifWith(t, c.screen, c.rect, c.palette)
			if i := bytes.Index(data, []byte{10, 20, 30, 200, 0, 7}); i >= 0 && c.palette[2] != opaque[2] {
				copy(data[i+6:], []byte{60, 70, 80}) // the encoder premultiplies the transparent entry to black
			}
			got, err := Decode(data, Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := newRGB(c.screen.X, c.screen.Y)
			want.fill(c.around)
			for y := c.rect.Min.Y; y < c.rect.Max.Y; y++ {
				for x := c.rect.Min.X; x < c.rect.Max.X; x++ {
					i := (y-c.rect.Min.Y)*c.rect.Dx() + x - c.rect.Min.X
					n := color.NRGBAModel.Convert(c.palette[(i*5+i/c.rect.Dx())%len(c.palette)]).(color.NRGBA)
					copy(want.row(y)[3*x:], []byte{n.R, n.G, n.B})
				}
			}
			comparePictures(t, got, want, 0)
		})
	}
}

func TestGIFScreenGrowsToItsFrame(t *testing.T) {
	data := gifWith(t, image.Pt(8, 6), image.Rect(2, 2, 8, 6), color.Palette{color.Black, color.White})
	whole, err := Decode(data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	data[6], data[8] = 4, 3 // a logical screen of 4x3
	grown, err := Decode(data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	comparePictures(t, grown, whole, 0)

	var e *Error
	if _, err := Decode(data, Options{MaxPixels: 8*6 - 1}); !errors.As(err, &e) || e.Kind != TooLarge {
		t.Errorf("the grown screen is not held against the limit: %v", err)
	}
}

func TestGIFOddities(t *testing.T) {
	valid := gifWith(t, image.Pt(4, 4), image.Rect(0, 0, 4, 4), color.Palette{color.Black, color.White})
	frame := bytes.Index(valid, []byte("\x2c\x00\x00\x00\x00\x04\x00"))
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	comment := []byte("\x21\xfe\x05hello\x03you\x00")
	cases := []struct {
		name string
		data []byte
		ok   bool
	}{
		{"comment before the frame", join(valid[:frame], comment, valid[frame:]), true},
		{"only the screen", join(valid[:frame], []byte{0x3b}), false},
		{"comment without an end", join(valid[:frame], comment[:6]), false},
		{"extension without a label", join(valid[:frame], []byte{0x21}), false},
		{"frame without a width", withByte(valid, "\x2c\x00\x00\x00\x00\x04", 5, 0), false},
	}
	for _, c := range cases {
		p, err := Decode(c.data, Options{})
		if (err == nil) != c.ok {
			t.Errorf("%s: picture %v, error %v", c.name, p, err)
		}
	}
}
