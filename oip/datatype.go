// Package oip is the wire format of the Open Inference Protocol v2 with the
// binary tensor data extension, for a server and for clients: a JSON head, then
// the raw bytes of the tensors, one after another. See
// docs/inference-protocol.md.
//
// Everything works on whole bodies in memory, whose size the reader bounds
// before it takes them; tensors share the body's memory.
package oip

import (
	"fmt"

	"hailo-depth/tensor"
)

// Datatype is a type of element under the protocol's name.
type Datatype string

// Bytes is the type of elements that are byte strings, each of its own length.
const Bytes Datatype = "BYTES"

// datatypes gives each tensor.DType its name in the protocol.
var datatypes = [...]Datatype{
	tensor.Bool: "BOOL", tensor.Int8: "INT8", tensor.Uint8: "UINT8", tensor.Int16: "INT16", tensor.Uint16: "UINT16",
	tensor.Int32: "INT32", tensor.Uint32: "UINT32", tensor.Int64: "INT64", tensor.Uint64: "UINT64",
	tensor.Float16: "FP16", tensor.Float32: "FP32", tensor.Float64: "FP64",
}

// DatatypeOf is the protocol's name of d; "" for tensor.Invalid.
func DatatypeOf(d tensor.DType) Datatype {
	if int(d) >= len(datatypes) {
		return ""
	}
	return datatypes[d]
}

// DType is d as an element type of fixed size; tensor.Invalid for Bytes and for
// names that there are not.
func (d Datatype) DType() tensor.DType {
	for i, name := range datatypes {
		if name == d && d != "" {
			return tensor.DType(i)
		}
	}
	return tensor.Invalid
}

func (d Datatype) check() error {
	if d == Bytes || d.DType() != tensor.Invalid {
		return nil
	}
	return errorf("datatype %q is not understood; expected BOOL, INT8 to INT64, UINT8 to UINT64, FP16, FP32, FP64 or BYTES", clip(string(d)))
}

// Error is a message that breaks the protocol.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func errorf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// clip keeps a value from outside short enough for an error message.
func clip(s string) string {
	const most = 64
	if len(s) > most {
		return fmt.Sprintf("%s…", s[:most])
	}
	return s
}
