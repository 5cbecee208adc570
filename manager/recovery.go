package manager

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hailo-depth/device"
	"hailo-depth/worker"
)

// The contract: three attempts to reopen the device, 250 ms apart.
const (
	reopenAttempts = 3
	reopenPause    = 250 * time.Millisecond
)

// ensure sees to it that a worker runs, starting one where needed.
func (r *runtime) ensure(ctx context.Context) error {
	if r.worker != nil && r.worker.Err() == nil {
		return nil
	}
	if r.worker != nil {
		r.lost(r.worker.Err())
	}
	var err error
	for attempt := range reopenAttempts {
		if attempt > 0 {
			select {
			case <-time.After(reopenPause):
			case <-ctx.Done():
				return errStopping
			}
		}
		if r.worker, err = r.open(ctx); err == nil {
			r.broken = ""
			r.publish()
			r.born(r.worker)
			r.log.Info("device opened", "device", r.worker.Identity().DeviceID, "backend", r.worker.Identity().Backend,
				"architecture", r.worker.Identity().Architecture, "firmware", r.worker.Identity().Firmware)
			return nil
		}
		r.log.Error("opening the device failed", "attempt", attempt+1, "of", reopenAttempts, "error", err)
	}
	r.worker = nil
	r.broken = err.Error()
	r.publish()
	return unavailable(err)
}

func (r *runtime) open(ctx context.Context) (Worker, error) {
	ctx, cancel := context.WithTimeout(ctx, r.limits.StartTimeout)
	defer cancel()
	w, err := r.start(ctx)
	if err != nil {
		return nil, err // not w: a nil pointer in it would not be a nil Worker
	}
	return w, nil
}

func unavailable(err error) error {
	return &device.Error{Kind: device.KindUnavailable, RetryAfter: 2 * time.Second,
		Message: fmt.Sprintf("the device cannot be used: %v", err)}
}

// lost forgets a worker that is gone, and with it every model; they are loaded
// again when they are next used.
func (r *runtime) lost(why error) {
	if r.worker == nil {
		return
	}
	r.log.Error("the worker is gone; models will be loaded again when next used", "models", len(r.models), "cause", why)
	r.metrics.restarted("died")
	r.forget()
}

func (r *runtime) forget() {
	r.worker = nil
	for k, m := range r.models {
		for _, n := range m.networks {
			r.release(n)
		}
		delete(r.models, k)
	}
	r.publish()
}

// brokenBy records that the device was lost again right after it was reopened.
func (r *runtime) brokenBy(failure *worker.Error) {
	r.broken = failure.Message
	r.publish()
}

// reset closes the worker in good order; ensure starts the next one.
func (r *runtime) reset(ctx context.Context, why string) {
	if r.worker == nil {
		return
	}
	r.log.Warn("resetting the device's runtime", "cause", why)
	r.metrics.restarted("reset")
	r.close(ctx)
}

func (r *runtime) close(ctx context.Context) {
	if r.worker == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.limits.CloseTimeout)
	defer cancel()
	r.worker.Close(ctx)
	r.forget()
}

// asDeviceError gives a worker's error its meaning for clients.
func (r *runtime) asDeviceError(e *worker.Error) error {
	kinds := map[worker.Kind]device.Kind{
		worker.KindInvalid:     device.KindInvalid,
		worker.KindModel:       device.KindModel,
		worker.KindUnsupported: device.KindUnsupported,
		worker.KindMemoryFull:  device.KindMemoryFull,
		worker.KindBusy:        device.KindUnavailable,
		worker.KindTimeout:     device.KindTimeout,
		worker.KindLost:        device.KindUnavailable,
	}
	kind, ok := kinds[e.Kind]
	if !ok {
		kind = device.KindInternal
	}
	d := &device.Error{Kind: kind, Status: e.Status, Message: e.Message}
	if kind == device.KindUnavailable {
		d.RetryAfter = time.Second
	}
	return d
}

// asLoadError words an error as existing clients expect it of a load. Capacity
// errors have always come without the prefix.
func asLoadError(err error) error {
	return prefixed("Failed to load model: ", err, device.KindMemoryFull)
}

func asInferError(err error) error { return prefixed("Inference failed: ", err, "") }

func prefixed(prefix string, err error, except device.Kind) error {
	d, ok := errors.AsType[*device.Error](err)
	if !ok {
		return &device.Error{Kind: device.KindInternal, Message: prefix + err.Error()}
	}
	if d.Kind == except {
		return d
	}
	worded := *d
	worded.Message = prefix + d.Message
	return &worded
}
