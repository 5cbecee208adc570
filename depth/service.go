package depth

import (
	"context"
	"log/slog"
	"time"

	"hailo-depth/catalog"
	"hailo-depth/device"
)

// Options are what an Estimator needs.
type Options struct {
	Device  device.Service
	Catalog catalog.Catalog
	Model   string // empty: the default of the device
	// KeepAlive is how long the model stays loaded without use: negative for
	// ever, 0 until the request is answered.
	KeepAlive time.Duration
	Limits    Limits
	Log       *slog.Logger
}

// New makes an Estimator; Run brings it to life.
func New(o Options) *Estimator {
	return &Estimator{device: o.Device, limits: o.Limits, gate: newGate(o.Limits), keeper: newKeeper(o)}
}

// Run watches the device manager, loads the model and reconnects, until ctx ends.
func (e *Estimator) Run(ctx context.Context) { e.keeper.run(ctx) }

// State is what is known of the model and the device.
func (e *Estimator) State() State { return *e.keeper.state.Load() }

// Alive reports whether the watching goes on, for a watchdog.
func (e *Estimator) Alive(context.Context) bool { return e.keeper.alive() }

// Done is the number of pictures estimated.
func (e *Estimator) Done() int64 { return e.done.Load() }

// LastError is the last failure that was not a caller's fault; empty if none was.
func (e *Estimator) LastError() string {
	if text := e.lastErr.Load(); text != nil {
		return *text
	}
	return ""
}

// Waiting is the number of requests that wait for a place.
func (e *Estimator) Waiting() int { return e.gate.waiting() }

// InService is the number of requests that have a place.
func (e *Estimator) InService() int { return e.gate.inside() }

// Models lists the models that the device could load.
func (e *Estimator) Models() ([]catalog.Model, error) {
	s := e.State()
	if s.Device == nil {
		if s.Model == nil {
			return nil, nil
		}
		return []catalog.Model{*s.Model}, nil
	}
	return e.keeper.catalog.List(s.Device.Architecture)
}

// AwaitReady waits until an estimate is possible. When ctx ends first, or
// waiting will not help, it says what is missing.
func (e *Estimator) AwaitReady(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		s := e.State()
		if s.Reason == "" {
			return nil
		}
		missing := &device.Error{Kind: device.KindUnavailable, Message: "no estimate is possible: " + s.Reason}
		if s.Final {
			return missing
		}
		e.keeper.look()
		select {
		case <-ctx.Done():
			return missing
		case <-tick.C:
		}
	}
}
