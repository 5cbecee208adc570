package tensor

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseDType(t *testing.T) {
	sizes := map[DType]int{Bool: 1, Int8: 1, Uint8: 1, Int16: 2, Uint16: 2, Int32: 4, Uint32: 4, Int64: 8, Uint64: 8, Float16: 2, Float32: 4, Float64: 8}
	for name, want := range map[string]DType{
		"bool": Bool, "int8": Int8, "uint8": Uint8, "int16": Int16, "uint16": Uint16, "int32": Int32, "uint32": Uint32,
		"int64": Int64, "uint64": Uint64, "float16": Float16, "float32": Float32, "float64": Float64,
		"<f4": Float32, "=f4": Float32, "f4": Float32, "<f2": Float16, "<f8": Float64, "|u1": Uint8, "|b1": Bool, "b1": Bool,
		"|i1": Int8, "<i2": Int16, "<u2": Uint16, "<i4": Int32, "<u4": Uint32, "=i8": Int64, "<u8": Uint64,
	} {
		got, err := ParseDType(name)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", name, got, err, want)
		}
		if got.Size() != sizes[want] {
			t.Errorf("%q has %d bytes, want %d", name, got.Size(), sizes[want])
		}
	}
}

func TestParseDTypeRefuses(t *testing.T) {
	for _, name := range []string{"", ">f4", "!f4", ">i8", "f3", "float", "FLOAT32", "<float32", "<<f4", "object", "O", "U5", "S1", "c8", "V4", "M8[ns]",
		"invalid", "<", "|", " uint8", "uint8 ", "f4,f4", strings.Repeat("é", 1000)} {
		got, err := ParseDType(name)
		var e *Error
		if got != Invalid || !errors.As(err, &e) || e.Kind != KindDType {
			t.Errorf("%q is read as %v, %v", name, got, err)
			continue
		}
		if len(e.Message) > 300 || !utf8.ValidString(e.Message) || !strings.Contains(e.Message, "float32") {
			t.Errorf("%.20q: the message does not help: %q", name, e.Message)
		}
	}
}

func TestDTypeText(t *testing.T) {
	for d := Bool; d <= Float64; d++ {
		text, err := d.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back DType
		if err := back.UnmarshalText(text); err != nil || back != d {
			t.Errorf("%v comes back as %v, %v", d, back, err)
		}
	}
	for _, bad := range []DType{Invalid, Float64 + 1, 255} {
		if text, err := bad.MarshalText(); err == nil {
			t.Errorf("%d is written as %s", bad, text)
		}
		if bad.String() != "invalid" || bad.Size() != 0 {
			t.Errorf("%d: %s of %d bytes", bad, bad, bad.Size())
		}
	}
	kept := Int8
	if err := kept.UnmarshalText([]byte(">i1")); err == nil || kept != Int8 {
		t.Errorf("a refused type left %v, %v", kept, err)
	}
}
