// Package tensor is the common currency of the system: an element type, a
// shape and the bytes, in C order and little endian, and its JSON form.
package tensor

import (
	"fmt"
	"strings"
)

// DType is the element type of a tensor, under NumPy's names.
type DType uint8

// The element types that cross the sockets. The zero value is no type.
const (
	Invalid DType = iota
	Bool
	Int8
	Uint8
	Int16
	Uint16
	Int32
	Uint32
	Int64
	Uint64
	Float16
	Float32
	Float64
)

// dtypes gives each type its NumPy name, NumPy's two-character code (kind and
// bytes, https://numpy.org/doc/stable/reference/arrays.dtypes.html) and its size.
var dtypes = [...]struct {
	name, code string
	size       int
}{
	Invalid: {"invalid", "", 0},
	Bool:    {"bool", "b1", 1},
	Int8:    {"int8", "i1", 1},
	Uint8:   {"uint8", "u1", 1},
	Int16:   {"int16", "i2", 2},
	Uint16:  {"uint16", "u2", 2},
	Int32:   {"int32", "i4", 4},
	Uint32:  {"uint32", "u4", 4},
	Int64:   {"int64", "i8", 8},
	Uint64:  {"uint64", "u8", 8},
	Float16: {"float16", "f2", 2},
	Float32: {"float32", "f4", 4},
	Float64: {"float64", "f8", 8},
}

// ParseDType reads a NumPy type name ("float32") or type code ("f4", "<f4",
// "|u1", "=i8"). Big-endian codes and types without a fixed small element
// (strings, objects, records) are refused with an error of KindDType.
func ParseDType(name string) (DType, error) {
	code := name
	if len(name) > 2 && strings.ContainsRune("<|=", rune(name[0])) {
		code = name[1:]
	}
	for d := Bool; int(d) < len(dtypes); d++ {
		if name == dtypes[d].name || code == dtypes[d].code {
			return d, nil
		}
	}
	return Invalid, &Error{Kind: KindDType, Message: fmt.Sprintf(
		"data type %q is not understood; expected one of %s", clip(name), strings.Join(dtypeNames(), ", "))}
}

func dtypeNames() []string {
	var names []string
	for _, d := range dtypes[Bool:] {
		names = append(names, d.name)
	}
	return names
}

// Size is the number of bytes of one element; 0 for Invalid.
func (d DType) Size() int {
	if int(d) >= len(dtypes) {
		return 0
	}
	return dtypes[d].size
}

// String is NumPy's name of the type.
func (d DType) String() string {
	if int(d) >= len(dtypes) {
		return dtypes[Invalid].name
	}
	return dtypes[d].name
}

// MarshalText writes the NumPy name.
func (d DType) MarshalText() ([]byte, error) {
	if d.Size() == 0 {
		return nil, &Error{Kind: KindDType, Message: "a tensor without a data type cannot be written"}
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what ParseDType reads.
func (d *DType) UnmarshalText(text []byte) error {
	parsed, err := ParseDType(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// clip keeps a value from outside short enough for an error message.
func clip(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
