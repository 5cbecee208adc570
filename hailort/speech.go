//go:build hailort

package hailort

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"context"
	"fmt"
	"math"
	"time"
	"unsafe"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// speech is a worker.LoadedGenerator: text from speech.
type speech struct {
	backend   *Backend
	what      string
	speech    *C.npu_speech
	signature worker.Signature
}

func (s *speech) load(spec worker.LoadSpec) error {
	path := C.CString(spec.Path)
	defer C.free(unsafe.Pointer(path))
	return failure(worker.OpLoad, C.npu_speech_create(s.backend.device, path, &s.speech), s.what)
}

func (s *speech) Signature() worker.Signature { return s.signature }

// Close takes the generator off the device.
func (s *speech) Close() error { return s.backend.unload(s.destroy) }

func (s *speech) destroy() error {
	s.backend.forget(s)
	return failure(worker.OpUnload, C.npu_speech_free(s.speech), "destroying the generator")
}

func (s *speech) unfinished() (int, time.Duration) { return 0, 0 }

// Generate writes down a recording. The library does all of it in one call that
// cannot be stopped and, up to 5.2, takes no notice of its time limit: the end
// of ctx is seen before it, and after it.
func (s *speech) Generate(ctx context.Context, timeout time.Duration, g worker.Generation, emit func(worker.Piece) error) (worker.Ending, error) {
	if len(g.Tensors) != 1 || g.Tensors[0].DType != tensor.Float32 || len(g.Tensors[0].Data) < 4 {
		return worker.Ending{}, &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("speech takes one recording, float32 [samples] at 16 kHz, got %d tensors", len(g.Tensors))}
	}
	cancelled := worker.Ending{Finish: worker.FinishCancelled}
	if ctx.Err() != nil {
		return cancelled, nil
	}
	audio := g.Tensors[0].Data // 4-byte aligned, as all shared memory is
	language := C.CString(g.Language)
	defer C.free(unsafe.Pointer(language))
	var list *C.npu_segment
	var count C.size_t
	status := C.npu_speech_segments(s.speech, (*C.float)(unsafe.Pointer(&audio[0])), C.size_t(len(audio)/4), C.bool(g.Translate), language,
		C.uint32_t(min(max(timeout.Milliseconds(), 1), math.MaxInt32)), &list, &count)
	if err := failure(worker.OpGenerate, status, "writing speech down"); err != nil {
		return worker.Ending{}, err
	}
	defer C.npu_segments_free(list, count)
	for _, segment := range unsafe.Slice(list, int(count)) {
		if ctx.Err() != nil {
			return cancelled, nil
		}
		piece := worker.Piece{Segment: &worker.Segment{Start: float64(segment.start), End: float64(segment.end), Text: C.GoStringN(segment.text, C.int(segment.size))}}
		if err := emit(piece); err != nil {
			return worker.Ending{}, err
		}
	}
	return worker.Ending{Finish: worker.FinishEnd}, nil
}
