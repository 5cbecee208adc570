// Package hef reads what the head of a Hailo model file says of it: for which
// chip and by which compiler it was made. The network itself it leaves to the
// device's library.
package hef

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// File is what a HEF says of itself.
type File struct {
	Format   uint32 // of the header: 0 to 3
	Size     int64  // of the file in bytes
	Arch     Arch   // the chip it was compiled for
	Compiler string // version of the compiler as it names itself; may be empty
	// Major and Minor are the compiler's version in numbers. With Strict the
	// library loads the file only if its own are the same.
	Major, Minor uint64
	Strict       bool
}

// Error says what is wrong with a file that is no whole HEF.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func broken(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// magic is how each HEF begins.
const magic = "\x01HEF"

// commonSize is that of the fields which all formats share: magic, format, and
// the size of the message with the description.
const commonSize = 12

// formats are the layouts of the rest of the header: its size, and where in it
// the sizes of the parts stand that follow the message. Numbers are big-endian.
var formats = [...]struct {
	size  int
	parts []int
}{
	{size: 20},
	{size: 16, parts: []int{4}},
	{size: 32, parts: []int{8}},
	{size: 44, parts: []int{8, 20}},
}

// Open reads the head of the file at path. Errors: those of the file system,
// and *Error for a file that is no HEF or is cut short.
func Open(path string) (_ File, err error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return File{}, err
	}
	if !info.Mode().IsRegular() {
		return File{}, broken("%s is no regular file", path)
	}
	return Read(f, info.Size())
}

// Read reads the head of a HEF of size bytes.
func Read(r io.ReaderAt, size int64) (File, error) {
	f := File{Size: size}
	head := make([]byte, commonSize+44)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return f, err
	}
	head = head[:n]
	if n < len(magic) || string(head[:len(magic)]) != magic {
		return f, broken("it is no HEF: it begins with %q, expected %q", head[:min(n, len(magic))], magic)
	}
	if n < commonSize {
		return f, broken("it ends after %d bytes, within its header", n)
	}
	f.Format = binary.BigEndian.Uint32(head[4:])
	message := int64(binary.BigEndian.Uint32(head[8:]))
	if f.Format >= uint32(len(formats)) {
		return f, broken("its format is %d; known are 0 to %d", f.Format, len(formats)-1)
	}
	format := formats[f.Format]
	if n < commonSize+format.size {
		return f, broken("it ends after %d bytes, within its header", n)
	}
	start := int64(commonSize + format.size)
	want := uint64(start + message)
	for _, at := range format.parts {
		part := binary.BigEndian.Uint64(head[commonSize+at:])
		if part > 1<<48 {
			return f, broken("its header is damaged: a part of %d bytes", part)
		}
		want += part
	}
	if uint64(size) < want {
		return f, broken("it is cut short: %d bytes, its header announces %d", size, want)
	}
	return f, f.describe(io.NewSectionReader(r, start, message))
}

// Arch is a chip as the compiler numbers it.
type Arch uint64

// archs gives a chip's name and the devices that run what was compiled for it.
var archs = map[Arch]struct {
	name    string
	devices []string
}{
	0:   {"hailo8", []string{Hailo8}},
	1:   {"hailo8p", []string{Hailo8}},
	2:   {"hailo8r", []string{Hailo8}},
	3:   {"hailo8l", []string{Hailo8}},
	4:   {"hailo15m", []string{Hailo10H}},
	6:   {"hailo15l", []string{Hailo15L}},
	101: {"hailo8 (B0)", []string{Hailo8}},
	102: {"hailo8 (paprika)", []string{Hailo8}},
	103: {"hailo10h, hailo15h", []string{Hailo10H}},
	104: {"hailo10h, hailo15h (ginger)", []string{Hailo10H}},
	105: {"hailo10h, hailo15h (lavender)", []string{Hailo10H}},
	106: {"hailo15l (pluto)", []string{Hailo15L}},
	108: {"hailo12l (mars)", []string{Hailo12L}},
}

// The devices, as HailoRT names them.
const (
	Hailo8   = "HAILO8"
	Hailo10H = "HAILO10H"
	Hailo12L = "HAILO12L"
	Hailo15L = "HAILO15L"
)

func (a Arch) String() string {
	if known, ok := archs[a]; ok {
		return known.name
	}
	return fmt.Sprintf("chip number %d", uint64(a))
}

// RunsOn reports whether a device, one of the constants, runs what was compiled
// for the chip.
func (a Arch) RunsOn(device string) bool { return slices.Contains(archs[a].devices, device) }
