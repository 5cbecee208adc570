package onnx

import (
	"encoding/binary"
	"math"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hailo-depth/onnx/library"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// open loads the real library; there can be one Backend at a time.
func open(t *testing.T, config Config) *Backend {
	t.Helper()
	// As if this were bin/hailo-worker-onnx.
	path, err := library.Find(os.Getenv, "../bin/worker", library.SystemDirs(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	config.Library = path
	b, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// running is a loaded network with memory bound to it, as the worker does it.
type running struct {
	worker.LoadedNetwork
	signature       worker.Signature
	inputs, outputs [][]byte
}

func load(t *testing.T, b *Backend, spec worker.LoadSpec) *running {
	t.Helper()
	n, err := b.Load(spec)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{LoadedNetwork: n}
	r.bind(t, n.Signature())
	return r
}

// unload is what must end each load: the library may not go before its networks.
func (r *running) unload(t *testing.T) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func (r *running) bind(t *testing.T, s worker.Signature) {
	t.Helper()
	r.signature = s
	r.inputs, r.outputs = views(t, s.Inputs), views(t, s.Outputs)
	if err := r.Bind(r.inputs, r.outputs); err != nil {
		t.Fatal(err)
	}
}

// views is memory outside Go's heap for tensors; an empty one has none.
func views(t *testing.T, infos []worker.TensorInfo) [][]byte {
	t.Helper()
	var list [][]byte
	for _, info := range infos {
		elements, err := info.Shape.Elements()
		if err != nil {
			t.Fatal(err)
		}
		size := elements * info.DType.Size()
		block, err := unix.Mmap(-1, 0, max(1, size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := unix.Munmap(block); err != nil {
				t.Error(err)
			}
		})
		list = append(list, block[:size:size])
	}
	return list
}

// infer returns the outputs, and binds again as the worker does when their
// shapes changed.
func (r *running) infer(t *testing.T, inputs ...[]byte) []tensor.Tensor {
	t.Helper()
	for i, in := range inputs {
		if copy(r.inputs[i], in) != len(r.inputs[i]) || len(in) != len(r.inputs[i]) {
			t.Fatalf("input %d takes %d bytes, got %d", i, len(r.inputs[i]), len(in))
		}
	}
	changed, err := r.Infer(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if changed == nil {
		for i, info := range r.signature.Outputs {
			changed = append(changed, tensor.Tensor{DType: info.DType, Shape: info.Shape, Data: r.outputs[i]})
		}
		return changed
	}
	next := r.Signature()
	next.Outputs = nil
	for i, out := range changed {
		if err := out.Check(); err != nil {
			t.Fatal(err)
		}
		next.Outputs = append(next.Outputs, worker.TensorInfo{Name: r.signature.Outputs[i].Name, DType: out.DType, Shape: out.Shape})
	}
	r.bind(t, next)
	return changed
}

func floats(values ...float32) []byte {
	raw := make([]byte, 4*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return raw
}
