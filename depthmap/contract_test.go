package depthmap_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hailo-depth/depthmap"
	"hailo-depth/picture"
)

// The recorded cases (testdata/contract/README.md) went through a simulated network. These tests take the same way: decode,
// resize to 320x256, the network, resize back, and then every output.
const contract = "../testdata/contract"

type recordedArray struct {
	Shape  []int
	SHA256 string
	Kept   string
	Step   int
	File   string
}

type recordedCase struct {
	Answer struct{ Stats depthmap.Stats }
	Array  recordedArray
}

type recording struct {
	Images    map[string]map[string]recordedCase
	Colormaps map[string]struct{ Image, File, SHA256 string }
}

func readRecording(tb testing.TB) recording {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(contract, "images.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(raw, &r); err != nil {
		tb.Fatal(err)
	}
	return r
}

// estimate is the chain up to the map at the picture's size.
func estimate(tb testing.TB, name string) *depthmap.Map {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(contract, "images", name))
	if err != nil {
		tb.Fatal(err)
	}
	p, err := picture.Decode(raw, picture.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return simulatedNetwork(p.Resize(320, 256)).Resize(p.Width, p.Height)
}

// simulatedNetwork computes ((0.299 R + 0.587 G) + 0.114 B) / 255 * 10 in float64, left to right, rounded once to float32.
func simulatedNetwork(p *picture.RGB) *depthmap.Map {
	m := &depthmap.Map{Width: p.Width, Height: p.Height, Values: make([]float32, p.Width*p.Height)}
	for i := range m.Values {
		r, g, b := float64(p.Pix[3*i]), float64(p.Pix[3*i+1]), float64(p.Pix[3*i+2])
		m.Values[i] = float32(float64(float64(0.299*r)+float64(0.587*g)+float64(0.114*b)) / 255 * 10)
	}
	return m
}

// What the contract overrules (http.md, steps 1 and 5): 16-bit grey was clipped to white, and constant maps were left
// as they were. Both have tests of their own below.
func recordedWithoutFault(name, kind string) bool {
	return name != "gray16_320x256.png" && (name != "constant_64x48.png" || kind == "raw")
}

// Everything but JPEG decodes to the same bytes everywhere; our WebP colours are libwebp's to the bit as well.
func lossy(name string) bool { return strings.HasSuffix(name, ".jpg") }

// output computes one kind of answer as the row-major little-endian bytes that were hashed.
func output(tb testing.TB, m *depthmap.Map, kind string) array {
	tb.Helper()
	switch kind {
	case "raw":
		return floatArray(tb, m)
	case "norm":
		return floatArray(tb, m.Normalized())
	case "png16":
		return pngArray(tb, m.Normalized(), nil)
	case "png16_of_raw":
		return pngArray(tb, m, nil)
	}
	cm, err := depthmap.Lookup(kind)
	if err != nil {
		tb.Fatal(err)
	}
	return pngArray(tb, m, cm)
}

func TestRecordedOutputs(t *testing.T) {
	compared := 0
	for name, kinds := range readRecording(t).Images {
		m := estimate(t, name)
		span := spanOf(m)
		for kind, c := range kinds {
			if !recordedWithoutFault(name, kind) {
				continue
			}
			compared++
			t.Run(name+"/"+kind, func(t *testing.T) {
				got := output(t, m, kind)
				if sum := sha256.Sum256(got.Data); hex.EncodeToString(sum[:]) == c.Array.SHA256 {
					return
				} else if !lossy(name) {
					t.Error("the bytes differ from the recorded ones")
				}
				// In raw depth units 0.25 at most and 0.012 on average; the other kinds stretch the span of the map, and
				// the ends it is stretched between may be off as well.
				scale := map[string]float64{"raw": 1, "norm": 2 / span, "png16": 2 * 65535 / span, "png16_of_raw": 2 * 65535 / span}[kind]
				if kind == "viridis" {
					scale = 2 * 256 / span * 3 // no channel changes by more than 3 from one colour to the next
				}
				compareKept(t, got, c.Array, 0.25*scale, 0.012*scale)
			})
		}
	}
	if compared < 60 {
		t.Errorf("%d outputs were compared; expected at least 60", compared)
	}
}

// compareKept compares with what was kept of a recorded array: all of it, or every step-th row and column and the four
// borders.
func compareKept(t *testing.T, got array, rec recordedArray, largest, mean float64) {
	t.Helper()
	kept := readNPZFile(t, filepath.Join(contract, rec.File))
	values, channels := got.Float64s(), 1
	if len(got.Shape) == 3 {
		channels = got.Shape[2]
	}
	height, width := got.Shape[0], got.Shape[1]
	regions := map[string][5]int{ // top, bottom, left, right, step
		"full":      {0, height, 0, width, 1},
		"sample":    {0, height, 0, width, rec.Step},
		"first_row": {0, 1, 0, width, 1}, "last_row": {height - 1, height, 0, width, 1},
		"first_col": {0, height, 0, 1, 1}, "last_col": {0, height, width - 1, width, 1},
	}
	for part, want := range kept {
		r := regions[part]
		var picked []float64
		for y := r[0]; y < r[1]; y += r[4] {
			for x := r[2]; x < r[3]; x += r[4] {
				picked = append(picked, values[(y*width+x)*channels:][:channels]...)
			}
		}
		compareValues(t, part, picked, want.Float64s(), largest, mean)
	}
}

func compareValues(t *testing.T, part string, got, want []float64, largest, mean float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d values, want %d", part, len(got), len(want))
	}
	worst, sum := 0.0, 0.0
	for i := range got {
		d := math.Abs(got[i] - want[i])
		worst, sum = max(worst, d), sum+d
	}
	if average := sum / float64(len(got)); worst > largest || average > mean {
		t.Errorf("%s differs by %.4g at most and %.4g on average; allowed are %.4g and %.4g", part, worst, average, largest, mean)
	}
}

func TestRecordedStats(t *testing.T) {
	for name, kinds := range readRecording(t).Images {
		m := estimate(t, name)
		for _, kind := range []string{"raw", "norm"} {
			if !recordedWithoutFault(name, kind) {
				continue
			}
			got, want, allowed := m.Stats(), kinds[kind].Answer.Stats, 0.0
			if lossy(name) {
				allowed = 0.25
			}
			if kind == "norm" {
				got, allowed = m.Normalized().Stats(), 2*allowed/spanOf(m)
			}
			for field, pair := range map[string][2]float64{"min": {got.Min, want.Min}, "max": {got.Max, want.Max}, "p95": {got.P95, want.P95}} {
				if math.Abs(pair[0]-pair[1]) > allowed {
					t.Errorf("%s/%s: %s is %v, want %v", name, kind, field, pair[0], pair[1])
				}
			}
			// NumPy summed in float32.
			if math.Abs(got.Mean-want.Mean) > allowed+1e-6 {
				t.Errorf("%s/%s: mean is %v, want %v", name, kind, got.Mean, want.Mean)
			}
		}
	}
}

func TestRecordedColormaps(t *testing.T) {
	for name, c := range readRecording(t).Colormaps {
		m := estimate(t, c.Image)
		cm, err := depthmap.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(m.ColorRGB(cm)); hex.EncodeToString(sum[:]) != c.SHA256 {
			t.Errorf("%s: the colours differ from the recorded ones", name)
		}
		file, err := os.ReadFile(filepath.Join(contract, c.File))
		if err != nil {
			t.Fatal(err)
		}
		if want := decodePNG(t, file); !bytes.Equal(m.ColorRGB(cm), want.Data) {
			t.Errorf("%s: the colours differ from the recorded picture", name)
		}
	}
}

// The contract instead of the recording: a constant map becomes zeros, whatever the output.
func TestConstantPictureBecomesZeros(t *testing.T) {
	m := estimate(t, "constant_64x48.png")
	for _, kind := range []string{"norm", "png16", "png16_of_raw"} {
		for i, v := range output(t, m, kind).Float64s() {
			if v != 0 {
				t.Fatalf("%s: value %d is %v, want 0", kind, i, v)
			}
		}
	}
	if got := m.Normalized().Stats(); got != (depthmap.Stats{}) {
		t.Errorf("statistics of the normalised map are %+v, want zeros", got)
	}
	for i, v := range output(t, m, "viridis").Data {
		if v != [3]byte{68, 1, 84}[i%3] {
			t.Fatalf("colour sample %d is %d, want the first colour of viridis", i, v)
		}
	}
}

// The contract instead of the recording: 16-bit grey is scaled by its high byte, so the map follows the picture.
func TestSixteenBitGreyIsScaled(t *testing.T) {
	m := estimate(t, "gray16_320x256.png")
	for i, grey := range []float64{150, 148, 151, 152, 152} { // 38437, 37925, 38693, 38949 and 38949 of 65535
		if want := grey / 25.5; math.Abs(float64(m.Values[i])-want) > 1e-6 {
			t.Errorf("value %d is %v, want %v", i, m.Values[i], want)
		}
	}
	if lowest, highest := m.Range(); lowest > 31/25.5 || highest < 224/25.5 {
		t.Errorf("values run from %v to %v; the samples of the picture from 7973 to 57381", lowest, highest)
	}
}

func spanOf(m *depthmap.Map) float64 {
	lowest, highest := m.Range()
	return float64(highest - lowest)
}
