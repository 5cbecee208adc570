package picture

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKindsAgreeWithPillow compares one file of each kind with what Pillow reads from it. JPEG decoders may round
// differently, so there a few levels are allowed; everything else, lossy WebP included, is exact.
func TestKindsAgreeWithPillow(t *testing.T) {
	files, err := filepath.Glob("testdata/kinds/*.png")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, expected := range files {
		name := strings.TrimSuffix(expected, ".png")
		if filepath.Ext(name) == "" {
			continue // a PNG to be read, not an expectation
		}
		seen++
		t.Run(filepath.Base(name), func(t *testing.T) {
			got, err := Decode(mustRead(t, name), Options{})
			if err != nil {
				t.Fatal(err)
			}
			allowed := 0
			if filepath.Ext(name) == ".jpg" {
				allowed = 4
			}
			comparePictures(t, got, readRGB(t, expected), allowed)
		})
	}
	if seen < 20 {
		t.Errorf("%d kinds were compared; expected at least 20", seen)
	}
}

func TestRecordedPicturesDecode(t *testing.T) {
	sizes := map[string][2]int{
		"anim_128x96.gif": {128, 96}, "constant_64x48.png": {64, 48}, "exif_orientation6_320x240.jpg": {320, 240},
		"gray16_320x256.png": {320, 256}, "hd_1920x1080.jpg": {1920, 1080}, "model_320x256.bmp": {320, 256},
		"model_320x256.png": {320, 256}, "palette_640x480.png": {640, 480}, "rgba_17x13.png": {17, 13},
		"row_700x1.png": {700, 1}, "small_97x61.tiff": {97, 61}, "vga_baseline.jpg": {640, 480},
		"vga_gray.jpg": {640, 480}, "vga_lossy.webp": {640, 480},
	}
	for name, size := range sizes {
		p, err := Decode(readCase(t, name), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Width != size[0] || p.Height != size[1] || len(p.Pix) != 3*p.Width*p.Height {
			t.Errorf("%s: %dx%d with %d bytes, want %v", name, p.Width, p.Height, len(p.Pix), size)
		}
	}
}

// The recording has this picture clipped to white; the contract says that 16-bit samples are scaled.
func TestSixteenBitGreyKeepsItsHighByte(t *testing.T) {
	p, err := Decode(readCase(t, "gray16_320x256.png"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []byte{150, 148, 151, 152, 152} // of the first row: 38437, 37925, 38693, 38949, 38949
	for i, v := range want {
		if p.Pix[3*i] != v || p.Pix[3*i+1] != v || p.Pix[3*i+2] != v {
			t.Errorf("pixel %d is %v, want %d three times", i, p.Pix[3*i:3*i+3], v)
		}
	}
}

func mustRead(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// readRGB reads an 8-bit PNG without transparency through image/png alone.
func readRGB(tb testing.TB, path string) *RGB {
	tb.Helper()
	img, err := png.Decode(bytes.NewReader(mustRead(tb, path)))
	if err != nil {
		tb.Fatal(err)
	}
	p := newRGB(img.Bounds().Dx(), img.Bounds().Dy())
	for i := range p.Width * p.Height {
		r, g, b, _ := img.At(i%p.Width, i/p.Width).RGBA()
		p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2] = byte(r>>8), byte(g>>8), byte(b>>8)
	}
	return p
}

func comparePictures(tb testing.TB, got, want *RGB, allowed int) {
	tb.Helper()
	if got.Width != want.Width || got.Height != want.Height || len(got.Pix) != len(want.Pix) {
		tb.Fatalf("%dx%d with %d bytes, want %dx%d", got.Width, got.Height, len(got.Pix), want.Width, want.Height)
	}
	worst, count, first := 0, 0, -1
	for i := range got.Pix {
		d := max(int(got.Pix[i])-int(want.Pix[i]), int(want.Pix[i])-int(got.Pix[i]))
		if d > allowed {
			count++
			if first < 0 {
				first = i
			}
		}
		worst = max(worst, d)
	}
	if count > 0 {
		tb.Errorf("%d of %d samples differ by more than %d, the worst by %d; first at (%d, %d): %d, want %d", count, len(got.Pix), allowed, worst,
			first/3%got.Width, first/3/got.Width, got.Pix[first], want.Pix[first])
	}
}
