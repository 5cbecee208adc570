package depth

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/catalog"
	"hailo-depth/device"
	"hailo-depth/tensor"
)

// State is what the service knows of its model and its device.
type State struct {
	Model  *catalog.Model // nil until the device is known
	Loaded bool
	Reason string // why no estimate is possible; empty when one is
	// Final: waiting will not help; the model is not there or cannot be loaded.
	Final  bool
	Device *device.Status // as last seen; nil while the manager is away
}

// ModelLoading is the Reason while the model is being loaded.
const ModelLoading = "model_loading"

// keeper watches the device manager and keeps the model loaded, or unloads it
// when it idles. Its loop (run) is the only one that changes the state.
type keeper struct {
	service   device.Service
	catalog   catalog.Catalog
	name      string        // of the model; empty: the device's default
	keepAlive time.Duration // negative: for ever; 0: unload after each request
	log       *slog.Logger

	state   atomic.Pointer[State]
	kick    chan struct{}
	active  atomic.Int64
	lastUse atomic.Int64 // Unix nanoseconds
	turned  atomic.Int64 // when the loop last turned, likewise

	uptime    time.Duration // of the manager, when last seen: a smaller one means that it was restarted
	preloaded bool          // the model was loaded since the manager came up
}

const (
	probeEvery   = time.Second
	probeTimeout = 2 * time.Second
)

func newKeeper(o Options) *keeper {
	k := &keeper{service: o.Device, catalog: o.Catalog, name: o.Model, keepAlive: o.KeepAlive, log: o.Log, kick: make(chan struct{}, 1)}
	k.state.Store(&State{Reason: "connecting to the device manager"})
	k.lastUse.Store(time.Now().UnixNano())
	return k
}

// run watches until ctx ends.
func (k *keeper) run(ctx context.Context) {
	terms := device.DefaultTerms()
	terms.Client = "hailo-depth"
	ctx = device.WithTerms(ctx, terms)
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		k.turned.Store(time.Now().UnixNano())
		k.step(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-k.kick:
		}
	}
}

// stuckAfter is more than a turn of the loop takes, loading a model apart.
const stuckAfter = 10 * time.Second

func (k *keeper) alive() bool {
	return k.state.Load().Reason == ModelLoading || time.Since(time.Unix(0, k.turned.Load())) < stuckAfter
}

// look has the loop look at the manager soon.
func (k *keeper) look() {
	select {
	case k.kick <- struct{}{}:
	default: // it is about to
	}
}

func (k *keeper) begin() { k.active.Add(1) }

func (k *keeper) end() {
	k.lastUse.Store(time.Now().UnixNano())
	if k.active.Add(-1) == 0 && k.keepAlive == 0 {
		k.look()
	}
}

// ready returns the model to use, or why there is none. That the model is not
// loaded is no reason to refuse: the inference loads it.
func (k *keeper) ready() (readyModel, error) {
	s := k.state.Load()
	if s.Model == nil {
		return readyModel{}, &device.Error{Kind: device.KindUnavailable, RetryAfter: probeTimeout, Message: "no estimate is possible: " + s.Reason}
	}
	return readyModel{*s.Model}, nil
}

// readyModel is a catalog.Model as the device manager knows it.
type readyModel struct{ catalog.Model }

const modelType = "depth"

func (m readyModel) device() device.Model {
	d := device.Model{Type: modelType, Path: m.Path}
	if m.Input.Name != "" && filepath.Ext(m.Path) == ".onnx" {
		shapes := map[string]map[string]tensor.Shape{"input_shapes": {m.Input.Name: inputShape(m.Input)}}
		if params, err := json.Marshal(shapes); err == nil { // maps of ints: it cannot fail
			d.Params = jsontext.Value(params)
		}
	}
	return d
}

// step looks at the manager once and does what follows.
func (k *keeper) step(ctx context.Context) {
	before := k.state.Load()
	s := k.next(ctx, *before)
	if ctx.Err() != nil {
		return
	}
	k.state.Store(&s)
	switch {
	case s.Reason == before.Reason:
	case s.Reason == "":
		k.log.Info("ready", "model", s.Model.Name, "device", s.Device.DeviceID, "architecture", s.Device.Architecture)
	default:
		k.log.Warn("not ready", "reason", s.Reason)
	}
}

// next works out the state after before.
func (k *keeper) next(ctx context.Context, before State) State {
	probe, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	status, err := k.service.Status(probe)
	if err != nil {
		k.preloaded = false
		return State{Model: before.Model, Reason: err.Error()}
	}
	if status.Uptime < k.uptime {
		k.preloaded = false
	}
	k.uptime = status.Uptime
	s := State{Model: before.Model, Device: &status}
	switch {
	case status.RuntimeBroken != "":
		s.Reason = "the device cannot be used: " + status.RuntimeBroken
		return s
	case status.Architecture == "":
		s.Reason = "the device is being opened"
		return s
	}
	if s.Model == nil || catalog.Extension(status.Architecture) != filepath.Ext(s.Model.Path) {
		name := k.name
		if name == "" {
			name = catalog.Default(status.Architecture)
		}
		found, err := k.catalog.Find(name, status.Architecture)
		if err != nil {
			s.Model, s.Reason, s.Final = nil, err.Error(), true
			return s
		}
		s.Model, k.preloaded = &found, false
	}
	model := readyModel{*s.Model}.device()
	s.Loaded = isLoaded(status, model)
	switch idle := time.Since(time.Unix(0, k.lastUse.Load())); {
	case k.keepAlive != 0 && !k.preloaded:
		return k.preload(ctx, s, model)
	case s.Loaded && k.keepAlive >= 0 && k.active.Load() == 0 && idle >= k.keepAlive:
		if _, err := k.service.Unload(ctx, model); err != nil {
			k.log.Warn("unloading the idle model", "error", err)
		} else {
			s.Loaded = false
			k.log.Info("model unloaded", "model", s.Model.Name, "idle", idle.Round(time.Second))
		}
	}
	return s
}

// preload loads the model when the manager has come up, so that the first
// request need not wait for it.
func (k *keeper) preload(ctx context.Context, s State, model device.Model) State {
	loading := s
	loading.Reason = ModelLoading
	k.state.Store(&loading)
	if _, err := k.service.Load(ctx, model); err != nil {
		s.Reason = fmt.Sprintf("model %s: %v", s.Model.Name, err)
		kind := device.KindOf(err)
		s.Final = kind == device.KindModel || kind == device.KindNotFound || kind == device.KindUnsupported || kind == device.KindInvalid
		return s
	}
	k.preloaded, s.Loaded = true, true
	k.lastUse.Store(time.Now().UnixNano())
	return s
}

func isLoaded(s device.Status, m device.Model) bool {
	for _, l := range s.Models {
		if l.Type == m.Type && l.Path == m.Path {
			return true
		}
	}
	return false
}
