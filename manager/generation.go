package manager

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"hailo-depth/device"
	"hailo-depth/worker"
)

// generate runs a generative network. It is ended early when whoever asked has
// gone, and when it has taken the time that they give it or its type's limit. A
// worker that then does not end it, or that gives no token for too long, is
// killed. Only one that the device refused to begin is asked for again.
func (s *session) generate(part string, g worker.Generation) (worker.Generated, error) {
	generated, err := s.generateOnce(part, g)
	if worker.KindOf(err) == worker.KindBusy {
		s.runtime.log.Warn("the device refused a generation; asking once more", "model", s.model.label(), "error", err)
		generated, err = s.generateOnce(part, g)
	}
	return generated, err
}

func (s *session) generateOnce(part string, g worker.Generation) (generated worker.Generated, err error) {
	if s.asker.Err() != nil { // while the model was loaded
		return worker.Generated{}, errGone
	}
	n, r := s.model.networks[part], s.runtime
	limit, silence := r.tuned.Load().generateLimits(s.model.key.modelType)
	if s.own > 0 && s.own < limit {
		limit = s.own
	}
	began := time.Now()
	wanted, cancel := context.WithTimeout(s.asker, limit) // ends when nobody wants the rest
	defer cancel()

	watch, heard, silent := s.watchTokens(wanted, silence)
	defer watch.Stop()
	err = r.bounded(s.ctx, limit+silence, func(ctx context.Context) error {
		var inside time.Duration
		generated, inside, err = n.Generate(ctx, wanted.Done(), limit, g, heard)
		s.library += inside
		return err
	})
	switch {
	case err != nil && silent.Load():
		return worker.Generated{}, &worker.Error{Kind: worker.KindTimeout, Message: fmt.Sprintf(
			"the device gave no token for %v, or did not end when it was told to; its worker was restarted", silence)}
	case err != nil:
		return worker.Generated{}, err
	case generated.Finish != worker.FinishCancelled:
		return generated, nil
	case errors.Is(s.asker.Err(), context.Canceled):
		r.log.Info("a generation was ended: whoever asked has gone", "model", s.model.label(), "tokens", generated.Tokens)
		return worker.Generated{}, errGone
	}
	return worker.Generated{}, &device.Error{Kind: device.KindTimeout, Message: fmt.Sprintf(
		"the generation was ended after %v, with %d tokens; ask for fewer with max_generated_tokens", time.Since(began).Round(time.Millisecond), generated.Tokens)}
}

var errGone = &device.Error{Kind: device.KindCanceled, Reason: device.ReasonCancelled, Message: "whoever asked for the generation has gone"}

// watchTokens kills the worker when it is silent for too long, or goes on when
// nothing is wanted any more. heard is to be called with each piece; silent tells
// that it has happened. Speech gives nothing before its end, and is not watched.
func (s *session) watchTokens(wanted context.Context, limit time.Duration) (watch *time.Timer, heard func(worker.Piece), silent *atomic.Bool) {
	w := s.runtime.worker
	silent = &atomic.Bool{}
	watch = time.AfterFunc(limit, func() {
		silent.Store(true)
		s.runtime.log.Error("killing the worker: a generation gives no token, or does not end", "model", s.model.label(), "after", limit)
		w.Kill()
	})
	if _, speech := s.model.kind.(whisperType); speech {
		watch.Stop()
		return watch, func(worker.Piece) {}, silent
	}
	return watch, func(worker.Piece) {
		if wanted.Err() == nil {
			watch.Reset(limit)
		}
	}, silent
}
