package manager

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"hailo-depth/device"
	"hailo-depth/worker"
)

// The contract: three attempts to reopen the device, 250 ms apart.
const (
	reopenAttempts = 3
	reopenPause    = 250 * time.Millisecond
)

// Why a worker was replaced; labels of metrics.
const (
	restartDied       = "died"       // by itself
	restartTimeout    = "timeout"    // it was silent for longer than an operation may take, and was killed
	restartAbandoned  = "abandoned"  // nobody wanted what it was at any more, and nothing else would end it
	restartLost       = "lost"       // it lives, but says that the device is lost
	restartMemory     = "memory"     // the device is full with nothing on it
	restartUnfinished = "unfinished" // a job of its library does not end
)

// admitted is the refusal of a device that the gate keeps requests from.
func (r *runtime) admitted() error {
	if s := r.gate.shut; s != nil && !r.probing {
		return s.refusal(time.Now())
	}
	return nil
}

// barredNow is the refusal of a model that is barred, or nil.
func barredNow(barred map[key]*shut, k key) error {
	if s, now := barred[k], time.Now(); s != nil && now.Before(s.until) {
		return s.refusal(now)
	}
	return nil
}

// ensure sees to it that a worker runs, starting one where needed.
func (r *runtime) ensure(ctx context.Context) error {
	if err := r.admitted(); err != nil {
		return err
	}
	if r.worker != nil && r.worker.Err() == nil {
		return nil
	}
	if r.worker != nil {
		r.lost(r.worker.Err(), restartDied)
		if err := r.admitted(); err != nil {
			return err
		}
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
			r.opened(ctx)
			return nil
		}
		r.log.Error("opening the device failed", "attempt", attempt+1, "of", reopenAttempts, "error", err)
		if cause := closes(err); cause != "" {
			return r.unusable(cause, err)
		}
	}
	r.worker = nil
	r.broken = err.Error() + r.explained()
	r.publish()
	return unavailable(r.broken)
}

func (r *runtime) open(ctx context.Context) (Worker, error) {
	ctx, cancel := context.WithTimeout(ctx, r.tuned.Load().limits.StartTimeout)
	defer cancel()
	w, err := r.start(ctx)
	if err != nil {
		return nil, err // not w: a nil pointer in it would not be a nil Worker
	}
	return w, nil
}

// opened takes the new worker into use.
func (r *runtime) opened(ctx context.Context) {
	r.broken, r.openedAt = "", time.Now()
	r.mute.Store(false)
	r.measure(ctx) // the device at its emptiest
	r.metrics.heldBy("")
	r.publish()
	r.born(r.worker)
	id := r.worker.Identity()
	r.log.Info("device opened", "device", id.DeviceID, "backend", id.Backend, "architecture", id.Architecture, "firmware", id.Firmware)
}

// closes is the cause for which a failure to open the device closes the gate;
// empty: it is worth another try.
func closes(err error) string {
	switch worker.KindOf(err) {
	case worker.KindHeld:
		return causeHeld
	case worker.KindVersion:
		return causeVersion
	}
	return ""
}

// unusable closes the gate, naming what is in the way.
func (r *runtime) unusable(cause string, err error) error {
	why := err.Error()
	switch cause {
	case causeHeld:
		who, command := whoHolds(r.root)
		r.metrics.heldBy(command)
		why = who + " (" + why + ")"
	case causeVersion:
		if text := r.explained(); text != "" {
			why += text
		} else {
			why += driverVersion(r.root)
		}
	}
	r.worker, r.broken = nil, why
	r.gate.close(time.Now(), r.tuned.Load().limits, cause, why)
	r.publish()
	r.log.Error("the device cannot be used", "cause", why, "next_try", r.gate.shut.pause)
	return r.gate.shut.refusal(time.Now())
}

// explained is what is wrong with the machine, to be added to why the device
// cannot be opened.
func (r *runtime) explained() string {
	if r.explain == nil {
		return ""
	}
	if text := r.explain(); text != "" {
		return "; " + text
	}
	return ""
}

func unavailable(why string) error {
	return &device.Error{Kind: device.KindUnavailable, RetryAfter: 2 * time.Second,
		Message: "the device cannot be used: " + why}
}

// end kills the worker, which nothing else can stop.
func (r *runtime) end(why error, reason string) {
	r.worker.Kill()
	<-r.worker.Done()
	r.lost(why, reason)
}

// lost forgets a worker that is gone, and with it every model; they are loaded
// again when they are next used.
func (r *runtime) lost(why error, reason string) {
	if r.worker == nil {
		return
	}
	r.log.Error("the worker is gone; models will be loaded again when next used", "models", len(r.models), "cause", why)
	r.count(reason, why.Error())
	r.forget()
}

// count takes the loss of a worker into account; many close the gate.
func (r *runtime) count(reason, why string) {
	r.restarts++
	r.metrics.restarted(reason)
	if reason == restartMemory || reason == restartAbandoned {
		return // it worked, and was given up
	}
	before := r.gate.shut
	r.gate.died(time.Now(), r.tuned.Load().limits, why)
	if s := r.gate.shut; s != before {
		r.broken = s.why
		r.log.Error("no more requests are fed to the device", "cause", s.why, "probe_after", s.pause)
	}
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
func (r *runtime) reset(ctx context.Context, why, reason string) {
	if r.worker == nil {
		return
	}
	r.log.Warn("resetting the device's runtime", "cause", why)
	r.count(reason, why)
	r.close(ctx)
}

func (r *runtime) close(ctx context.Context) {
	if r.worker == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.tuned.Load().limits.CloseTimeout)
	defer cancel()
	r.worker.Close(ctx)
	r.forget()
}

// probe tries a device that the gate keeps requests from, and opens the gate
// when it works: the worker starts, and where workers had died, the model that
// was last asked for can be loaded and run.
func (r *runtime) probe(ctx context.Context) {
	if r.gate.shut == nil {
		return
	}
	r.probing = true
	defer func() { r.probing = false }()
	before := r.gate.shut
	err := r.ensure(ctx)
	if err == nil && before.cause == causeDeaths && r.last.Path != "" {
		err = r.tryModels(ctx)
	}
	switch {
	case r.gate.shut != before: // ensure has found what is in the way, and waits longer
	case err != nil && before.cause == causeDeaths:
		r.gate.close(time.Now(), r.tuned.Load().limits, causeDeaths, "the probe failed as well: "+err.Error())
		r.broken = r.gate.shut.why
		r.log.Error("the device is still not usable", "cause", err, "next_try", r.gate.shut.pause)
	default: // it works, or fails in a way that the next request may try
		r.gate.open()
		if err == nil {
			r.broken = ""
		}
		r.publish()
		r.log.Info("requests are let in again")
		return
	}
	r.publish()
}

// tryModels tries the model that was last asked for. When that fails while the
// last model that served well still does, the device is not to blame: the one
// that fails is barred instead, so that it cannot take the device from the others.
func (r *runtime) tryModels(ctx context.Context) error {
	suspect, proven := r.last, r.proven
	err := r.try(ctx, suspect)
	if err == nil || proven.Path == "" || keyOf(proven) == keyOf(suspect) {
		return err
	}
	if r.ensure(ctx) != nil || r.try(ctx, proven) != nil {
		return err
	}
	r.bar(keyOf(suspect), err)
	return nil
}

// try loads and runs a model. An error is one of the device's: that the model
// cannot be loaded is none.
func (r *runtime) try(ctx context.Context, model device.Model) error {
	m, _, err := r.loadedModel(ctx, model)
	if err == nil {
		err = r.warmUp(ctx, m)
	}
	if r.worker == nil || r.worker.Err() != nil {
		return errors.Join(err, errors.New("the worker was lost"))
	}
	if k := device.KindOf(err); err != nil && (k == device.KindUnavailable || worker.KindOf(err) == worker.KindLost || worker.KindOf(err) == worker.KindTimeout) {
		return err
	}
	return nil
}

// bar refuses requests for a model that costs workers their lives; each time for
// longer. It is let in again after a while, and forgiven when it serves.
func (r *runtime) bar(k key, why error) {
	l := r.tuned.Load().limits
	now := time.Now()
	maps.DeleteFunc(r.barred, func(_ key, s *shut) bool { return now.Sub(s.until) > l.DeathWindow })
	g := gate{shut: r.barred[k]}
	g.close(now, l, causeDeaths, fmt.Sprintf("%s costs the worker its life, while other models are served: %v", modelName(k.path), why))
	r.barred[k] = g.shut
	r.log.Error("a model is barred: it costs the worker its life", "model", k.String(), "cause", why, "for", g.shut.pause)
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
		worker.KindHeld:        device.KindUnavailable,
		worker.KindVersion:     device.KindUnavailable,
		worker.KindAborted:     device.KindUnavailable,
		worker.KindTransient:   device.KindUnavailable,
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
