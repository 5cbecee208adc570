package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"io"
)

// jpegSize reads the frame header. image/jpeg refuses a second one, so Decode allocates by the header seen here.
func jpegSize(data []byte) (int, int, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	return c.Width, c.Height, err
}

func jpegPixels(data []byte) (*RGB, error) {
	img, err := jpeg.Decode(withAdobeMarker(data))
	if err != nil {
		return nil, err
	}
	if ycc, ok := img.(*image.YCbCr); ok {
		return fromYCbCr(ycc, fullRange), nil
	}
	return fromImage(img), nil
}

// jpegSegments calls visit with the marker and the payload of each segment before the first scan until visit returns false.
// It stops quietly where the structure ends: the decoder reports damage, this only looks for what is there.
func jpegSegments(data []byte, visit func(marker byte, payload []byte) bool) {
	const (
		startOfScan = 0xda
		endOfImage  = 0xd9
	)
	for at := 2; at+4 <= len(data); {
		if data[at] != 0xff {
			return
		}
		marker := data[at+1]
		if marker == 0xff { // a fill byte
			at++
			continue
		}
		if marker == startOfScan || marker == endOfImage {
			return
		}
		length := int(data[at+2])<<8 | int(data[at+3]) // counts itself
		if length < 2 || at+2+length > len(data) {
			return
		}
		if !visit(marker, data[at+4:at+2+length]) {
			return
		}
		at += 2 + length
	}
}

// withAdobeMarker reads data, with an Adobe segment put in front when the picture has four components and none of its own.
// image/jpeg refuses such files because they do not say whether their inks are inverted; Pillow and browsers
// take them as inverted CMYK, which is what the segment (transform 0) declares.
func withAdobeMarker(data []byte) io.Reader {
	fourComponents, adobe := false, false
	jpegSegments(data, func(marker byte, payload []byte) bool {
		switch {
		case marker == 0xee && bytes.HasPrefix(payload, []byte("Adobe")):
			adobe = true
		case marker >= 0xc0 && marker <= 0xc2 && len(payload) >= 6:
			fourComponents = payload[5] == 4
		}
		return true
	})
	if !fourComponents || adobe {
		return bytes.NewReader(data)
	}
	segment := []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00")
	return io.MultiReader(bytes.NewReader(data[:2]), bytes.NewReader(segment), bytes.NewReader(data[2:]))
}
