// Package npz reads NumPy archives, as the service writes them: for the
// demonstration and for tests.
package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Array is what numpy.load returns: a type ("<f4", "<u2", "|u1"), a shape and
// the bytes in C order, little endian.
type Array struct {
	DType string
	Shape []int
	Data  []byte
}

// maxBytes bounds what an archive unpacks to: zip can promise any size.
const maxBytes = 1 << 30

// Read returns every member of an archive by its name without ".npy".
func Read(raw []byte) (map[string]Array, error) {
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	members := make(map[string]Array)
	left := uint64(maxBytes)
	for _, f := range archive.File {
		if f.UncompressedSize64 > left { // zip sees to it that no more comes out
			return nil, fmt.Errorf("%s: the archive unpacks to more than %d bytes", f.Name, maxBytes)
		}
		left -= f.UncompressedSize64
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		a, err := parse(body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		members[strings.TrimSuffix(f.Name, ".npy")] = a
	}
	return members, nil
}

// parse reads the NPY format, version 1.0, in C order (NumPy Enhancement
// Proposal 1).
func parse(raw []byte) (Array, error) {
	if len(raw) < 10 || string(raw[:8]) != "\x93NUMPY\x01\x00" {
		return Array{}, fmt.Errorf("no NPY header of version 1.0")
	}
	end := 10 + int(binary.LittleEndian.Uint16(raw[8:]))
	if end > len(raw) || end%64 != 0 || raw[end-1] != '\n' {
		return Array{}, fmt.Errorf("header ends at %d of %d bytes", end, len(raw))
	}
	// The dictionary becomes JSON once its quotes, its constants and its tuple are
	// written the JSON way.
	text := strings.NewReplacer("'", `"`, "False", "false", "True", "true", "(", "[", ",)", "]", ")", "]", ", }", "}").Replace(strings.TrimSpace(string(raw[10:end])))
	var head struct {
		Descr   string
		Fortran bool `json:"fortran_order"`
		Shape   []int
	}
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		return Array{}, fmt.Errorf("header %s: %w", text, err)
	}
	if len(head.Descr) < 3 || head.Fortran {
		return Array{}, fmt.Errorf("dtype %q, Fortran order %v", head.Descr, head.Fortran)
	}
	size, err := strconv.Atoi(head.Descr[2:])
	if err != nil || size <= 0 || !strings.ContainsRune("<|", rune(head.Descr[0])) {
		return Array{}, fmt.Errorf("dtype %q", head.Descr)
	}
	data := len(raw) - end
	for _, n := range head.Shape {
		if n < 0 || n > 0 && size > maxBytes/n {
			return Array{}, fmt.Errorf("shape %v", head.Shape)
		}
		size *= n
	}
	if size != data {
		return Array{}, fmt.Errorf("%d bytes of data for shape %v of %s", data, head.Shape, head.Descr)
	}
	return Array{head.Descr, head.Shape, raw[end:]}, nil
}

// Float32s returns the values of a "<f4" array, nil for other types.
func (a Array) Float32s() []float32 {
	if a.DType != "<f4" {
		return nil
	}
	out := make([]float32, len(a.Data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(a.Data[4*i:]))
	}
	return out
}

// Float64s returns the values of any of the three types, nil for others.
func (a Array) Float64s() []float64 {
	var out []float64
	switch a.DType {
	case "<f4":
		for _, v := range a.Float32s() {
			out = append(out, float64(v))
		}
	case "<u2":
		for i := 0; i < len(a.Data); i += 2 {
			out = append(out, float64(binary.LittleEndian.Uint16(a.Data[i:])))
		}
	case "|u1":
		for _, v := range a.Data {
			out = append(out, float64(v))
		}
	}
	return out
}
