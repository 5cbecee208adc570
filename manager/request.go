package manager

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"hailo-depth/device"
	"hailo-depth/schedule"
	"hailo-depth/tensor"
)

// request is what somebody wants of the device.
type request struct {
	action string // load, infer, unload, pin, unpin
	model  device.Model
	bytes  int64 // of the input
}

// outcome is how it went, for figures and the log.
type outcome struct {
	request
	terms device.Terms
	queue time.Duration
	load  time.Duration // of the model, before it ran
	run   time.Duration
	err   error
}

// do queues fn on the terms of ctx and accounts for its outcome. fn returns how
// long it spent on loading; what it writes may be read only when do has returned
// nil: a caller that left early must not look.
func (m *Manager) do(ctx context.Context, q request, fn func(context.Context) (load time.Duration, err error)) error {
	return m.doEarly(ctx, q, nil, fn)
}

// doEarly is do for what queue.askEarly is for; prepare may be nil.
func (m *Manager) doEarly(ctx context.Context, q request, prepare func(), fn func(context.Context) (load time.Duration, err error)) error {
	terms := device.TermsOf(ctx)
	if err := terms.Check(); err != nil {
		m.account(ctx, outcome{request: q, terms: terms, err: err})
		return err
	}
	life, end := m.lifeOf(q)
	defer end() // at once when the caller leaves
	var load, used time.Duration
	var failure error
	job := schedule.Job{Model: key{q.model.Type, q.model.Path}.String(), Client: terms.Client, Priority: terms.Priority, Bytes: q.bytes}
	waited, err := m.queue.askEarly(ctx, q.action, job, prepare, func() {
		began := time.Now()
		load, failure = fn(life)
		used = time.Since(began)
		m.metrics.used(terms.Client, used)
	})
	o := outcome{request: q, terms: terms, err: err}
	if err == nil {
		o.queue, o.load, o.run, o.err = waited, load, used-load, failure
		m.metrics.waited(terms.Priority, waited)
	}
	m.account(ctx, o)
	return o.err
}

// account counts a request and leaves a line in the log.
func (m *Manager) account(ctx context.Context, o outcome) {
	m.metrics.request(o)
	m.options.Log.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "request", o.attributes()...)
}

// lifeOf is the context of the operation itself, which goes on when its caller
// has left, unless the model's type is configured to be killed then.
func (m *Manager) lifeOf(q request) (life context.Context, end context.CancelFunc) {
	if q.action != "infer" || !slices.Contains(m.runtime.tuned.Load().limits.KillAbandoned, q.model.Type) {
		return m.life, func() {}
	}
	life, kill := context.WithCancelCause(m.life)
	return life, func() { kill(errAbandoned) }
}

var errAbandoned = &device.Error{Kind: device.KindCanceled, Reason: device.ReasonCancelled, Message: "whoever asked for it has left"}

// attributes are one line of the log.
func (o outcome) attributes() []slog.Attr {
	word := "ok"
	if o.err != nil {
		word = string(device.ReasonOf(o.err))
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	list := []slog.Attr{
		slog.String("action", o.action), slog.String("model", modelName(o.model.Path)), slog.String("type", o.model.Type),
		slog.String("client", o.terms.Client), slog.Int("priority", o.terms.Priority), slog.String("outcome", word),
		slog.Float64("queue_ms", ms(o.queue)), slog.Float64("load_ms", ms(o.load)), slog.Float64("run_ms", ms(o.run)),
	}
	if o.err != nil {
		list = append(list, slog.String("error", o.err.Error()))
	}
	return list
}

// inputBytes is what an input holds in memory while it waits.
func inputBytes(in device.Input) (n int64) {
	for _, t := range []*tensor.Tensor{in.Input, in.Tensor, in.Image, in.Audio} {
		if t != nil {
			n += int64(len(t.Data))
		}
	}
	for _, list := range [][]tensor.Tensor{in.Crops, in.Frames} {
		for i := range list {
			n += int64(len(list[i].Data))
		}
	}
	for _, m := range in.Messages {
		n += int64(len(m))
	}
	return n + int64(len(in.Prompt))
}
