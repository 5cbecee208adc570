package stream

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// slow is the formula, in double precision.
func slow(q Quantisation, value float64) float64 {
	return (value - float64(q.ZeroPoint)) * float64(q.Scale)
}

func check(t *testing.T, s Stream, frame []byte) {
	t.Helper()
	size := s.Type.DType().Size()
	dst := make([]byte, len(frame)/size*4)
	if err := s.Dequantise(dst, frame); err != nil {
		t.Fatal(err)
	}
	for i := range len(frame) / size {
		value := float64(frame[i*size])
		if s.Type == Uint16 {
			value += 256 * float64(frame[2*i+1])
		}
		q := s.Quantisation[i%len(s.Quantisation)]
		got, want := float64(math.Float32frombits(binary.LittleEndian.Uint32(dst[4*i:]))), slow(q, value)
		// Two roundings: of the difference, whose error grows with its terms, and of the product.
		slack := (math.Abs(value)+math.Abs(float64(q.ZeroPoint)))*math.Abs(float64(q.Scale))*0x1p-22 + math.SmallestNonzeroFloat32
		if math.Abs(got-want) > slack && !math.IsInf(got, 0) {
			t.Fatalf("element %d: %v by %+v is %v, want %v", i, value, q, got, want)
		}
	}
}

// TestDequantiseIsTheFormula: for random streams, element by element.
func TestDequantiseIsTheFormula(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 10))
	for range 2000 {
		s := Stream{Height: 1 + random.IntN(5), Width: 1 + random.IntN(5), Features: 1 + random.IntN(5), Order: 1, Type: Uint8 + Type(random.IntN(2))}
		scales := 1
		if random.IntN(2) == 0 {
			scales = s.Features
		}
		for range scales {
			s.Quantisation = append(s.Quantisation, Quantisation{ZeroPoint: float32(random.IntN(65536)), Scale: float32(math.Exp(10*random.Float64() - 8))})
		}
		s.Bytes = s.Height * s.Width * s.Features * s.Type.DType().Size()
		frame := make([]byte, s.Bytes)
		for i := range frame {
			frame[i] = byte(random.Uint32())
		}
		check(t, s, frame)
	}
}

// The published example: zero stays zero, the largest value is 60.
func TestDequantiseFastDepth(t *testing.T) {
	s := Stream{Height: 1, Width: 1, Features: 3, Order: 1, Type: Uint16, Bytes: 6, Quantisation: []Quantisation{{0, 0.000915555}}}
	dst := make([]byte, 12)
	if err := s.Dequantise(dst, []byte{0, 0, 0, 16, 0xff, 0xff}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{0, 4096 * float32(0.000915555), 65535 * float32(0.000915555)} {
		if got := math.Float32frombits(binary.LittleEndian.Uint32(dst[4*i:])); got != want {
			t.Errorf("element %d is %v, want %v", i, got, want)
		}
	}
}

func TestNotDequantisable(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	good := Stream{Name: "s", Height: 1, Width: 1, Features: 2, Order: 1, Type: Uint8, Bytes: 2, Quantisation: []Quantisation{{1, 2}}}
	if !good.Dequantisable() {
		t.Fatal("a plain one is not dequantisable")
	}
	for name, change := range map[string]func(*Stream){
		"float32":                    func(s *Stream) { s.Type = Float32 },
		"detections":                 func(s *Stream) { s.Order = NMSByScore },
		"no scale":                   func(s *Stream) { s.Quantisation = nil },
		"three scales, two channels": func(s *Stream) { s.Quantisation = make([]Quantisation, 3) },
		"channels that come first":   func(s *Stream) { s.Order, s.Quantisation = NCHW, []Quantisation{{0, 1}, {0, 2}} },
		"scale 0":                    func(s *Stream) { s.Quantisation = []Quantisation{{0, 0}} },
		"scale NaN":                  func(s *Stream) { s.Quantisation = []Quantisation{{0, nan}} },
		"scale infinite":             func(s *Stream) { s.Quantisation = []Quantisation{{0, inf}} },
		"zero point NaN":             func(s *Stream) { s.Quantisation = []Quantisation{{nan, 1}} },
	} {
		s := good
		change(&s)
		if s.Dequantisable() {
			t.Errorf("%s is dequantisable", name)
		}
		if err := s.Dequantise(make([]byte, 8), make([]byte, 2)); err == nil {
			t.Errorf("%s was dequantised", name)
		}
	}
	for _, sizes := range [][2]int{{8, 1}, {8, 3}, {7, 2}, {9, 2}, {0, 0}} {
		if err := good.Dequantise(make([]byte, sizes[0]), make([]byte, sizes[1])); err == nil {
			t.Errorf("%d bytes became %d", sizes[1], sizes[0])
		}
	}
}

// FuzzDequantise: nothing panics, nothing is written outside, and what is
// dequantised follows the formula.
func FuzzDequantise(f *testing.F) {
	f.Add(uint8(1), uint8(1), uint8(3), float32(10), float32(0.5), []byte{1, 2, 3})
	f.Add(uint8(2), uint8(1), uint8(2), float32(0), float32(0.000915555), []byte{1, 2, 3, 255})
	f.Add(uint8(1), uint8(22), uint8(1), float32(0), float32(1), []byte{0})
	f.Fuzz(func(t *testing.T, kind, order, features uint8, zero, scale float32, frame []byte) {
		s := Stream{Name: "s", Height: 1, Width: 1, Features: int(features), Order: Order(order), Type: Type(kind), Bytes: len(frame),
			Quantisation: []Quantisation{{zero, scale}}}
		if features%2 == 1 {
			for i := 1; i < int(features); i++ {
				s.Quantisation = append(s.Quantisation, Quantisation{zero + float32(i), scale})
			}
		}
		if size := s.Type.DType().Size(); s.Dequantisable() && len(frame)%size == 0 && math.Abs(float64(zero)) < 1e6 && math.Abs(float64(scale)) < 1e6 {
			check(t, s, frame)
			return
		}
		if err := s.Dequantise(make([]byte, 4*len(frame)), frame); err == nil && !s.Dequantisable() {
			t.Error("what cannot be dequantised was")
		}
	})
}
