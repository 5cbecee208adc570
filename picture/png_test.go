package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"testing"
)

// rawPNG writes what image/png cannot: any bit depth and colour type, tRNS, interlacing. Rows are unfiltered.
type rawPNG struct {
	width, height  int
	depth, kind    byte // kinds: 0 grey, 2 RGB, 3 palette, 4 grey+alpha, 6 RGBA
	interlaced     bool
	palette, alpha []byte                  // PLTE and tRNS
	samples        func(x, y int) []uint16 // one pixel
	extra          map[string][]byte       // chunks before the pixels
	afterPixels    map[string][]byte       // chunks after them
}

func (p rawPNG) encode() []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(name string, body []byte) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
		start := len(out)
		out = append(append(out, name...), body...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(p.width))
	head = binary.BigEndian.AppendUint32(head, uint32(p.height))
	interlace := byte(0)
	if p.interlaced {
		interlace = 1
	}
	chunk("IHDR", append(head, p.depth, p.kind, 0, 0, interlace))
	for name, body := range p.extra {
		chunk(name, body)
	}
	if p.palette != nil {
		chunk("PLTE", p.palette)
	}
	if p.alpha != nil {
		chunk("tRNS", p.alpha)
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	passes := [][4]int{{0, 0, 1, 1}} // first column, first row, steps
	if p.interlaced {
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	for _, s := range passes {
		for y := s[1]; y < p.height && s[0] < p.width; y += s[3] {
			z.Write(append([]byte{0}, p.row(s[0], s[2], y)...))
		}
	}
	z.Close()
	chunk("IDAT", packed.Bytes())
	for name, body := range p.afterPixels {
		chunk(name, body)
	}
	chunk("IEND", nil)
	return out
}

func (p rawPNG) row(first, step, y int) (row []byte) {
	bits := 0
	for x := first; x < p.width; x += step {
		for _, v := range p.samples(x, y) {
			switch p.depth {
			case 16:
				row = binary.BigEndian.AppendUint16(row, v)
			case 8:
				row = append(row, byte(v))
			default:
				if bits == 0 {
					row = append(row, 0)
				}
				row[len(row)-1] |= byte(v) << (8 - bits - int(p.depth))
				bits = (bits + int(p.depth)) % 8
			}
		}
	}
	return row
}

// value is a sample that differs from its neighbours in every direction and channel, cut to the bit depth.
func value(x, y, channel int, depth byte) uint16 {
	return uint16(x*7919+y*104729+channel*31337+x*y) & (1<<depth - 1)
}

func TestEveryPNGKind(t *testing.T) {
	channels := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
	depths := map[byte][]byte{0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
	for kind, list := range depths {
		for _, depth := range list {
			for _, interlaced := range []bool{false, true} {
				for _, transparent := range []bool{false, true} {
					if transparent && kind >= 4 {
						continue
					}
					p := rawPNG{width: 13, height: 11, depth: depth, kind: kind, interlaced: interlaced}
					p.samples = func(x, y int) (s []uint16) {
						for c := range channels[kind] {
							s = append(s, value(x, y, c, depth))
						}
						return s
					}
					if kind == 3 {
						p.palette = noise(1<<depth, 1).Pix
					}
					if transparent {
						p.alpha = transparency(p)
					}
					t.Run(fmt.Sprintf("kind %d depth %d interlaced %v tRNS %v", kind, depth, interlaced, transparent), func(t *testing.T) {
						checkPNG(t, p)
					})
				}
			}
		}
	}
}

// transparency makes the colour of pixel (0, 0) transparent, or, in a palette, the first entries more or less so.
func transparency(p rawPNG) (alpha []byte) {
	if p.kind == 3 {
		return []byte{0, 77}
	}
	for _, v := range p.samples(0, 0) {
		alpha = binary.BigEndian.AppendUint16(alpha, v)
	}
	return alpha
}

func checkPNG(t *testing.T, p rawPNG) {
	t.Helper()
	got, err := Decode(p.encode(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := newRGB(p.width, p.height)
	for i := range p.width * p.height {
		s := p.samples(i%p.width, i/p.width)
		copy(want.Pix[3*i:], p.colour(s))
	}
	comparePictures(t, got, want, 0)
}

// colour is what the PNG specification makes of a pixel in 8 bits, its alpha left out.
func (p rawPNG) colour(s []uint16) []byte {
	if p.kind == 3 {
		return p.palette[3*s[0] : 3*s[0]+3]
	}
	to8 := func(v uint16) byte {
		if p.depth == 16 {
			return byte(v >> 8)
		}
		return byte(int(v) * 255 / (1<<p.depth - 1))
	}
	if p.kind == 0 || p.kind == 4 {
		return []byte{to8(s[0]), to8(s[0]), to8(s[0])}
	}
	return []byte{to8(s[0]), to8(s[1]), to8(s[2])}
}
