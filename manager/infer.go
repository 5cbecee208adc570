package manager

import (
	"context"
	"errors"
	"time"

	"hailo-depth/device"
	"hailo-depth/internal/buffers"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// infer runs m, which is loaded first where needed. asker ends when whoever
// asked has gone. sent is what of it the worker has already; nil: nothing.
func (r *runtime) infer(ctx, asker context.Context, m device.Model, in device.Input, sent *early) (device.Result, error) {
	tried := tries{again: r.diedOf(sent, m)}
	for {
		began := time.Now()
		r.died = false
		loaded, _, err := r.loadedModel(ctx, m)
		if err != nil {
			if r.retries(ctx, m, err, &tried) {
				continue
			}
			return device.Result{}, asLoadError(err)
		}
		r.last = m
		use := &session{ctx: ctx, asker: asker, runtime: r, model: loaded, limit: r.inferLimit(m, in), ownMS: in.TimeoutMS, sent: sent}
		inferring := time.Now()
		r.active.Store(&activity{loaded.key, "infer", inferring})
		result, err := loaded.kind.infer(in, loaded.params, use)
		r.active.Store(nil)
		result.Timing = device.Timing{Load: inferring.Sub(began), Infer: time.Since(inferring), Library: use.library}
		loaded.lastUsed = time.Now()
		if err == nil {
			result.Keep(use.memory...)
			r.broken = ""
			r.gate.served()
			r.proven = m
			loaded.drift.add(result.Timing.Infer)
			if _, was := r.barred[loaded.key]; was {
				delete(r.barred, loaded.key)
				r.publish()
			} else {
				old := r.view.Load()
				r.show(old.pins, old.barred)
			}
			r.metrics.inferred(loaded.key, result.Timing.Infer, loaded.drift)
			if r.tuned.Load().keepAlive(loaded.key) == 0 {
				r.wake()
			}
			return result, nil
		}
		if failure, ok := errors.AsType[*worker.Error](err); ok {
			if r.remedy(ctx, loaded, failure, &tried) {
				continue
			}
			err = r.asDeviceError(failure)
			if r.retries(ctx, m, err, &tried) {
				continue
			}
		}
		r.publish()
		return device.Result{}, asInferError(err)
	}
}

// inferLimit is what one network of tensors may take.
func (r *runtime) inferLimit(m device.Model, in device.Input) time.Duration {
	limit := r.tuned.Load().inferLimit(m.Type)
	if own := in.TimeoutMS; own > 0 && own < limit.Milliseconds() { // compared so, any number is safe
		limit = time.Duration(own) * time.Millisecond
	}
	return limit
}

// session lets a model type run its networks within one inference.
type session struct {
	ctx     context.Context
	asker   context.Context
	runtime *runtime
	model   *model
	limit   time.Duration     // of one network of tensors
	ownMS   int64             // what whoever asked gives it; 0: no limit
	library time.Duration     // spent inside the library
	sent    *early            // what the worker has already; nil: nothing
	memory  []*buffers.Buffer // of the outputs
}

func (s *session) signature(part string) (worker.Signature, bool) {
	n, ok := s.model.networks[part]
	if !ok {
		return worker.Signature{}, false
	}
	return n.Signature(), true
}

// answerGrace is what a worker gets beyond an inference's own limit to say that
// the library gave up.
const answerGrace = 5 * time.Second

func (s *session) run(part string, inputs []tensor.Tensor) (outputs []worker.Output, err error) {
	n, r := s.model.networks[part], s.runtime
	err = r.bounded(s.ctx, s.limit+answerGrace, func(ctx context.Context) error {
		var inside time.Duration
		if pending := s.sent.take(s.model, part); pending != nil {
			outputs, inside, err = pending.Wait(ctx)
		} else {
			outputs, inside, err = n.Infer(ctx, s.limit, inputs)
		}
		s.library += inside
		return err
	})
	for _, o := range outputs {
		s.memory = append(s.memory, o.Memory)
	}
	return outputs, err
}
