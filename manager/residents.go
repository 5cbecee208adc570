package manager

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"hailo-depth/device"
	"hailo-depth/residency"
	"hailo-depth/tensor"
)

// pin keeps m on the device, loading it first where needed.
func (r *runtime) pin(ctx context.Context, m device.Model) error {
	if _, _, err := r.loadedModel(ctx, m); err != nil {
		return err
	}
	r.pins[key{m.Type, m.Path}] = pin{model: m}
	r.publish()
	return nil
}

func (r *runtime) unpin(k key) {
	delete(r.pins, k)
	r.publish()
}

// adopt takes over the pins of new settings; those of requests stay.
func (r *runtime) adopt() {
	maps.DeleteFunc(r.pins, func(_ key, p pin) bool { return p.configured })
	for _, w := range r.tuned.Load().settings.Models {
		if w.Pinned {
			r.pins[key{w.Model.Type, w.Model.Path}] = pin{model: w.Model, configured: true}
		}
	}
	r.publish()
}

// prepare loads a model that the operator wants and, where asked, warms it up.
func (r *runtime) prepare(ctx context.Context, w Wanted, warmUp bool) error {
	m, _, err := r.loadedModel(ctx, w.Model)
	if err != nil || !warmUp {
		return err
	}
	began := time.Now()
	if err := r.warmUp(ctx, m); err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	r.log.Info("model warmed up", "model", m.label(), "seconds", time.Since(began).Seconds())
	return nil
}

// warmUp runs the model's networks once on zeros, so that what a library does at
// the first inference is done. Its time counts nowhere. Networks without tensors
// are left out.
func (r *runtime) warmUp(ctx context.Context, m *model) error {
	use := &session{ctx: ctx, asker: ctx, runtime: r, model: m, limit: r.tuned.Load().inferLimit(m.key.modelType)}
	for _, name := range slices.Sorted(maps.Keys(m.networks)) {
		var zeros []tensor.Tensor
		for _, info := range m.networks[name].Signature().Inputs {
			n, err := info.Shape.Elements()
			if err != nil {
				return err
			}
			zeros = append(zeros, tensor.Tensor{DType: info.DType, Shape: info.Shape, Data: make([]byte, n*info.DType.Size())})
		}
		if len(zeros) == 0 {
			continue
		}
		if _, err := use.run(name, zeros); err != nil {
			return err
		}
	}
	return nil
}

// expire unloads a model whose time has come; it looks again, since the model
// may have been used or pinned since somebody looked.
func (r *runtime) expire(ctx context.Context, k key) {
	m, ok := r.models[k]
	if !ok {
		return
	}
	now := time.Now()
	at, ok := residency.Expires(r.resident(m, now), r.tuned.Load().keepAlive(k))
	if !ok || at.After(now) {
		return
	}
	r.log.Info("model unloaded: it was not used for its keep_alive", "model", m.label(), "last_used", m.lastUsed)
	r.remove(ctx, m)
	r.metrics.unloaded(k, unloadedExpired)
}

// endUnfinished replaces a worker whose library has kept the buffers of an
// inference for longer than limit after its time was up: it will keep them.
func (r *runtime) endUnfinished(ctx context.Context, limit time.Duration) {
	if r.worker == nil || r.worker.Err() != nil {
		return
	}
	ask, cancel := context.WithTimeout(ctx, measureTimeout)
	s, err := r.worker.Statistics(ask)
	cancel()
	if err != nil || s.OldestUnfinishedMS <= limit.Milliseconds() {
		return // it has ended after all
	}
	r.end(fmt.Errorf("%d jobs of the library do not end, the oldest for %v", s.UnfinishedJobs,
		time.Duration(s.OldestUnfinishedMS)*time.Millisecond), restartUnfinished)
	_ = r.ensure(ctx) // logs its failures and leaves them in the view
}
