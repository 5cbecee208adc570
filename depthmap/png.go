package depthmap

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// pngLevel and the filters below were measured on depth maps enlarged from 320x256 (BenchmarkPNG). The coloured picture
// has only 256 colours, and their bytes repeat best when nothing is done to them: filters save little and cost a pass.
// In 16-bit grey the difference to the left neighbour takes a third to a half off. Higher levels save up to a quarter
// and take twice the time.
const pngLevel = 1

const (
	colourTypeGrey = 0
	colourTypeRGB  = 2
)

const (
	filterNone = 0
	filterSub  = 1
)

// pngImage is a picture whose rows are made while it is written.
type pngImage struct {
	width, height int
	depth, kind   byte
	filter        byte
	bytesPerPixel int
	row           func(y int, dst []byte) // dst is one row, big endian
	text          []Text
}

// EncodeColor writes the map as an 8-bit RGB PNG of its size, with text as tEXt chunks. It is coloured as ColorRGB says,
// but with the scale s, which for a map of its own is m.Scale().
// It fails for a text that PNG cannot hold (see Text) or when w does.
func (e *PNGEncoder) EncodeColor(w io.Writer, m *Map, s Scale, c *Colormap, text []Text) error {
	return e.encode(w, pngImage{
		width: m.Width, height: m.Height, depth: 8, kind: colourTypeRGB, filter: filterNone, bytesPerPixel: 3, text: text,
		row: func(y int, dst []byte) { colorRow(dst, m.row(y), s, c) },
	})
}

// EncodeGray16 writes the map as a 16-bit grey PNG of its size: 0 is the low, 65535 the high end of the scale s, for
// a map of its own m.Scale(). A sample is the scaled value (float32, see Scaled) times 65535 without its fraction, as NumPy's conversion to uint16 cuts
// it off. A constant map is 0 everywhere. It fails for a text that PNG cannot hold (see Text) or when w does.
func (e *PNGEncoder) EncodeGray16(w io.Writer, m *Map, s Scale, text []Text) error {
	return e.encode(w, pngImage{
		width: m.Width, height: m.Height, depth: 16, kind: colourTypeGrey, filter: filterSub, bytesPerPixel: 2, text: text,
		row: func(y int, dst []byte) {
			for x, v := range m.row(y) {
				binary.BigEndian.PutUint16(dst[2*x:], sample16(s.of(v)))
			}
		},
	})
}

// sample16 is written so that NaN is 0.
func sample16(v float32) uint16 {
	if !(v > 0) {
		return 0
	}
	return uint16(min(v, 1) * 65535)
}

func (e *PNGEncoder) encode(w io.Writer, img pngImage) error {
	bodies, err := textBodies(img.text) // before anything is written
	if err != nil {
		return err
	}
	chunks := pngWriter{w: w}
	chunks.write([]byte("\x89PNG\r\n\x1a\n"))
	head := binary.BigEndian.AppendUint32(nil, uint32(img.width))
	head = binary.BigEndian.AppendUint32(head, uint32(img.height))
	chunks.chunk("IHDR", append(head, img.depth, img.kind, 0, 0, 0))
	for _, body := range bodies {
		chunks.chunk("tEXt", body)
	}

	s, err := e.take(1 + img.width*img.bytesPerPixel)
	if err != nil {
		return err
	}
	defer e.scratch.Put(s)
	s.line[0] = img.filter
	for y := range img.height {
		img.row(y, s.line[1:])
		if img.filter == filterSub {
			subtractLeft(s.line[1:], img.bytesPerPixel)
		}
		if _, err := s.compressor.Write(s.line); err != nil {
			return err
		}
	}
	if err := s.compressor.Close(); err != nil {
		return err
	}
	chunks.chunk("IDAT", s.packed.Bytes())
	chunks.chunk("IEND", nil)
	return chunks.err
}

// subtractLeft applies PNG's filter 1: each byte less the same byte of the pixel before. From the right, because the
// filter works on unfiltered neighbours.
func subtractLeft(row []byte, bytesPerPixel int) {
	left := row[:max(len(row)-bytesPerPixel, 0)]
	here := row[len(row)-len(left):]
	for i := len(left) - 1; i >= 0; i-- {
		here[i] -= left[i]
	}
}

// pngWriter writes chunks and keeps the first error.
type pngWriter struct {
	w   io.Writer
	err error
}

func (p *pngWriter) write(b []byte) {
	if p.err == nil {
		_, p.err = p.w.Write(b)
	}
}

func (p *pngWriter) chunk(kind string, body []byte) {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	head = append(head, kind...)
	sum := crc32.Update(crc32.ChecksumIEEE(head[4:]), crc32.IEEETable, body)
	p.write(head)
	p.write(body)
	p.write(binary.BigEndian.AppendUint32(nil, sum))
}
