//go:build hailort

package hailort

// #include "shim.h"
import "C"

import (
	"fmt"
	"time"
	"unsafe"

	"hailo-depth/hailort/stream"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// network is a worker.LoadedNetwork.
type network struct {
	backend *Backend
	what    string // "loading NAME", for errors
	model   *C.npu_model

	inputs, outputs []stream.Stream
	frames          int  // of one inference
	batched         bool // the shapes say so
	signature       worker.Signature

	boundInputs, boundOutputs [][]byte // shared with the manager
	stale                     bool     // the library shut the model down
}

// Signature has no batch dimension, unless a number of frames was asked for.
func (n *network) Signature() worker.Signature { return n.signature }

// Bind checks the sizes: one that is wrong would spoil the model in the library.
func (n *network) Bind(inputs, outputs [][]byte) error {
	if err := n.fits("input", inputs, n.inputs, n.signature.Inputs); err != nil {
		return err
	}
	if err := n.fits("output", outputs, n.outputs, n.signature.Outputs); err != nil {
		return err
	}
	n.boundInputs, n.boundOutputs = inputs, outputs
	return nil
}

func (n *network) fits(what string, views [][]byte, streams []stream.Stream, infos []worker.TensorInfo) error {
	if len(views) != len(streams) {
		return &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("the network has %d %ss, got memory for %d", len(streams), what, len(views))}
	}
	for i, s := range streams {
		if want := n.frames * s.Bytes / s.Type.DType().Size() * infos[i].DType.Size(); len(views[i]) != want {
			return &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("%s %q takes %d bytes, got memory of %d", what, s.Name, want, len(views[i]))}
		}
	}
	return nil
}

// Infer runs the frames. The library works on buffers of its own: a job that is
// given up goes on writing to them, and the next inference gets others.
func (n *network) Infer(timeout time.Duration) ([]tensor.Tensor, error) {
	if n.stale {
		if err := n.reconfigure(); err != nil {
			return nil, err
		}
	}
	if err := n.each(false, n.inputs, func(i int, view, buffer []byte) error {
		copy(buffer, view)
		return nil
	}); err != nil {
		return nil, err
	}
	var stale C.bool
	status := C.npu_model_run(n.model, C.uint32_t(min(max(timeout.Milliseconds(), 1), 1<<31)), &stale)
	n.stale = n.stale || bool(stale)
	if err := failure(worker.OpInfer, status, "inference"); err != nil {
		if isStatus(err, 4) {
			return nil, &worker.Error{Kind: worker.KindTimeout, Status: 4, Message: fmt.Sprintf("the inference did not end within %v: HAILO_TIMEOUT(4)", timeout)}
		}
		return nil, err
	}
	return nil, n.each(true, n.outputs, func(i int, view, buffer []byte) error {
		if !n.outputs[i].Dequantisable() {
			copy(view, buffer)
			return nil
		}
		return n.outputs[i].Dequantise(view, buffer)
	})
}

// each goes through the frames of all streams, each a part of what is bound and
// a buffer of the library.
func (n *network) each(output bool, streams []stream.Stream, do func(i int, view, buffer []byte) error) error {
	bound := n.boundInputs
	if output {
		bound = n.boundOutputs
	}
	for i := range streams {
		size := len(bound[i]) / n.frames
		for frame := range n.frames {
			var data unsafe.Pointer
			var bytes C.size_t
			status := C.npu_model_buffer(n.model, C.bool(output), C.size_t(i), C.size_t(frame), &data, &bytes)
			if err := failure(worker.OpInfer, status, "preparing an inference"); err != nil {
				return err
			}
			if err := do(i, bound[i][frame*size:(frame+1)*size], unsafe.Slice((*byte)(data), int(bytes))); err != nil {
				return err
			}
		}
	}
	return nil
}

// reconfigure is the way back for a model that the library shut down.
func (n *network) reconfigure() error {
	if jobs, _ := n.unfinished(); jobs > 0 {
		return &worker.Error{Kind: worker.KindAborted, Status: 63, Message: fmt.Sprintf("the model was shut down and %d of its jobs have not ended", jobs)}
	}
	if err := failure(worker.OpLoad, C.npu_model_configure(n.model, C.size_t(n.frames)), "configuring the model again"); err != nil {
		return err
	}
	n.stale = false
	return nil
}

func (n *network) unfinished() (int, time.Duration) {
	var jobs C.size_t
	var oldest C.int64_t
	if C.npu_model_unfinished(n.model, &jobs, &oldest) != 0 {
		return 0, 0
	}
	return int(jobs), time.Duration(oldest) * time.Millisecond
}

// reserved is the host's memory for one set of buffers, in bytes.
func (n *network) reserved() (int, error) {
	var bytes C.size_t
	err := failure(worker.OpInfer, C.npu_model_reserved(n.model, &bytes), "asking for the buffers' size")
	return int(bytes), err
}
