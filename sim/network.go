package sim

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// maxHeader bounds the first line of a simulated model file.
const maxHeader = 64 << 10

// header is the first line of a file that describes its network.
type header struct {
	Marker    int      `json:"fake_hef"`
	Inputs    []stream `json:"inputs"`
	Outputs   []stream `json:"outputs"`
	LoadError string   `json:"load_error"`

	Task    worker.Task  `json:"task"`     // vlm, speech; loading the file as anything else fails
	Frame   tensor.Shape `json:"frame"`    // vlm: of the pictures that it takes
	Tokens  int          `json:"tokens"`   // vlm: at least so many are generated
	TokenMS float64      `json:"token_ms"` // vlm: time of a token; speech: of 30 s of sound
}

type stream struct {
	Name  string       `json:"name"`
	Shape tensor.Shape `json:"shape"`
}

// modelFile is what a simulated model file says.
type modelFile struct {
	bytes     int64
	signature worker.Signature
	loadError string

	frame  tensor.Shape
	tokens int
	token  time.Duration
}

// readModel reads a model file. A file whose first line is a JSON object with
// the key fake_hef describes its network; any other file is the depth network
// HWC uint8 (256, 320, 3) to (256, 320, 1) float32, or the generative network
// that it is loaded as.
func readModel(spec worker.LoadSpec) (m modelFile, err error) {
	path, inputType := spec.Path, spec.InputType
	f, err := os.Open(path)
	if err != nil {
		return m, &worker.Error{Kind: worker.KindModel, Status: 13, Message: err.Error()}
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return m, err
	}
	if !info.Mode().IsRegular() {
		return m, &worker.Error{Kind: worker.KindModel, Status: 14, Message: path + " is not a regular file"}
	}
	h := header{
		Inputs:  []stream{{Name: "input", Shape: tensor.Shape{256, 320, 3}}},
		Outputs: []stream{{Name: "output", Shape: tensor.Shape{256, 320, 1}}},
	}
	line, err := bufio.NewReader(io.LimitReader(f, maxHeader)).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return m, err
	}
	if bytes.HasPrefix(line, []byte("{")) && bytes.Contains(line, []byte(`"fake_hef"`)) {
		if err := json.Unmarshal(line, &h); err != nil {
			return m, &worker.Error{Kind: worker.KindModel, Status: 26, Message: fmt.Sprintf("%s: its first line is not a network: %v", path, err)}
		}
	}
	if h.Task != "" && h.Task != spec.Task {
		return m, &worker.Error{Kind: worker.KindModel, Status: 92, Message: fmt.Sprintf("%s is made for the task %q, not %q", path, h.Task, spec.Task)}
	}
	m = modelFile{bytes: info.Size(), loadError: h.LoadError, frame: h.Frame, tokens: h.Tokens}
	if m.token, err = tokenTime(h.TokenMS); err != nil {
		return m, &worker.Error{Kind: worker.KindModel, Status: 26, Message: fmt.Sprintf("%s: %v", path, err)}
	}
	if inputType == tensor.Invalid {
		inputType = tensor.Uint8
	}
	for _, s := range h.Inputs {
		m.signature.Inputs = append(m.signature.Inputs, worker.TensorInfo{Name: s.Name, DType: inputType, Shape: s.Shape})
	}
	for _, s := range h.Outputs {
		m.signature.Outputs = append(m.signature.Outputs, worker.TensorInfo{Name: s.Name, DType: tensor.Float32, Shape: s.Shape})
	}
	m.signature.MemoryBytes = m.bytes
	return m, nil
}

func tokenTime(ms float64) (time.Duration, error) {
	if !(ms >= 0 && ms <= mostMilliseconds) {
		return 0, fmt.Errorf("token_ms is %g; expected 0 to %g", ms, mostMilliseconds)
	}
	return time.Duration(ms * float64(time.Millisecond)), nil
}

// compute fills output from input as the recorded simulator did: an output
// shaped like the input but for one channel is the luma over 0..10, any other
// repeats the flattened input over 255.
func compute(in worker.TensorInfo, input []byte, out worker.TensorInfo, output []byte) {
	value := func(i int) float64 { return float64(input[i]) }
	count := len(input)
	if in.DType == tensor.Float32 {
		count /= 4
		value = func(i int) float64 {
			return float64(math.Float32frombits(binary.LittleEndian.Uint32(input[4*i:])))
		}
	}
	put := func(i int, v float64) {
		binary.LittleEndian.PutUint32(output[4*i:], math.Float32bits(float32(v)))
	}
	n := len(output) / 4
	switch {
	case isLuma(in.Shape, out.Shape):
		for i := range n {
			put(i, luma(value(3*i), value(3*i+1), value(3*i+2)))
		}
	case count == 0:
		clear(output)
	default:
		for i := range n {
			put(i, value(i%count)/255)
		}
	}
}

// luma rounds after each step, as the reference does: the conversions forbid
// the compiler to fuse a multiplication with an addition.
func luma(r, g, b float64) float64 {
	return float64(float64(float64(float64(0.299*r)+float64(0.587*g))+float64(0.114*b))/255.0) * 10.0
}

func isLuma(in, out tensor.Shape) bool {
	last := len(in) - 1
	return last >= 0 && len(out) == len(in) && in[last] == 3 && out[last] == 1 && slices.Equal(in[:last], out[:last])
}
