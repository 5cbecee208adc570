package onnx

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	ort "github.com/yalue/onnxruntime_go"
)

// The parts of the ONNX format that tests need (onnx.proto), so that they can
// write networks without a library. A message is its encoded fields.
type message []byte

func (m message) number(field int, v int64) message {
	return binary.AppendUvarint(binary.AppendUvarint(m, uint64(field)<<3), uint64(v))
}

func (m message) bytes(field int, v []byte) message {
	m = binary.AppendUvarint(binary.AppendUvarint(m, uint64(field)<<3|2), uint64(len(v)))
	return append(m, v...)
}

func (m message) text(field int, v string) message { return m.bytes(field, []byte(v)) }

// dims are the dimensions of an input or output: an int, or a string for one
// that is free under that name.
type dims []any

// put is a tensor that goes in or comes out.
func put(name string, dtype ort.TensorElementDataType, shape dims) message {
	var list message
	for _, d := range shape {
		switch d := d.(type) {
		case int:
			list = list.bytes(1, message{}.number(1, int64(d)))
		case string:
			list = list.bytes(1, message{}.text(2, d))
		}
	}
	kind := message{}.number(1, int64(dtype)).bytes(2, list)
	return message{}.text(1, name).bytes(2, message{}.bytes(1, kind))
}

// putSequence is a list of tensors that goes in or comes out.
func putSequence(name string, dtype ort.TensorElementDataType) message {
	element := message{}.bytes(1, message{}.number(1, int64(dtype)))
	return message{}.text(1, name).bytes(2, message{}.bytes(4, message{}.bytes(1, element)))
}

// node is one operation.
func node(op string, inputs, outputs []string, attributes ...message) message {
	var m message
	for _, name := range inputs {
		m = m.text(1, name)
	}
	for _, name := range outputs {
		m = m.text(2, name)
	}
	m = m.text(4, op)
	for _, a := range attributes {
		m = m.bytes(5, a)
	}
	return m
}

// whole is an attribute of a node.
func whole(name string, v int64) message {
	return message{}.text(1, name).number(3, v).number(20, 2)
}

// weights is a float32 tensor in the file.
func weights(name string, raw []byte, shape ...int) message {
	var m message
	for _, d := range shape {
		m = m.number(1, int64(d))
	}
	return m.number(2, int64(ort.TensorElementDataTypeFloat)).text(8, name).bytes(9, raw)
}

// graph is a network; each field may repeat.
type graph struct {
	nodes, weights, inputs, outputs []message
}

func (g graph) encode() []byte {
	var m message
	for _, n := range g.nodes {
		m = m.bytes(1, n)
	}
	m = m.text(2, "g")
	for _, w := range g.weights {
		m = m.bytes(5, w)
	}
	for _, in := range g.inputs {
		m = m.bytes(11, in)
	}
	for _, out := range g.outputs {
		m = m.bytes(12, out)
	}
	return message{}.number(1, 8).bytes(7, m).bytes(8, message{}.number(2, 13))
}

func (g graph) write(t *testing.T) string {
	t.Helper()
	return writeFile(t, "network.onnx", g.encode())
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// identity gives back what it gets.
func identity(dtype ort.TensorElementDataType, in, out dims) graph {
	return graph{
		nodes:   []message{node("Identity", []string{"in"}, []string{"out"})},
		inputs:  []message{put("in", dtype, in)},
		outputs: []message{put("out", dtype, out)},
	}
}
