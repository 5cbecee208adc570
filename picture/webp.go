package picture

import (
	"bytes"
	"image"
	"io"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
)

// webpFrame is a still WebP, or the first frame of an animation.
type webpFrame struct {
	width, height int             // the canvas; of a simple file the frame
	rect          image.Rectangle // where the frame lies on the canvas
	lossless      bool
	stream        []byte // the VP8 or VP8L bit stream
}

func webpSize(data []byte) (int, int, error) {
	f, err := readWebP(data)
	return f.width, f.height, err
}

// webpPixels decodes the colours only: alpha is dropped, so the alpha plane of a lossy picture is not even unpacked.
// Where the first frame of an animation is smaller than the canvas, black lies around it.
//
// vp8 and vp8l allocate by the frame header, which readWebP has read and which lies within the checked canvas. vp8 also
// takes a buffer as long as the chunk claims to be; the claim has been compared with the bytes that are there.
func webpPixels(data []byte) (*RGB, error) {
	f, err := readWebP(data)
	if err != nil {
		return nil, err
	}
	var frame *RGB
	if f.lossless {
		img, err := vp8l.Decode(bytes.NewReader(f.stream))
		if err != nil {
			return nil, err
		}
		frame = fromImage(img)
	} else {
		d := vp8.NewDecoder()
		d.Init(bytes.NewReader(f.stream), len(f.stream))
		if _, err := d.DecodeFrameHeader(); err != nil {
			return nil, err
		}
		img, err := d.DecodeFrame()
		if err != nil {
			return nil, err
		}
		frame = fromYCbCr(img, limitedRange)
	}
	if frame.Width == f.width && frame.Height == f.height {
		return frame, nil
	}
	pic := newRGB(f.width, f.height)
	for y := range frame.Height {
		copy(pic.row(f.rect.Min.Y + y)[3*f.rect.Min.X:], frame.row(y))
	}
	return pic, nil
}

// webpChunks calls visit with each chunk of a RIFF body until visit returns false. A chunk that claims more bytes than
// there are is reported as cut off.
func webpChunks(body []byte, visit func(id string, payload []byte) bool) error {
	c := cursor{rest: body}
	for len(c.rest) > 0 {
		head := c.take(8)
		if head == nil {
			return io.ErrUnexpectedEOF
		}
		size := le32(head[4:])
		if uint64(size) > uint64(len(c.rest)) {
			return io.ErrUnexpectedEOF
		}
		if !visit(string(head[:4]), c.take(int(size))) {
			return nil
		}
		if size%2 == 1 {
			c.take(1) // chunks start at even offsets
		}
	}
	return nil
}

// readWebP finds the first bit stream and reads its size (WebP container specification; RFC 9649).
func readWebP(data []byte) (webpFrame, error) {
	var f webpFrame
	var placed bool // by the header of an animation frame
	var failed error
	var visit func(id string, payload []byte) bool
	visit = func(id string, payload []byte) bool {
		switch id {
		case "VP8X":
			if len(payload) < 10 {
				failed = io.ErrUnexpectedEOF
				return false
			}
			f.width, f.height = le24(payload[4:])+1, le24(payload[7:])+1
		case "ANMF":
			if len(payload) < 16 {
				failed = io.ErrUnexpectedEOF
				return false
			}
			placed = true
			f.rect.Min = image.Pt(2*le24(payload), 2*le24(payload[3:]))
			if failed = webpChunks(payload[16:], visit); failed != nil || f.stream != nil {
				return false
			}
		case "VP8 ", "VP8L":
			f.lossless, f.stream = id == "VP8L", payload
			return false
		}
		return true
	}
	if err := webpChunks(data[12:], visit); err != nil {
		return f, err
	}
	if failed != nil {
		return f, failed
	}
	if f.stream == nil {
		return f, failf(Corrupt, "WebP picture is damaged: no VP8 or VP8L chunk")
	}
	width, height, err := f.streamSize()
	if err != nil {
		return f, err
	}
	if f.width == 0 { // no VP8X chunk: the frame is the canvas
		f.width, f.height = width, height
	}
	f.rect.Max = f.rect.Min.Add(image.Pt(width, height))
	canvas := image.Rect(0, 0, f.width, f.height)
	if width > 0 && height > 0 && (!f.rect.In(canvas) || !placed && f.rect != canvas) {
		return f, failf(Corrupt, "WebP picture is damaged: a frame of %v on a canvas of %dx%d", f.rect, f.width, f.height)
	}
	return f, nil
}

// streamSize reads the frame header at the start of the bit stream.
func (f *webpFrame) streamSize() (int, int, error) {
	if f.lossless {
		c, err := vp8l.DecodeConfig(bytes.NewReader(f.stream))
		return c.Width, c.Height, err
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(f.stream), len(f.stream))
	h, err := d.DecodeFrameHeader()
	if err == nil && (h.Width == 0 || h.Height == 0) {
		err = failf(Corrupt, "WebP picture is damaged: a frame of %dx%d; both sides must be at least 1", h.Width, h.Height)
	}
	return h.Width, h.Height, err
}
