package depthmap_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"math"
	"strings"
	"sync"
	"testing"

	"hailo-depth/depthmap"
)

// floatArray writes the map as NPZ and reads it back, so every comparison of values tests the archive too.
func floatArray(tb testing.TB, m *depthmap.Map) array {
	tb.Helper()
	var buf bytes.Buffer
	if err := m.EncodeNPZ(&buf, nil); err != nil {
		tb.Fatal(err)
	}
	members := readNPZ(tb, buf.Bytes())
	a, ok := members["depth"]
	if !ok || len(members) != 1 || a.DType != "<f4" || len(a.Shape) != 2 || a.Shape[0] != m.Height || a.Shape[1] != m.Width {
		tb.Fatalf("members %v with shape %v of %s; want depth, (%d, %d), <f4", len(members), a.Shape, a.DType, m.Height, m.Width)
	}
	return a
}

// pngArray writes the map as PNG, coloured or in 16-bit grey, and reads it back with image/png.
func pngArray(tb testing.TB, m *depthmap.Map, cm *depthmap.Colormap) array {
	tb.Helper()
	var buf bytes.Buffer
	encoder := new(depthmap.PNGEncoder)
	var err error
	if cm != nil {
		err = encoder.EncodeColor(&buf, m, m.Scale(), cm, nil)
	} else {
		err = encoder.EncodeGray16(&buf, m, m.Scale(), nil)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return decodePNG(tb, buf.Bytes())
}

func decodePNG(tb testing.TB, raw []byte) array {
	tb.Helper()
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		tb.Fatal(err)
	}
	height, width := img.Bounds().Dy(), img.Bounds().Dx()
	switch m := img.(type) {
	case *image.Gray16:
		a := array{DType: "<u2", Shape: []int{height, width}, Data: make([]byte, 0, 2*width*height)}
		for i := 0; i < len(m.Pix); i += 2 {
			a.Data = append(a.Data, m.Pix[i+1], m.Pix[i])
		}
		return a
	case *image.RGBA: // what image/png makes of RGB without alpha
		a := array{DType: "|u1", Shape: []int{height, width, 3}, Data: make([]byte, 0, 3*width*height)}
		for i := 0; i < len(m.Pix); i += 4 {
			a.Data = append(a.Data, m.Pix[i:i+3]...)
		}
		return a
	}
	tb.Fatalf("the PNG is a %T; expected 16-bit grey or 8-bit RGB", img)
	return array{}
}

func ramp(width, height int) *depthmap.Map {
	m := &depthmap.Map{Width: width, Height: height, Values: make([]float32, width*height)}
	for i := range m.Values {
		m.Values[i] = float32(i)*0.37 - 5
	}
	return m
}

func TestEncodersTakeOddSizes(t *testing.T) {
	cm, err := depthmap.Lookup("turbo")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []image.Point{{1, 1}, {1, 300}, {300, 1}, {2, 2}, {97, 61}, {5000, 3}} {
		m := ramp(size.X, size.Y)
		values := floatArray(t, m).Float64s()
		for i, v := range m.Values {
			if values[i] != float64(v) {
				t.Fatalf("%v: value %d is %v, want %v", size, i, values[i], v)
			}
		}
		grey, norm := pngArray(t, m, nil).Float64s(), m.Normalized().Values
		for i := range grey {
			if want := math.Floor(float64(norm[i] * 65535)); grey[i] != want {
				t.Fatalf("%v: 16-bit sample %d is %v, want %v", size, i, grey[i], want)
			}
		}
		if got := pngArray(t, m, cm); !bytes.Equal(got.Data, m.ColorRGB(cm)) {
			t.Errorf("%v: the coloured PNG differs from ColorRGB", size)
		}
	}
}

func TestEncodingIsRepeatableAndConcurrent(t *testing.T) {
	cm, err := depthmap.Lookup("magma")
	if err != nil {
		t.Fatal(err)
	}
	encoder := new(depthmap.PNGEncoder)
	encode := func(m *depthmap.Map) []byte {
		var buf bytes.Buffer
		if err := errors.Join(encoder.EncodeColor(&buf, m, m.Scale(), cm, nil), encoder.EncodeGray16(&buf, m, m.Scale(), nil), m.EncodeNPZ(&buf, nil)); err != nil {
			t.Error(err)
		}
		return buf.Bytes()
	}
	maps := []*depthmap.Map{ramp(640, 48), ramp(31, 200), ramp(3, 3)}
	want := [][]byte{encode(maps[0]), encode(maps[1]), encode(maps[2])}
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			if !bytes.Equal(encode(maps[i%3]), want[i%3]) {
				t.Errorf("map %d was encoded differently the second time", i%3)
			}
		})
	}
	group.Wait()
}

func TestPNGText(t *testing.T) {
	cm, err := depthmap.Lookup("gray")
	if err != nil {
		t.Fatal(err)
	}
	text := []depthmap.Text{{"Software", "hailo-depth"}, {"Depth unit", "m²\nfar is bright"}}
	var buf bytes.Buffer
	if err := new(depthmap.PNGEncoder).EncodeColor(&buf, ramp(4, 4), ramp(4, 4).Scale(), cm, text); err != nil {
		t.Fatal(err)
	}
	chunks := readChunks(t, buf.Bytes())
	want := []string{"IHDR", "tEXt", "tEXt", "IDAT", "IEND"}
	if len(chunks) != len(want) {
		t.Fatalf("%d chunks, want %v", len(chunks), want)
	}
	for i, c := range chunks {
		if c[0] != want[i] {
			t.Errorf("chunk %d is %s, want %s", i, c[0], want[i])
		}
	}
	if chunks[1][1] != "Software\x00hailo-depth" || chunks[2][1] != "Depth unit\x00m\xb2\nfar is bright" {
		t.Errorf("texts are %q and %q", chunks[1][1], chunks[2][1])
	}
}

// readChunks returns name and body of every chunk and checks the sums.
func readChunks(t *testing.T, raw []byte) (chunks [][2]string) {
	t.Helper()
	for rest := raw[8:]; len(rest) > 0; {
		end := 8 + int(binary.BigEndian.Uint32(rest))
		if crc32.ChecksumIEEE(rest[4:end]) != binary.BigEndian.Uint32(rest[end:]) {
			t.Errorf("chunk %s has a wrong sum", rest[4:8])
		}
		chunks = append(chunks, [2]string{string(rest[4:8]), string(rest[8:end])})
		rest = rest[end+4:]
	}
	return chunks
}

func TestPNGTextThatDoesNotFit(t *testing.T) {
	bad := []depthmap.Text{
		{"", "no key"}, {strings.Repeat("k", 80), "long key"}, {" key", "space before"}, {"key ", "space after"}, {"a  b", "two spaces"},
		{"tab\t", "control character"}, {"a\x00b", "NUL"}, {"Ω", "not Latin-1"}, {"key", "not Latin-1: 深"}, {"key", "NUL \x00"},
	}
	for _, text := range bad {
		var buf bytes.Buffer
		err := new(depthmap.PNGEncoder).EncodeGray16(&buf, ramp(2, 2), ramp(2, 2).Scale(), []depthmap.Text{text})
		if err == nil || !strings.Contains(err.Error(), "PNG text") {
			t.Errorf("%q: error %v", text, err)
		}
		if buf.Len() > 0 {
			t.Errorf("%q: %d bytes were written before the error", text, buf.Len())
		}
	}
}

// fullDisk fails after some bytes.
type fullDisk struct{ room int }

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.room -= len(b); d.room < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestWriteErrorsAreReported(t *testing.T) {
	m := ramp(200, 100)
	for name, encode := range map[string]func(*fullDisk) error{
		"png": func(w *fullDisk) error { return new(depthmap.PNGEncoder).EncodeGray16(w, m, m.Scale(), nil) },
		"npz": func(w *fullDisk) error { return m.EncodeNPZ(w, nil) },
	} {
		for _, room := range []int{0, 20, 60, 900, 1100} {
			if err := encode(&fullDisk{room}); err == nil || err.Error() != "disk full" {
				t.Errorf("%s with room for %d bytes: error %v, want disk full", name, room, err)
			}
		}
	}
}

func TestArchiveHeader(t *testing.T) {
	var buf bytes.Buffer
	if err := ramp(3, 2).EncodeNPZ(&buf, nil); err != nil {
		t.Fatal(err)
	}
	if got := string(buf.Bytes()[:4]) + string(buf.Bytes()[30:39]); got != "PK\x03\x04depth.npy" {
		t.Errorf("the archive starts with %q", got)
	}
}
