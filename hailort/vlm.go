//go:build hailort

package hailort

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"
	"unsafe"

	"hailo-depth/hailort/stream"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// vlm is a worker.LoadedGenerator: text from text and pictures.
type vlm struct {
	backend   *Backend
	what      string
	vlm       *C.npu_vlm
	frame     stream.Stream
	signature worker.Signature
}

func (v *vlm) load(spec worker.LoadSpec) error {
	path := C.CString(spec.Path)
	defer C.free(unsafe.Pointer(path))
	if err := failure(worker.OpLoad, C.npu_vlm_create(v.backend.device, path, &v.vlm), v.what); err != nil {
		return err
	}
	var f C.npu_stream
	err := failure(worker.OpLoad, C.npu_vlm_frame(v.vlm, &f), v.what)
	if err == nil {
		v.frame = stream.Stream{Name: "frame", Height: int(f.height), Width: int(f.width), Features: int(f.features),
			Order: stream.Order(f.order), Type: stream.Type(f._type), Bytes: int(f.bytes)}
		v.signature.FrameShape, err = v.frame.Shape()
	}
	if err == nil && v.frame.Type != stream.Uint8 {
		err = &worker.Error{Kind: worker.KindUnsupported, Message: fmt.Sprintf("%s: it takes pictures of %s; expected uint8", v.what, v.frame.Type.DType())}
	}
	if err != nil {
		return errors.Join(err, v.free())
	}
	return nil
}

func (v *vlm) free() error {
	return failure(worker.OpUnload, C.npu_vlm_free(v.vlm), "destroying the generator")
}

func (v *vlm) Signature() worker.Signature { return v.signature }

// Close takes the generator off the device.
func (v *vlm) Close() error { return v.backend.unload(v.destroy) }

func (v *vlm) destroy() error {
	v.backend.forget(v)
	return v.free()
}

func (v *vlm) unfinished() (int, time.Duration) { return 0, 0 }

const (
	// pollTokens is how often a generation looks whether it is still wanted.
	pollTokens = 50 * time.Millisecond
	// drainPatience is what an aborted generation gets for its last tokens.
	drainPatience = 10 * time.Second
)

// Generate passes tokens on as they come. An end before the end is an abort and
// the reading of what was on its way, which takes a few tokens' time.
func (v *vlm) Generate(ctx context.Context, timeout time.Duration, g worker.Generation, emit func(worker.Piece) error) (worker.Ending, error) {
	if err := v.check(g); err != nil {
		return worker.Ending{}, err
	}
	if ctx.Err() != nil {
		return worker.Ending{Finish: worker.FinishCancelled}, nil
	}
	deadline := time.Now().Add(timeout)
	completion, err := v.begin(g)
	if err != nil {
		return worker.Ending{}, err
	}
	ending, err := read(ctx, deadline, completion, emit)
	if ended := failure(worker.OpInfer, C.npu_completion_end(completion, C.uint32_t(drainPatience.Milliseconds())), "ending a generation"); ended != nil {
		// What is left of it stays in memory, and the session with it: of no use any more.
		return worker.Ending{}, &worker.Error{Kind: worker.KindLost, Message: errors.Join(err, ended).Error()}
	}
	// Every generation stands by itself.
	if cleared := failure(worker.OpInfer, C.npu_vlm_clear(v.vlm), "clearing the context"); cleared != nil && err == nil {
		err = cleared
	}
	return ending, err
}

// check refuses what the library would refuse without a reason.
func (v *vlm) check(g worker.Generation) error {
	refuse := func(format string, args ...any) error {
		return &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf(format, args...)}
	}
	for i, t := range g.Tensors {
		if t.DType != tensor.Uint8 || len(t.Data) != v.frame.Bytes {
			return refuse("picture %d is %s; this model takes uint8 %v", i, t.Describe(), v.signature.FrameShape)
		}
	}
	switch {
	case len(g.Messages) == 0 && g.Prompt == "":
		return refuse("a generation needs messages or a prompt")
	case g.Temperature != nil && (*g.Temperature < 0 || *g.Temperature > math.MaxFloat32 || math.IsNaN(*g.Temperature)):
		return refuse("the temperature is %v; expected 0 or more", *g.Temperature)
	case g.MaxTokens < 0 || g.MaxTokens > math.MaxInt32:
		return refuse("%d tokens at most; expected 1 or more, or 0 for the model's own limit", g.MaxTokens)
	}
	return nil
}

// begin starts a generation; the pictures are encoded before it returns.
func (v *vlm) begin(g worker.Generation) (*C.npu_completion, error) {
	sampling := C.npu_sampling{most_tokens: C.uint32_t(g.MaxTokens)}
	if g.Temperature != nil {
		sampling.greedy, sampling.temperature = *g.Temperature == 0, C.float(*g.Temperature)
	}
	if g.Seed != nil {
		sampling.seeded, sampling.seed = true, C.uint32_t(*g.Seed)
	}
	var prompt *C.char
	if len(g.Messages) == 0 {
		prompt = C.CString(g.Prompt)
		defer C.free(unsafe.Pointer(prompt))
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	messages := make([]*C.char, len(g.Messages)+1) // never empty, so that there is a first
	for i, m := range g.Messages {
		messages[i] = C.CString(m)
		defer C.free(unsafe.Pointer(messages[i]))
	}
	frames := make([]C.npu_bytes, len(g.Tensors)+1)
	for i, t := range g.Tensors {
		pin.Pin(&t.Data[0])
		frames[i] = C.npu_bytes{data: unsafe.Pointer(&t.Data[0]), size: C.size_t(len(t.Data))}
	}
	var completion *C.npu_completion
	status := C.npu_vlm_generate(v.vlm, &sampling, &messages[0], C.size_t(len(g.Messages)), prompt, &frames[0], C.size_t(len(g.Tensors)), &completion)
	return completion, failure(worker.OpGenerate, status, "generating")
}

// read passes the tokens on until there are no more, or no more are wanted.
func read(ctx context.Context, deadline time.Time, completion *C.npu_completion, emit func(worker.Piece) error) (worker.Ending, error) {
	var ending worker.Ending
	for {
		if ctx.Err() != nil {
			ending.Finish = worker.FinishCancelled
			return ending, nil
		}
		if time.Now().After(deadline) {
			return ending, &worker.Error{Kind: worker.KindTimeout, Status: 4, Message: fmt.Sprintf("the generation did not end in time, after %d tokens", ending.Tokens)}
		}
		var text *C.char
		var size C.size_t
		var state C.int
		status := C.npu_completion_read(completion, C.uint32_t(pollTokens.Milliseconds()), &text, &size, &state)
		if status == 4 { // no token yet
			continue
		}
		if err := failure(worker.OpInfer, status, "reading tokens"); err != nil {
			return ending, err
		}
		token := C.GoStringN(text, C.int(size))
		C.free(unsafe.Pointer(text))
		ending.Tokens++
		if err := emit(worker.Piece{Token: token}); err != nil {
			return ending, err
		}
		switch state {
		case C.NPU_GENERATING:
			continue
		case C.NPU_MOST_TOKENS:
			ending.Finish = worker.FinishMaxTokens
		case C.NPU_ENDED:
			ending.Finish = worker.FinishEnd
		default:
			return ending, &worker.Error{Kind: worker.KindAborted, Message: fmt.Sprintf("the generation was aborted after %d tokens", ending.Tokens)}
		}
		return ending, nil
	}
}
