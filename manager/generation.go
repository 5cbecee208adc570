package manager

import (
	"context"
	"errors"
	"fmt"
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
	if s.ownMS > 0 && s.ownMS < limit.Milliseconds() {
		limit = time.Duration(s.ownMS) * time.Millisecond
	}
	began := time.Now()
	wanted, cancel := context.WithTimeout(s.asker, limit) // ends when nobody wants the rest
	defer cancel()

	ctx, heard, stop := s.patience(wanted, limit, silence)
	defer stop()
	err = r.within(s.ctx, ctx, func(ctx context.Context) error {
		var inside time.Duration
		generated, inside, err = n.Generate(ctx, wanted.Done(), limit, g, heard)
		s.library += inside
		return err
	})
	switch {
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

// patience returns a context that ends when the worker is silent for too long,
// or goes on when nothing is wanted any more. heard is to be called with each
// piece, stop in the end. Speech gives nothing before its end: it has its limit.
func (s *session) patience(wanted context.Context, limit, silence time.Duration) (ctx context.Context, heard func(worker.Piece), stop func()) {
	ctx, cancel := context.WithTimeoutCause(s.ctx, limit+silence, errSilent(limit+silence))
	if _, speech := s.model.kind.(whisperType); speech {
		return ctx, func(worker.Piece) {}, cancel
	}
	ctx, giveUp := context.WithCancelCause(ctx)
	timer := time.AfterFunc(silence, func() {
		giveUp(fmt.Errorf("the device gave no token for %v, or did not end when it was told to", silence))
	})
	heard = func(worker.Piece) {
		if wanted.Err() == nil {
			timer.Reset(silence)
		}
	}
	return ctx, heard, func() {
		timer.Stop()
		giveUp(nil)
		cancel()
	}
}
