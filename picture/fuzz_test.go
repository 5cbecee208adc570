package picture

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzDecode: no panic leaves Decode, no picture exceeds the limit, and the answer is either a sound picture or an *Error.
// The low limit makes memory that is taken before the check stand out.
func FuzzDecode(f *testing.F) {
	for _, data := range samplePictures(f) {
		f.Add(data, false)
	}
	kinds, err := filepath.Glob("testdata/kinds/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range kinds {
		f.Add(mustRead(f, name), true)
	}
	for _, name := range []string{"bad_header_only.jpg", "bad_zero_size.png", "rgba_17x13.png", "row_700x1.png"} {
		f.Add(readCase(f, name), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, orient bool) {
		const limit = 1 << 16
		p, err := Decode(data, Options{MaxPixels: limit, Orient: orient})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Kind < Empty || e.Kind > Unsupported || p != nil {
				t.Fatalf("picture %v, error %v", p, err)
			}
			return
		}
		if p.Width < 1 || p.Height < 1 || p.Width*p.Height > limit || len(p.Pix) != 3*p.Width*p.Height {
			t.Fatalf("%dx%d with %d bytes", p.Width, p.Height, len(p.Pix))
		}
		if r := p.Resize(32, 16); len(r.Pix) != 3*32*16 {
			t.Fatalf("resized to %dx%d with %d bytes", r.Width, r.Height, len(r.Pix))
		}
	})
}

// FuzzOrientation: whatever the bytes, every reader of metadata ends, stays within them and answers 1..8.
func FuzzOrientation(f *testing.F) {
	f.Add(exifBlock(binary.LittleEndian, 6))
	f.Add(exifBlock(binary.BigEndian, 3))
	for _, data := range samplePictures(f) {
		f.Add(data)
	}
	if data, err := os.ReadFile(filepath.Join(contract, "images", "exif_orientation6_320x240.jpg")); err == nil {
		f.Add(data[:min(len(data), 4096)])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		blocks := [][]byte{data}
		if known, err := formatOf(data); err == nil {
			blocks = append(blocks, known.exif(data))
		}
		for _, block := range blocks {
			if o := orientation(block); o < 1 || o > 8 {
				t.Fatalf("orientation %d", o)
			}
		}
	})
}
