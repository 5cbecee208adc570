// Package npztest reads NumPy archives in tests.
package npztest

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Array is what numpy.load returns: a dtype, a shape and the row-major little-endian bytes.
type Array struct {
	DType string // "<f4", "<u2" or "|u1"
	Shape []int
	Data  []byte
}

// Read reads every member of a NumPy archive.
func Read(tb testing.TB, raw []byte) map[string]Array {
	tb.Helper()
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		tb.Fatal(err)
	}
	members := make(map[string]Array)
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			tb.Fatalf("%s: %v", f.Name, err)
		}
		a, err := parseNPY(body)
		if err != nil {
			tb.Fatalf("%s: %v", f.Name, err)
		}
		members[strings.TrimSuffix(f.Name, ".npy")] = a
	}
	return members
}

// ReadFile reads an archive from a file.
func ReadFile(tb testing.TB, path string) map[string]Array {
	tb.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return Read(tb, raw)
}

// parseNPY reads format version 1.0 in C order.
func parseNPY(raw []byte) (Array, error) {
	if len(raw) < 10 || string(raw[:8]) != "\x93NUMPY\x01\x00" {
		return Array{}, fmt.Errorf("no NPY header of version 1.0")
	}
	end := 10 + int(binary.LittleEndian.Uint16(raw[8:]))
	if end > len(raw) || end%64 != 0 || raw[end-1] != '\n' {
		return Array{}, fmt.Errorf("header ends at %d", end)
	}
	// The dictionary becomes JSON once its quotes, its constants and its tuple are written the JSON way.
	text := strings.NewReplacer("'", `"`, "False", "false", "(", "[", ",)", "]", ")", "]", ", }", "}").Replace(strings.TrimSpace(string(raw[10:end])))
	var head struct {
		Descr   string
		Fortran bool `json:"fortran_order"`
		Shape   []int
	}
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		return Array{}, fmt.Errorf("%s: %w", text, err)
	}
	size, err := strconv.Atoi(head.Descr[2:])
	if err != nil || head.Fortran {
		return Array{}, fmt.Errorf("dtype %q, Fortran order %v", head.Descr, head.Fortran)
	}
	for _, n := range head.Shape {
		size *= n
	}
	if size != len(raw)-end {
		return Array{}, fmt.Errorf("%d bytes of data for shape %v of %s", len(raw)-end, head.Shape, head.Descr)
	}
	return Array{head.Descr, head.Shape, raw[end:]}, nil
}

// Floats returns the values of any of the three dtypes.
func (a Array) Floats() []float64 {
	var out []float64
	switch a.DType {
	case "<f4":
		for i := 0; i < len(a.Data); i += 4 {
			out = append(out, float64(math.Float32frombits(binary.LittleEndian.Uint32(a.Data[i:]))))
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
