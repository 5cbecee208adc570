package sim

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// run loads a model file, gives its network the inputs and returns the outputs.
func run(t *testing.T, content string, inputType tensor.DType, inputs ...[]byte) [][]float32 {
	t.Helper()
	n, err := newDevice(t).Load(worker.LoadSpec{Path: modelPath(t, "a.hef", []byte(content)), InputType: inputType})
	if err != nil {
		t.Fatal(err)
	}
	s := n.Signature()
	var outputs [][]byte
	for _, out := range s.Outputs {
		if out.DType != tensor.Float32 {
			t.Fatalf("output %s is %s", out.Name, out.DType)
		}
		count, err := out.Shape.Elements()
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, make([]byte, 4*count))
	}
	if err := n.Bind(inputs, outputs); err != nil {
		t.Fatal(err)
	}
	if changed, err := n.Infer(0); changed != nil || err != nil {
		t.Fatal(changed, err)
	}
	values := make([][]float32, len(outputs))
	for i, out := range outputs {
		for ; len(out) > 0; out = out[4:] {
			values[i] = append(values[i], math.Float32frombits(binary.LittleEndian.Uint32(out)))
		}
	}
	return values
}

// expectedLuma is ((0.299*R + 0.587*G) + 0.114*B) / 255.0 * 10.0 in arithmetic
// of our own: 53 bits, rounded after each step, as float64 should be.
func expectedLuma(r, g, b float64) float32 {
	number := func(v float64) *big.Float { return new(big.Float).SetPrec(53).SetFloat64(v) }
	fresh := func() *big.Float { return new(big.Float).SetPrec(53) }
	rg := fresh().Add(fresh().Mul(number(0.299), number(r)), fresh().Mul(number(0.587), number(g)))
	sum := fresh().Add(rg, fresh().Mul(number(0.114), number(b)))
	exact, _ := fresh().Mul(fresh().Quo(sum, number(255)), number(10)).Float64()
	return float32(exact)
}

// The default network, on every grey and thousands of colours.
func TestLumaIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	input := make([]byte, 256*320*3)
	for i := range input {
		input[i] = byte(random.UintN(256))
		if pixel := i / 3; pixel < 256 {
			input[i] = byte(pixel)
		}
	}
	got := run(t, "weights", tensor.Invalid, input)[0]
	if len(got) != 256*320 {
		t.Fatalf("%d values", len(got))
	}
	for i := range 8000 {
		r, g, b := input[3*i], input[3*i+1], input[3*i+2]
		if want := expectedLuma(float64(r), float64(g), float64(b)); got[i] != want {
			t.Fatalf("pixel %d (%d, %d, %d) is %v, want %v", i, r, g, b, got[i], want)
		}
	}
	if got[255] != 10 || got[0] != 0 {
		t.Errorf("white is %v, black is %v", got[255], got[0])
	}
}

// Floats that nearly cancel each other show every rounding step, and so the order.
func TestLumaOfFloats(t *testing.T) {
	pixels := []float32{0, 0.5, 255, -1, 1e6, 3.25}
	random := rand.New(rand.NewPCG(5, 6))
	for len(pixels) < 3000 {
		r, g := 255*random.Float32(), 255*random.Float32()
		pixels = append(pixels, r, g, -(0.299*r+0.587*g)/0.114)
	}
	var input []byte
	for _, v := range pixels {
		input = binary.LittleEndian.AppendUint32(input, math.Float32bits(v))
	}
	got := run(t, `{"fake_hef": 1, "inputs": [{"name": "in", "shape": [1000,3]}], "outputs": [{"name": "out", "shape": [1000,1]}]}`, tensor.Float32, input)[0]
	for i, v := range got {
		if want := expectedLuma(float64(pixels[3*i]), float64(pixels[3*i+1]), float64(pixels[3*i+2])); v != want {
			t.Fatalf("pixel %d %v is %v, want %v", i, pixels[3*i:3*i+3], v, want)
		}
	}
}

// Any other output repeats the flattened input / 255 until it is full.
func TestOtherOutputsRepeatTheInput(t *testing.T) {
	input := []byte{0, 51, 102, 153, 204, 255}
	header := `{"fake_hef": 1, "inputs": [{"name": "in", "shape": [1,2,3]}], "outputs": [
		{"name": "short", "shape": [4]}, {"name": "long", "shape": [2,7]}, {"name": "luma", "shape": [1,2,1]}, {"name": "flat", "shape": [2,1]}, {"name": "none", "shape": [0]}]}`
	outputs := run(t, oneLine(header), tensor.Uint8, input)
	for i, length := range []int{4, 14, 2, 2, 0} {
		if len(outputs[i]) != length {
			t.Fatalf("output %d has %d values", i, len(outputs[i]))
		}
		for j, v := range outputs[i] {
			want := float32(float64(input[j%len(input)]) / 255)
			if i == 2 {
				want = expectedLuma(float64(input[3*j]), float64(input[3*j+1]), float64(input[3*j+2]))
			}
			if v != want {
				t.Errorf("output %d, value %d is %v, want %v", i, j, v, want)
			}
		}
	}
}

// A network without values to compute from answers zeros.
func TestNothingIn(t *testing.T) {
	for _, inputs := range []string{`[]`, `[{"name": "in", "shape": [0]}]`} {
		var bound [][]byte
		if inputs != `[]` {
			bound = [][]byte{{}}
		}
		got := run(t, `{"fake_hef": 1, "inputs": `+inputs+`, "outputs": [{"name": "out", "shape": [2]}]}`, tensor.Uint8, bound...)[0]
		if len(got) != 2 || got[0] != 0 || got[1] != 0 {
			t.Errorf("inputs %s: %v", inputs, got)
		}
	}
}

// oneLine makes a header of a text that is wrapped for reading.
func oneLine(header string) string {
	out := []byte(header)
	for i, c := range out {
		if c == '\n' {
			out[i] = ' '
		}
	}
	return string(out) + "\nweights"
}
