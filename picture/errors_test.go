package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

func TestErrorsSayWhatIsWrong(t *testing.T) {
	cases := []struct {
		name string
		data []byte
		kind Kind
		text string
	}{
		{"empty", nil, Empty, "the picture is empty (0 bytes)"},
		{"text", []byte("hello world"), UnknownFormat, "not a picture: starts with 68 65 6c 6c 6f 20 77 6f; expected JPEG, PNG, GIF, BMP, TIFF or WebP"},
		{"one byte", []byte{0xff}, UnknownFormat, "not a picture: starts with ff; expected"},
		{"bomb", readCase(t, "bad_bomb_20000x20000.png"), TooLarge, "picture is 20000x20000 = 400.0 megapixels; the limit is 64.0"},
		{"JPEG header only", readCase(t, "bad_header_only.jpg"), Corrupt, "JPEG picture is cut off"},
		{"truncated PNG", readCase(t, "bad_truncated.png"), Corrupt, "PNG picture is damaged: png: invalid format: not enough pixel data"},
		{"zero size", readCase(t, "bad_zero_size.png"), Corrupt, "PNG picture is damaged: png: invalid format: non-positive dimension"},
		{"HEIC", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), Unsupported, "HEIC pictures cannot be read; expected JPEG"},
		{"AVIF", []byte("\x00\x00\x00\x18ftypavif\x00\x00\x00\x00"), Unsupported, "AVIF pictures cannot be read"},
		{"JPEG XL", []byte("\xff\x0a\x00\x00"), Unsupported, "JPEG XL pictures cannot be read"},
		{"JPEG 2000", []byte("\x00\x00\x00\x0cjP  \r\n\x87\n"), Unsupported, "JPEG 2000 pictures cannot be read"},
		{"BigTIFF", []byte("II\x2b\x00\x08\x00\x00\x00"), Unsupported, "BigTIFF pictures cannot be read"},
		{"12-bit JPEG", withByte(readCase(t, "vga_gray.jpg"), "\xff\xc0", 4, 12), Unsupported, "this kind of JPEG picture cannot be read: unsupported JPEG feature: precision"},
		{"TIFF in planes", planarTIFF(), Unsupported, "TIFF pictures with separate colour planes cannot be read"},
		{"WebP without a picture", []byte("RIFF\x04\x00\x00\x00WEBP"), Corrupt, "no VP8 or VP8L chunk"},
		{"WebP with a long chunk", []byte("RIFF\x10\x00\x00\x00WEBPVP8 \xff\xff\xff\x7f"), Corrupt, "WebP picture is cut off"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := Decode(c.data, Options{})
			var e *Error
			if !errors.As(err, &e) || p != nil {
				t.Fatalf("picture %v, error %v; want an *Error and no picture", p, err)
			}
			if e.Kind != c.kind || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v: %v\nwant %v: ...%s...", e.Kind, err, c.kind, c.text)
			}
		})
	}
}

// withByte changes one byte at an offset from the first occurrence of a mark.
func withByte(data []byte, mark string, offset int, value byte) []byte {
	data = bytes.Clone(data)
	data[bytes.Index(data, []byte(mark))+offset] = value
	return data
}

// planarTIFF is a header whose first directory says three samples per pixel in separate planes.
func planarTIFF() []byte {
	data := []byte("II\x2a\x00\x08\x00\x00\x00")
	data = binary.LittleEndian.AppendUint16(data, 2)
	for _, e := range [][4]uint16{{277, 3, 1, 3}, {284, 3, 1, 2}} { // tag, type, count, value
		data = binary.LittleEndian.AppendUint16(data, e[0])
		data = binary.LittleEndian.AppendUint16(data, e[1])
		data = binary.LittleEndian.AppendUint32(data, uint32(e[2]))
		data = binary.LittleEndian.AppendUint32(data, uint32(e[3]))
	}
	return append(data, 0, 0, 0, 0)
}

func TestLimitAppliesToEveryFormat(t *testing.T) {
	for name, data := range samplePictures(t) {
		p, err := Decode(data, Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := Decode(data, Options{MaxPixels: p.Width * p.Height}); err != nil {
			t.Errorf("%s at exactly the limit: %v", name, err)
		}
		var e *Error
		_, err = Decode(data, Options{MaxPixels: p.Width*p.Height - 1})
		if !errors.As(err, &e) || e.Kind != TooLarge {
			t.Errorf("%s one pixel over the limit: %v", name, err)
		}
	}
}

// TestCutFilesAreErrors cuts each format at many places. A few bytes at the very end are not needed by some formats.
func TestCutFilesAreErrors(t *testing.T) {
	notNeeded := map[string]int{"gif": 1, "tiff": 250, "webp animated": 900} // trailer; directory, written last; second frame
	for name, data := range samplePictures(t) {
		for cut := 0; cut < len(data)-notNeeded[name]; cut += 1 + len(data)/97 {
			var e *Error
			p, err := Decode(data[:cut], Options{})
			if p != nil || !errors.As(err, &e) {
				t.Errorf("%s cut to %d of %d bytes: picture %v, error %v", name, cut, len(data), p != nil, err)
			} else if e.Kind == TooLarge || e.Kind == Unsupported {
				t.Errorf("%s cut to %d of %d bytes: %v: %v", name, cut, len(data), e.Kind, err)
			}
		}
	}
}

// samplePictures holds one small picture per format.
func samplePictures(tb testing.TB) map[string][]byte {
	tb.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 29, 21))
	copy(img.Pix, noise(29, 29).Pix)
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	encode := func(write func(io.Writer) error) []byte {
		var buf bytes.Buffer
		if err := write(&buf); err != nil {
			tb.Fatal(err)
		}
		return buf.Bytes()
	}
	return map[string][]byte{
		"jpeg":          encode(func(w io.Writer) error { return jpeg.Encode(w, img, nil) }),
		"png":           encode(func(w io.Writer) error { return png.Encode(w, img) }),
		"gif":           encode(func(w io.Writer) error { return gif.Encode(w, img, nil) }),
		"bmp":           encode(func(w io.Writer) error { return bmp.Encode(w, img) }),
		"tiff":          encode(func(w io.Writer) error { return tiff.Encode(w, img, nil) }),
		"webp":          mustRead(tb, "testdata/kinds/webp_lossy.webp"),
		"webp lossless": mustRead(tb, "testdata/kinds/webp_lossless.webp"),
		"webp animated": mustRead(tb, "testdata/kinds/webp_animated.webp"),
	}
}
