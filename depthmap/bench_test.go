package depthmap

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"testing"

	kflate "github.com/klauspost/compress/flate"
)

// roomMap is the usual content: a floor that comes nearer, a wall, two round things in front and the network's ripple,
// 320x256, enlarged to the size of the picture.
func roomMap(width, height int) *Map {
	m := newMap(320, 256)
	state := uint32(1)
	for i := range m.Values {
		x, y := float64(i%320), float64(i/320)
		d := 8 - 0.003*x
		if y > 120 {
			d = min(d, 900/(y-5))
		}
		if math.Hypot(x-90, y-150) < 50 {
			d = 3 + 0.001*math.Hypot(x-90, y-150)
		}
		if math.Hypot(x-240, y-110) < 35 {
			d = 5 - 0.01*x/320
		}
		state = state*1664525 + 1013904223
		m.Values[i] = float32(d + 0.02*math.Sin(x/7)*math.Cos(y/9) + 0.004*float64(state>>24)/255)
	}
	return m.Resize(width, height)
}

var benchSizes = []image.Point{{640, 480}, {1920, 1080}}

// BenchmarkPNG writes the same pixels with our encoder and with image/png at its default and its fastest level.
func BenchmarkPNG(b *testing.B) {
	cm, err := Lookup("viridis")
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range benchSizes {
		m := roomMap(size.X, size.Y)
		rgb := image.NewNRGBA(image.Rect(0, 0, size.X, size.Y))
		for i, v := range m.ColorRGB(cm) {
			rgb.Pix[i/3*4+i%3], rgb.Pix[i/3*4+3] = v, 255
		}
		grey := image.NewGray16(rgb.Rect)
		for i, v := range m.Normalized().Values {
			s := sample16(v)
			grey.Pix[2*i], grey.Pix[2*i+1] = byte(s>>8), byte(s)
		}
		encoder := new(PNGEncoder)
		run := func(name string, encode func(io.Writer) error) {
			b.Run(fmt.Sprintf("%s/%dx%d", name, size.X, size.Y), func(b *testing.B) { benchEncode(b, encode) })
		}
		run("color/ours", func(w io.Writer) error { return encoder.EncodeColor(w, m, m.Scale(), cm, nil) })
		run("color/ours, new encoder", func(w io.Writer) error { return new(PNGEncoder).EncodeColor(w, m, m.Scale(), cm, nil) })
		run("color/image-png", func(w io.Writer) error { return png.Encode(w, rgb) })
		run("color/image-png fastest", func(w io.Writer) error { return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, rgb) })
		run("grey16/ours", func(w io.Writer) error { return encoder.EncodeGray16(w, m, m.Scale(), nil) })
		run("grey16/image-png", func(w io.Writer) error { return png.Encode(w, grey) })
		run("grey16/image-png fastest", func(w io.Writer) error { return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, grey) })
	}
}

// BenchmarkNPZ compares our archive with other ways to store the same member.
func BenchmarkNPZ(b *testing.B) {
	for _, size := range benchSizes {
		m := roomMap(size.X, size.Y)
		run := func(name string, encode func(io.Writer) error) {
			b.Run(fmt.Sprintf("%s/%dx%d", name, size.X, size.Y), func(b *testing.B) { benchEncode(b, encode) })
		}
		run("ours", func(w io.Writer) error { return m.EncodeNPZ(w, nil) })
		run("stored", func(w io.Writer) error { return zipWith(w, m, zip.Store, nil) })
		for _, level := range []int{kflate.HuffmanOnly, 1, 3, 6, 9} {
			run(fmt.Sprintf("klauspost level %d", level), func(w io.Writer) error {
				return zipWith(w, m, zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return kflate.NewWriter(out, level) })
			})
		}
		run("compress-flate level 6", func(w io.Writer) error {
			return zipWith(w, m, zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, 6) })
		})
	}
}

func zipWith(w io.Writer, m *Map, method uint16, compressor zip.Compressor) error {
	archive := zip.NewWriter(w)
	if compressor != nil {
		archive.RegisterCompressor(method, compressor)
	}
	member, err := archive.CreateHeader(&zip.FileHeader{Name: "depth.npy", Method: method})
	if err != nil {
		return err
	}
	if err := m.writeNPY(member); err != nil {
		return err
	}
	return archive.Close()
}

func benchEncode(b *testing.B, encode func(io.Writer) error) {
	b.ReportAllocs()
	var out bytes.Buffer
	for b.Loop() {
		out.Reset()
		if err := encode(&out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(out.Len()), "file-bytes")
}

func BenchmarkMap(b *testing.B) {
	for _, size := range benchSizes {
		small, big := roomMap(320, 256), roomMap(size.X, size.Y)
		cm, err := Lookup("viridis")
		if err != nil {
			b.Fatal(err)
		}
		for name, f := range map[string]func(){
			"resize":     func() { small.Resize(size.X, size.Y) },
			"normalized": func() { big.Normalized() },
			"stats":      func() { big.Stats() },
			"finite":     func() { _ = big.CheckFinite() },
			"color":      func() { big.ColorRGB(cm) },
		} {
			b.Run(fmt.Sprintf("%s/%dx%d", name, size.X, size.Y), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
	}
}
