package picture

import (
	"bytes"
	"image"
	"image/gif"
	"io"
)

// gifFrame is the first frame of a GIF as its headers describe it.
type gifFrame struct {
	width, height int             // the logical screen, grown where the frame reaches beyond it
	rect          image.Rectangle // where the frame lies on the screen
	palette       []byte          // RGB triples: the frame's own table, or else the global one
	transparent   int             // palette index of the transparent colour, -1 when there is none
}

func gifSize(data []byte) (int, int, error) {
	f, err := readGIF(data)
	return f.width, f.height, err
}

// gifPixels draws the first frame on the screen as Pillow does: around a smaller frame lies the transparent colour, or
// else colour 0 of the frame's palette, and transparent pixels show the RGB that the palette has for them. image/gif
// replaces that entry by black, so the palette is taken from our own reading. It allocates the frame only, which lies
// within the checked screen.
func gifPixels(data []byte) (*RGB, error) {
	f, err := readGIF(data)
	if err != nil {
		return nil, err
	}
	// image/gif refuses a frame that reaches beyond the screen; Pillow grows the screen, and so does this header.
	header := bytes.Clone(data[:13])
	header[6], header[7] = byte(f.width), byte(f.width>>8)
	header[8], header[9] = byte(f.height), byte(f.height>>8)
	img, err := gif.Decode(io.MultiReader(bytes.NewReader(header), bytes.NewReader(data[13:])))
	if err != nil {
		return nil, err
	}
	frame, ok := img.(*image.Paletted)
	if !ok || frame.Rect != f.rect {
		return nil, failf(Corrupt, "GIF picture is damaged: the first frame is %v, expected %v", img.Bounds(), f.rect)
	}

	var table [256][3]byte
	for i := range len(f.palette) / 3 {
		table[i] = [3]byte(f.palette[3*i:])
	}
	pic := newRGB(f.width, f.height)
	if f.rect != image.Rect(0, 0, f.width, f.height) {
		pic.fill(table[max(f.transparent, 0)])
	}
	for y := f.rect.Min.Y; y < f.rect.Max.Y; y++ {
		mapIndices(pic.row(y)[3*f.rect.Min.X:], frame.Pix[(y-f.rect.Min.Y)*frame.Stride:][:f.rect.Dx()], &table)
	}
	return pic, nil
}

func (p *RGB) fill(colour [3]byte) {
	for i := 0; i < len(p.Pix); i += 3 {
		copy(p.Pix[i:i+3], colour[:])
	}
}

// readGIF reads everything before the pixels of the first frame (GIF89a specification, sections 18 to 23).
func readGIF(data []byte) (gifFrame, error) {
	c := cursor{rest: data}
	f := gifFrame{transparent: -1}
	screen := c.take(13)
	if screen == nil {
		return f, io.ErrUnexpectedEOF
	}
	f.width, f.height = le16(screen[6:]), le16(screen[8:])
	global := c.take(colourTableSize(screen[10]))
	for {
		kind := c.take(1)
		if kind == nil {
			return f, io.ErrUnexpectedEOF
		}
		switch kind[0] {
		case 0x21:
			c.gifExtension(&f)
		case 0x2c:
			d := c.take(9)
			if d == nil {
				return f, io.ErrUnexpectedEOF
			}
			left, top := le16(d), le16(d[2:])
			f.rect = image.Rect(left, top, left+le16(d[4:]), top+le16(d[6:]))
			if f.rect.Empty() {
				return f, failf(Corrupt, "the first frame of the GIF picture is %dx%d; both sides must be at least 1", le16(d[4:]), le16(d[6:]))
			}
			f.width, f.height = max(f.width, f.rect.Max.X), max(f.height, f.rect.Max.Y)
			if f.width > 0xffff || f.height > 0xffff {
				return f, failf(Corrupt, "the first frame of the GIF picture ends at %v; expected at most 65535", f.rect.Max)
			}
			if f.palette = c.take(colourTableSize(d[8])); len(f.palette) == 0 {
				f.palette = global
			}
			return f, nil
		default:
			return f, failf(Corrupt, "GIF picture is damaged: block type %#02x before the first frame; expected 0x21 or 0x2c", kind[0])
		}
	}
}

// gifExtension skips one extension and keeps the transparent colour of a graphic control.
func (c *cursor) gifExtension(f *gifFrame) {
	label := c.take(1)
	for first := true; ; first = false {
		size := c.take(1)
		if size == nil || size[0] == 0 {
			return
		}
		block := c.take(int(size[0]))
		if first && label[0] == 0xf9 && len(block) >= 4 {
			f.transparent = -1
			if block[0]&1 != 0 {
				f.transparent = int(block[3])
			}
		}
	}
}

// colourTableSize is the length in bytes of the colour table that a flags byte announces: 0 or 3 * 2^(n+1).
func colourTableSize(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (1 + flags&7)
}
