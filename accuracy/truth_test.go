package accuracy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, picture image.Image) string {
	t.Helper()
	var content bytes.Buffer
	if err := png.Encode(&content, picture); err != nil {
		t.Fatal(err)
	}
	return writeBytes(t, content.Bytes())
}

func writeBytes(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "truth.png")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadTruth(t *testing.T) {
	picture := image.NewGray16(image.Rect(0, 0, 3, 2))
	for i, v := range []uint16{0, 1, 2, 32768, 65535, 0} {
		picture.SetGray16(i%3, i/3, color.Gray16{Y: v})
	}
	truth, err := ReadTruth(write(t, picture), true)
	if err != nil {
		t.Fatal(err)
	}
	if truth.Width != 3 || truth.Height != 2 || !truth.AbsoluteZero || len(truth.InverseDepth) != 6 {
		t.Fatalf("truth = %+v", truth)
	}
	for i, want := range []float64{math.NaN(), 0, 1.0 / 65534, 0.5, 1, math.NaN()} {
		got := float64(truth.InverseDepth[i])
		if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > 1e-5 {
			t.Errorf("pixel %d = %g, want %g", i, got, want)
		}
	}
}

func TestReadTruthErrors(t *testing.T) {
	if _, err := ReadTruth(filepath.Join(t.TempDir(), "none.png"), true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	eight := write(t, image.NewGray(image.Rect(0, 0, 2, 2)))
	if _, err := ReadTruth(eight, true); err == nil || !strings.Contains(err.Error(), "16-bit grey") {
		t.Errorf("8-bit picture: %v", err)
	}
	if _, err := ReadTruth(writeBytes(t, []byte("depth")), true); err == nil {
		t.Error("a text is accepted")
	}
	if _, err := ReadTruth(writeBytes(t, hugeHeader()), true); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a header of 100000x100000: %v", err)
	}
}

// hugeHeader is the start of a PNG that says it is 100000x100000, 16-bit grey.
func hugeHeader() []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, 100000)
	chunk = binary.BigEndian.AppendUint32(chunk, 100000)
	chunk = append(chunk, 16, 0, 0, 0, 0)
	file := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	file = append(file, chunk...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(chunk))
}

func TestFromDepth(t *testing.T) {
	inf := float32(math.Inf(1))
	truth := FromDepth(3, 2, []float32{2, 0, -1, nan32, inf, 4})
	for i, want := range []float64{0.5, math.NaN(), math.NaN(), math.NaN(), math.NaN(), 0.25} {
		if got := float64(truth.InverseDepth[i]); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("pixel %d = %g, want %g", i, got, want)
		}
	}
	if !truth.AbsoluteZero {
		t.Error("depths in metres have an absolute zero")
	}
}
