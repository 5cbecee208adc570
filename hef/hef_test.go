package hef

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The wire format of Protocol Buffers, as far as a HEF's head needs it.

func number(field int, value uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field)<<3), value)
}

func part(field int, parts ...[]byte) []byte {
	content := bytes.Join(parts, nil)
	return append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field)<<3|2), uint64(len(content))), content...)
}

// file makes a HEF: a message and weights.
func file(format uint32, message []byte, weights int) []byte {
	b := []byte(magic)
	b = binary.BigEndian.AppendUint32(b, format)
	b = binary.BigEndian.AppendUint32(b, uint32(len(message)))
	rest := make([]byte, formats[format].size)
	for i := range rest {
		rest[i] = 0xEE // checksums, which are not looked at
	}
	for i, at := range formats[format].parts {
		binary.BigEndian.PutUint64(rest[at:], []uint64{uint64(weights), 0}[i])
	}
	b = append(append(b, rest...), message...)
	return append(b, make([]byte, weights)...)
}

// network is a group of the kind of which a HEF has megabytes.
var network = part(2, part(1, bytes.Repeat([]byte{0xAB}, 5000)))

func header(arch uint64) []byte {
	fields := [][]byte{number(2, 1700000000), part(3, []byte("5.2.0")), part(5, number(1, 5), number(2, 2)), number(4, 3)}
	if arch != 0 { // a zero is not written
		fields = append(fields, number(1, arch))
	}
	return part(1, fields...)
}

func TestRead(t *testing.T) {
	strict := part(5, number(1, strictVersioning), part(2, []byte("STRICT_RUNTIME_VERSIONING")))
	other := part(5, number(1, 3))
	fixed := append([]byte{9<<3 | 1}, make([]byte, 8)...)
	fixed = append(append(fixed, 10<<3|5), 1, 2, 3, 4)
	for _, c := range []struct {
		name    string
		format  uint32
		message []byte
		want    File
	}{
		{"first format", 0, header(3), File{Format: 0, Arch: 3}},
		{"header first", 1, bytes.Join([][]byte{header(103), network, other}, nil), File{Format: 1, Arch: 103}},
		{"header last", 2, bytes.Join([][]byte{network, fixed, other, network, header(104)}, nil), File{Format: 2, Arch: 104}},
		{"strict", 3, bytes.Join([][]byte{network, header(103), other, strict, network}, nil), File{Format: 3, Arch: 103, Strict: true}},
		{"no number is Hailo-8", 3, header(0), File{Format: 3}},
	} {
		weights := 300
		if c.format == 0 {
			weights = 0
		}
		content := file(c.format, c.message, weights)
		c.want.Size, c.want.Compiler, c.want.Major, c.want.Minor = int64(len(content)), "5.2.0", 5, 2
		path := filepath.Join(t.TempDir(), "m.hef")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Open(path)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
		// One byte less than the header announces is refused.
		if _, err := Read(bytes.NewReader(content[:len(content)-1]), int64(len(content)-1)); err == nil || !strings.Contains(err.Error(), "cut short") {
			t.Errorf("%s, cut short: %v", c.name, err)
		}
	}
}

func TestNoHEF(t *testing.T) {
	whole := file(3, header(103), 10)
	change := func(at int, b ...byte) []byte {
		c := bytes.Clone(whole)
		copy(c[at:], b)
		return c
	}
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, `begins with "", expected "\x01HEF"`},
		{"simulated", []byte(`{"fake_hef": 1}`), `begins with "{\"fa"`},
		{"magic alone", whole[:4], "ends after 4 bytes"},
		{"header cut", whole[:55], "ends after 55 bytes"},
		{"future", change(4, 0, 0, 0, 4), "format is 4; known are 0 to 3"},
		{"a part of an exabyte", change(20, 0x10), "a part of"},
		{"part beyond the end", file(3, []byte{1<<3 | 2, 100, 1}, 0), "a part of 100 bytes where 1 are left"},
		{"number cut", file(3, []byte{1 << 3, 0x80}, 0), "damaged: unexpected EOF"},
		{"fixed field cut", file(3, []byte{9<<3 | 1, 0}, 0), "damaged: unexpected EOF"},
		{"type that there is not", file(3, []byte{1<<3 | 7}, 0), "a field of type 7"},
		{"header damaged", file(3, part(1, []byte{0xFF}), 0), "damaged"},
		{"no chip", file(3, network, 0), "for which chip"},
	} {
		_, err := Read(bytes.NewReader(c.content), int64(len(c.content)))
		if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
}

func TestArch(t *testing.T) {
	for _, c := range []struct {
		arch Arch
		name string
		runs string
	}{
		{0, "hailo8", Hailo8}, {3, "hailo8l", Hailo8}, {4, "hailo15m", Hailo10H}, {103, "hailo10h, hailo15h", Hailo10H},
		{106, "hailo15l (pluto)", Hailo15L}, {108, "hailo12l (mars)", Hailo12L}, {77, "chip number 77", ""},
	} {
		if c.arch.String() != c.name {
			t.Errorf("%d is %q, want %q", c.arch, c.arch, c.name)
		}
		for _, device := range []string{Hailo8, Hailo10H, Hailo12L, Hailo15L} {
			if c.arch.RunsOn(device) != (device == c.runs) {
				t.Errorf("%s on %s: %v", c.arch, device, c.arch.RunsOn(device))
			}
		}
	}
}

// FuzzRead: whatever a file holds, reading its head ends, with an *Error if not
// with a result.
func FuzzRead(f *testing.F) {
	f.Add(file(3, bytes.Join([][]byte{network[:300], header(103)}, nil), 10))
	f.Add(file(0, header(3), 0))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := Read(bytes.NewReader(content), int64(len(content)))
		if _, ok := errors.AsType[*Error](err); err != nil && !ok {
			t.Errorf("%v is no *Error", err)
		}
		if err == nil && len(got.Compiler) > maxText {
			t.Errorf("a version of %d bytes", len(got.Compiler))
		}
	})
}
