//go:build hailort

package hailort

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"hailo-depth/hailort/stream"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// Load places a network on the device and configures it. What it takes there is
// measured before and after.
func (b *Backend) Load(spec worker.LoadSpec) (worker.LoadedNetwork, error) {
	n := &network{backend: b, what: "loading " + filepath.Base(spec.Path)}
	bytes, err := b.place(spec.Path, func() error { return n.load(spec) })
	if err != nil {
		return nil, err
	}
	n.signature.MemoryBytes = bytes
	b.keep(n)
	return n, nil
}

// place carries out a load and tells what it took on the device, in bytes. A
// device that is full while something is being destroyed is tried once more.
func (b *Backend) place(path string, load func() error) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, &worker.Error{Kind: worker.KindModel, Message: err.Error()}
	}
	before := b.monitor.memory()
	err = load()
	if e, ok := errors.AsType[*worker.Error](err); ok && e.Kind == worker.KindMemoryFull && b.awaitReleases() {
		err = load()
	}
	if e, ok := errors.AsType[*worker.Error](err); ok && e.Kind == worker.KindMemoryFull {
		e.NeededBytes, e.TotalBytes = info.Size(), before.total // at least: the file is kept there
	}
	if err != nil {
		return 0, err
	}
	took := info.Size()
	if after := b.monitor.memory(); before.total > 0 && after.total > 0 {
		took = max(took, after.used-before.used)
	}
	return took, nil
}

// load makes n's model; after an error nothing of it is left.
func (n *network) load(spec worker.LoadSpec) error {
	path := C.CString(spec.Path) // without a zero, which no file's name has
	defer C.free(unsafe.Pointer(path))
	if err := failure(worker.OpLoad, C.npu_model_create(n.backend.device, path, C.size_t(n.backend.page), &n.model), n.what); err != nil {
		return err
	}
	err := n.describe(spec)
	if err == nil {
		err = failure(worker.OpLoad, C.npu_model_configure(n.model, C.size_t(n.frames)), n.what)
	}
	if err != nil {
		return errors.Join(err, n.free())
	}
	return nil
}

// describe reads the streams, chooses their types and makes the signature.
func (n *network) describe(spec worker.LoadSpec) error {
	var inputs, outputs C.size_t
	if err := failure(worker.OpLoad, C.npu_model_streams(n.model, &inputs, &outputs), n.what); err != nil {
		return err
	}
	n.inputs, n.outputs, n.frames = nil, nil, 1
	for i := range int(inputs) {
		s, err := n.stream(false, i)
		if err == nil && spec.InputType != tensor.Invalid && spec.InputType != s.Type.DType() {
			if spec.InputType != tensor.Float32 {
				return &worker.Error{Kind: worker.KindUnsupported, Message: fmt.Sprintf(
					"%s: input %q is %s; HailoRT converts only from float32, not from %s", n.what, s.Name, s.Type.DType(), spec.InputType)}
			}
			s, err = n.convert(false, i, stream.Float32)
		}
		if err != nil {
			return err
		}
		n.inputs = append(n.inputs, s)
	}
	for i := range int(outputs) {
		s, err := n.stream(true, i)
		quantised := s.Type == stream.Uint8 || s.Type == stream.Uint16
		if err == nil && (s.Order == stream.NMSByClass && quantised || !s.Detections() && quantised && (n.backend.config.LibraryFloats || !s.Dequantisable())) {
			s, err = n.convert(true, i, stream.Float32)
		}
		if err != nil {
			return err
		}
		n.outputs = append(n.outputs, s)
	}
	return n.sign(spec.InputShapes)
}

// convert has the library turn a stream into another type than the file's.
func (n *network) convert(output bool, index int, to stream.Type) (stream.Stream, error) {
	status := C.npu_model_set_type(n.model, C.bool(output), C.size_t(index), C.int(to))
	if err := failure(worker.OpLoad, status, n.what); err != nil {
		return stream.Stream{}, err
	}
	return n.stream(output, index)
}

func (n *network) stream(output bool, index int) (stream.Stream, error) {
	var s C.npu_stream
	if err := failure(worker.OpLoad, C.npu_model_stream(n.model, C.bool(output), C.size_t(index), &s), n.what); err != nil {
		return stream.Stream{}, err
	}
	described := stream.Stream{
		Name: C.GoString(s.name), Height: int(s.height), Width: int(s.width), Features: int(s.features),
		Order: stream.Order(s.order), Type: stream.Type(s._type), Bytes: int(s.bytes),
		Classes: int(s.nms_classes), BoxesPerClass: int(s.nms_boxes),
	}
	for channel := range int(s.quantisations) {
		var zero, scale C.float
		status := C.npu_model_quantisation(n.model, C.bool(output), C.size_t(index), C.size_t(channel), &zero, &scale)
		if err := failure(worker.OpLoad, status, n.what); err != nil {
			return stream.Stream{}, err
		}
		described.Quantisation = append(described.Quantisation, stream.Quantisation{ZeroPoint: float32(zero), Scale: float32(scale)})
	}
	return described, nil
}
