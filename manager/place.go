package manager

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hailo-depth/device"
	"hailo-depth/sizes"
	"hailo-depth/worker"
)

// tries counts what one request has already been helped with, so that each
// remedy is tried a bounded number of times.
type tries struct {
	full      int  // loads that failed for want of memory
	predicted int  // rounds of eviction before a load was tried
	reset     bool // because memory was full with nothing left to evict
	renewed   bool // a lost device was opened again, for a load
	again     bool // the inference ran again, after the device or its worker was lost
	reloaded  bool // an aborted model was loaded again
	transient int
}

const (
	// mostTransient is how often a passing failure is tried again, after pauses
	// that double from leastTransient.
	mostTransient  = 5
	leastTransient = 20 * time.Millisecond
)

// pass waits out a transient failure; false: it did not pass.
func (t *tries) pass(ctx context.Context) bool {
	if t.transient >= mostTransient {
		return false
	}
	pause := leastTransient << t.transient
	t.transient++
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}

// remedy does what may help after an inference failed; false: it is not to run
// again. A generation never is: it may have run for minutes, and whoever asked
// may ask again.
func (r *runtime) remedy(ctx context.Context, m *model, failure *worker.Error, tried *tries) bool {
	switch failure.Kind {
	case worker.KindLost:
		if r.worker == nil {
			return false // the worker died of it, which retries looks after
		}
		r.reset(ctx, failure.Message, restartLost) // the device was lost, not the worker
		switch {
		case tried.again:
			r.brokenBy(failure)
		case idempotent(m.key.modelType):
			r.metrics.retried(m.key.modelType, "device_lost")
			tried.again = true
			return true
		}
	case worker.KindAborted:
		if r.worker == nil {
			return false
		}
		r.log.Warn("the model was shut down; it is loaded again when used", "model", m.label(), "cause", failure.Message)
		r.remove(ctx, m)
		if idempotent(m.key.modelType) && !tried.reloaded {
			tried.reloaded = true
			return true
		}
	case worker.KindTransient:
		return idempotent(m.key.modelType) && tried.pass(ctx)
	}
	return false
}

// place loads the model's networks, making room and renewing the device as needed.
func (r *runtime) place(ctx context.Context, m *model, parts []part) error {
	var tried tries
	for {
		if err := r.evictRivals(ctx, m); err != nil {
			return err
		}
		if err := r.ensure(ctx); err != nil {
			return err
		}
		identity := r.identity(m, parts)
		known, _ := r.book.Find(identity) // none: 0 bytes
		if tried.full == 0 && tried.predicted == 0 && r.makeRoom(ctx, m, known.Bytes) {
			tried.predicted = 1
			if r.worker == nil {
				continue // it died while it unloaded
			}
		}
		err := r.loadParts(ctx, m, parts)
		if err == nil {
			if identity != "" {
				if err := r.book.Record(identity, m.key.String(), sizes.Measured{Bytes: m.memory, LoadTime: m.loadTook}); err != nil {
					r.log.Warn("the size of a model was not recorded", "model", m.label(), "error", err)
				}
			}
			return nil
		}
		failure, ok := errors.AsType[*worker.Error](err)
		if !ok {
			return err
		}
		if err := r.replace(ctx, m, known.Bytes, failure, &tried); err != nil {
			return err
		}
	}
}

// replace does what may help after a load failed; its error ends the request.
func (r *runtime) replace(ctx context.Context, m *model, need int64, failure *worker.Error, tried *tries) error {
	switch {
	case failure.NeverFits():
		r.capacity(m, fmt.Sprintf("RESOURCE_EXHAUSTED while loading %s; it is larger than the device's memory", m.label()), m.key.path)
		return &device.Error{Kind: device.KindMemoryFull, Status: failure.Status, Message: "RESOURCE_EXHAUSTED and evicting other models would not help: " + failure.Message}
	case failure.Kind == worker.KindMemoryFull:
		tried.full++
		return r.full(ctx, m, max(need, failure.NeededBytes), failure, tried)
	case failure.Kind == worker.KindLost && r.worker != nil:
		r.reset(ctx, failure.Message, restartLost) // the device was lost, not the worker
		if tried.renewed {
			r.brokenBy(failure)
			return r.asDeviceError(failure)
		}
		tried.renewed = true
		return nil
	case failure.Kind == worker.KindAborted && !tried.reloaded && r.worker != nil:
		tried.reloaded = true
		return nil
	case failure.Kind == worker.KindTransient && tried.pass(ctx):
		return nil
	}
	return r.asDeviceError(failure)
}

// full makes room after a load failed for want of memory.
func (r *runtime) full(ctx context.Context, m *model, need int64, failure *worker.Error, tried *tries) error {
	limit := r.tuned.Load().limits.MaxEvictions
	others := r.candidates()
	fix := nextRemedy(tried.full, others, limit-tried.predicted, tried.reset)
	why := ""
	switch {
	case len(others) > 0 && fix.giveUp:
		why = fmt.Sprintf("the limit of evictions is reached (%d rounds)", limit)
	case r.hopeless(need) != "", fix.reset && len(r.models) > 0 && need <= 0:
		// The device is as full as it should be: what is left on it is pinned,
		// and a reset would only load that again.
		fix, why = remedy{giveUp: true}, "no models available to evict"
	case fix.giveUp:
		why = "no models available to evict"
	}
	if fix.giveUp {
		r.capacity(m, fmt.Sprintf("RESOURCE_EXHAUSTED while loading %s; %s", m.label(), why), m.key.path)
		return &device.Error{Kind: device.KindMemoryFull, Status: failure.Status,
			Message: "RESOURCE_EXHAUSTED and " + why + ": " + failure.Message + r.sizesText(need)}
	}
	if len(fix.evict) > 0 {
		r.evict(ctx, fix.evict, m, evictedFull, "RESOURCE_EXHAUSTED while loading ")
	}
	if fix.reset {
		tried.reset = true
		r.reset(ctx, "device memory is full and nothing is left to evict", restartMemory)
	}
	return nil
}

// evictRivals unloads what m cannot be loaded beside, whatever room there is.
func (r *runtime) evictRivals(ctx context.Context, m *model) error {
	var loaded []candidate
	for k := range r.models {
		loaded = append(loaded, candidate{key: k})
	}
	leave := rivals(m.key.modelType, loaded)
	for _, k := range leave {
		if _, pinned := r.pins[k]; pinned {
			return &device.Error{Kind: device.KindMemoryFull, Message: fmt.Sprintf(
				"RESOURCE_EXHAUSTED and no models available to evict: the device holds one vision-language model at a time, and %s is pinned", r.models[k].label())}
		}
	}
	if len(leave) > 0 {
		r.evict(ctx, leave, m, evictedGenerative, "the device holds one vision-language model at a time; made room for ")
	}
	return nil
}
