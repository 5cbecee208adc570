package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
)

const contract = "../testdata/contract"

func readCase(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(contract, "images", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// BenchmarkDecode decodes the recorded pictures; "jpeg alone" is image/jpeg without the conversion to RGB.
func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"vga_baseline.jpg", "hd_1920x1080.jpg", "vga_lossy.webp", "palette_640x480.png", "model_320x256.png", "model_320x256.bmp"} {
		data := readCase(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(data, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	data := readCase(b, "hd_1920x1080.jpg")
	b.Run("hd jpeg alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkResize(b *testing.B) {
	for _, size := range []image.Point{{640, 480}, {1920, 1080}, {4032, 3024}} {
		p := noise(size.X, size.Y)
		b.Run(size.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Resize(320, 256)
			}
		})
	}
}

func BenchmarkUpright(b *testing.B) {
	p := noise(4032, 3024)
	for b.Loop() {
		p.upright(6)
	}
}

// noise is a picture without any pattern, the same in every run.
func noise(width, height int) *RGB {
	p := newRGB(width, height)
	state := uint32(1)
	for i := range p.Pix {
		state = state*1664525 + 1013904223
		p.Pix[i] = byte(state >> 24)
	}
	return p
}
