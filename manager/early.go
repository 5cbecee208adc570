package manager

import (
	"context"
	"errors"
	"slices"
	"time"

	"hailo-depth/device"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// early is an inference that the worker got while the one before it was running,
// so that the device need not wait for the way between manager and worker. It
// saves the job that sent it the sending, nothing else: when that job has the
// device it does all that it would have done, and only takes this answer instead
// of asking for it. What was sent to a model that is no longer there is forgotten.
type early struct {
	worker  Worker
	model   *model
	part    string
	pending worker.Pending // nil: it was taken
}

// take returns what was sent to a part of m, once; nil: nothing was.
func (e *early) take(m *model, part string) worker.Pending {
	if e == nil || e.model != m || e.part != part {
		return nil
	}
	pending := e.pending
	e.pending = nil
	return pending
}

// drop gives up what was not taken.
func (e *early) drop() {
	if e != nil && e.pending != nil {
		e.pending.Drop()
	}
}

// preparable reports whether inferences of a model can be sent early: those that
// run one network on tensors. One that is to be killed when its caller leaves is
// not: its worker would have to die for it while it waits.
func (m *Manager) preparable(model device.Model) bool {
	switch model.Type {
	case "depth", "pose", "clip":
		return !slices.Contains(m.runtime.tuned.Load().limits.KillAbandoned, model.Type)
	}
	return false
}

// sendEarly sends an inference to the worker while another runs; nil: it was not
// sent, and the usual way will say why. It looks only at what is published.
func (r *runtime) sendEarly(ctx context.Context, m device.Model, in device.Input) *early {
	v := r.view.Load()
	for _, s := range v.models {
		if s.key != keyOf(m) {
			continue
		}
		use := &preparation{ctx: ctx, networks: s.networks, limit: r.inferLimit(m, in)}
		if _, err := s.of.kind.infer(in, s.of.params, use); !errors.Is(err, errSent) {
			return nil
		}
		return &early{worker: v.worker, model: s.of, part: use.part, pending: use.pending}
	}
	return nil
}

// diedOf reports whether the worker died while it had what was sent, after the
// inference before that had ended: that counts as the first try.
func (r *runtime) diedOf(sent *early, m device.Model) bool {
	if sent == nil || r.worker == nil || r.worker != sent.worker || r.worker.Err() == nil {
		return false
	}
	r.again(m, r.worker.Err())
	return true
}

// errSent ends an inference that was sent and has no answer yet.
var errSent = errors.New("the inference was sent")

// preparation is the networks of a type that sends early.
type preparation struct {
	ctx      context.Context
	networks map[string]Network
	limit    time.Duration
	part     string
	pending  worker.Pending
}

func (p *preparation) signature(part string) (worker.Signature, bool) {
	n, ok := p.networks[part]
	if !ok {
		return worker.Signature{}, false
	}
	return n.Signature(), true
}

func (p *preparation) run(part string, inputs []tensor.Tensor) (_ []worker.Output, err error) {
	p.part = part
	if p.pending, err = p.networks[part].Send(p.ctx, p.limit, inputs); err != nil {
		return nil, err
	}
	return nil, errSent
}

func (p *preparation) generate(string, worker.Generation) (worker.Generated, error) {
	return worker.Generated{}, badInput("a generation cannot be sent early")
}
