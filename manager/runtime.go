package manager

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"hailo-depth/device"
	"hailo-depth/sizes"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// Worker is the process that owns the device, as the manager uses it.
type Worker interface {
	Identity() worker.Identity
	Statistics(ctx context.Context) (worker.Statistics, error)
	Load(ctx context.Context, spec worker.LoadSpec) (Network, error)
	Close(ctx context.Context)
	Kill()
	Done() <-chan struct{}
	Err() error
}

// Network is a network loaded into a Worker.
type Network interface {
	Signature() worker.Signature
	Infer(ctx context.Context, timeout time.Duration, inputs []tensor.Tensor) ([]worker.Output, time.Duration, error)
	// Send may be called by a job that does not hold the device, at any time.
	Send(ctx context.Context, timeout time.Duration, inputs []tensor.Tensor) (worker.Pending, error)
	Generate(ctx context.Context, cancelled <-chan struct{}, timeout time.Duration, g worker.Generation, onPiece func(worker.Piece)) (worker.Generated, time.Duration, error)
	Unload(ctx context.Context) error
	Release() error
}

// key is what a model is known by.
type key struct{ modelType, path string }

func keyOf(m device.Model) key { return key{m.Type, m.Path} }

func (k key) String() string { return k.modelType + ":" + k.path }

// model is a loaded model.
type model struct {
	key                key
	kind               modelType
	params             params
	networks           map[string]Network
	loadedAt, lastUsed time.Time
	order              int // of loading
	memory             int64
	tensors            device.Signature
	loadTook           time.Duration // the networks' own loading, without making room
	drift              drift         // of inferences since it was loaded
}

// runtime is the device and what is loaded on it. Only the job that holds the
// device (queue.ask) calls its methods, sendEarly apart; what others may see of it
// is published in view.
type runtime struct {
	start   func(context.Context) (Worker, error)
	root    string        // of /proc, /sys and /dev, "/" but in tests
	explain func() string // may be nil
	book    *sizes.Book
	log     *slog.Logger
	metrics *metrics
	born    func(Worker) // told of every new worker

	worker        Worker // nil: none
	openedAt      time.Time
	respawnDelay  time.Duration // before the next replacement of a worker that died young
	restarts      int
	models        map[key]*model
	pins          map[key]pin
	gate          gate
	probing       bool         // the gate's own probe is under way
	last          device.Model // that was asked for, which a probe tries
	proven        device.Model // that served last
	barred        map[key]*shut
	total         int64 // memory of the device
	baseline      int64 // of it, the least that was in use without a model
	knowsBaseline bool
	loads         int
	evictions     int
	broken        string
	event         device.CapacityEvent
	died          bool // the worker, during the present attempt

	// What others write or read.
	tuned   atomic.Pointer[tuned]
	mute    atomic.Bool // the worker does not tell its memory
	busy    busy
	active  atomic.Pointer[activity] // nil: none
	changed chan struct{}            // has room for one; see wake
	view    atomic.Pointer[view]
}

// pin keeps a model on the device.
type pin struct {
	model      device.Model
	configured bool // by the settings, not by a request
}

// view is an immutable picture of the runtime for status calls.
type view struct {
	worker    Worker
	openedAt  time.Time
	restarts  int
	identity  worker.Identity
	models    []shown
	pins      map[key]pin
	shut      *shut
	barred    map[key]*shut
	evictions int
	broken    string
	event     device.CapacityEvent
}

// shown is a loaded model as others see it.
type shown struct {
	key                key
	of                 *model             // whose kind and params never change
	networks           map[string]Network // never changed
	loadedAt, lastUsed time.Time
	memory             int64
	loadTook           time.Duration
	drift              drift
	tensors            device.Signature
	unservedUntil      time.Time // it is not used yet and does not expire before
}

// publish shows others what has changed.
func (r *runtime) publish() {
	v := r.show(maps.Clone(r.pins), maps.Clone(r.barred))
	r.metrics.resident(v.models)
	r.metrics.shut(r.gate.shut, v.barred)
	r.wake()
}

// show replaces the view. By itself it is enough after an inference, when only
// what concerns one model has changed: nobody needs waking, no gauge changes.
func (r *runtime) show(pins map[key]pin, barred map[key]*shut) *view {
	v := &view{worker: r.worker, openedAt: r.openedAt, restarts: r.restarts, pins: pins, barred: barred, shut: r.gate.shut, evictions: r.evictions, broken: r.broken, event: r.event}
	if r.worker != nil {
		v.identity = r.worker.Identity()
	}
	for _, m := range r.byAge() {
		s := shown{key: m.key, of: m, networks: m.networks, loadedAt: m.loadedAt, lastUsed: m.lastUsed, memory: m.memory, loadTook: m.loadTook, drift: m.drift, tensors: m.tensors}
		if m.drift.count == 0 {
			s.unservedUntil = m.loadedAt.Add(unservedGrace)
		}
		v.models = append(v.models, s)
	}
	r.view.Store(v)
	return v
}

// loaded lists the models for status calls.
func (v *view) loaded() []device.LoadedModel {
	var list []device.LoadedModel
	for _, s := range v.models {
		list = append(list, device.LoadedModel{Type: s.key.modelType, Path: s.key.path, LoadedAt: s.loadedAt, LastUsed: s.lastUsed, MemoryBytes: s.memory, Tensors: s.tensors})
	}
	return list
}

// wake has the keeper look at what is due.
func (r *runtime) wake() {
	select {
	case r.changed <- struct{}{}:
	default: // it will
	}
}

// byAge lists the models in the order in which they were loaded.
func (r *runtime) byAge() []*model {
	return slices.SortedFunc(maps.Values(r.models), func(a, b *model) int { return a.order - b.order })
}

// loadedModel returns m loaded; already says that it was before.
func (r *runtime) loadedModel(ctx context.Context, m device.Model) (loaded *model, already bool, err error) {
	kind, ok := typeOf(m.Type)
	if !ok {
		return nil, false, badInput("Unsupported model_type: %s", m.Type)
	}
	if r.worker != nil && r.worker.Err() != nil {
		r.lost(r.worker.Err(), restartDied)
	}
	if err := r.admitted(); err != nil {
		return nil, false, err
	}
	if err := barredNow(r.barred, keyOf(m)); err != nil && !r.probing {
		return nil, false, err
	}
	k := key{m.Type, m.Path}
	if found, ok := r.models[k]; ok {
		return found, true, nil
	}
	p, err := parseParams(m.Params)
	if err != nil {
		return nil, false, badInput("%v", err)
	}
	parts, err := kind.parts(m, p)
	if err != nil {
		return nil, false, err
	}
	fresh := &model{key: k, kind: kind, params: p}
	began := time.Now()
	r.last = m
	r.active.Store(&activity{k, "load", began})
	err = r.place(ctx, fresh, parts)
	r.active.Store(nil)
	r.metrics.loaded(k, time.Since(began), err)
	if err != nil {
		return nil, false, err
	}
	r.loads++
	r.broken = ""
	now := time.Now()
	fresh.order, fresh.loadedAt, fresh.lastUsed = r.loads, now, now
	r.models[k] = fresh
	r.publish()
	r.log.Info("model loaded", "model", filepath.Base(k.path), "type", k.modelType, "seconds", time.Since(began).Seconds(), "bytes", fresh.memory)
	return fresh, false, nil
}

func (m *model) label() string {
	return fmt.Sprintf("%s (%s)", filepath.Base(m.key.path), m.key.modelType)
}

// loadParts loads every network of a model or none, and measures what they take.
func (r *runtime) loadParts(ctx context.Context, m *model, parts []part) error {
	m.networks, m.memory = map[string]Network{}, 0
	signatures := map[string]worker.Signature{}
	before, measured := r.measure(ctx)
	began := time.Now()
	err := func() error {
		for _, p := range parts {
			var n Network
			err := r.bounded(ctx, r.tuned.Load().loadLimit(m.key.modelType), func(ctx context.Context) (err error) {
				n, err = r.worker.Load(ctx, p.spec)
				return err
			})
			if err != nil {
				return err
			}
			m.networks[p.name] = n
			signatures[p.name] = n.Signature()
			m.memory += n.Signature().MemoryBytes
		}
		m.tensors = describe(parts, signatures)
		return m.kind.check(signatures)
	}()
	if err != nil {
		r.unloadNetworks(ctx, m)
		return err
	}
	m.loadTook = time.Since(began)
	if !measured {
		return nil
	}
	if after, ok := r.measure(ctx); ok {
		// The library's own figure is a floor: memory of another model that came
		// back in between makes the difference too small.
		m.memory = max(m.memory, after.MemoryUsedBytes-before.MemoryUsedBytes)
	}
	return nil
}

// bounded runs one call into the worker. One that does not come back in time,
// or before the manager stops, costs the worker its life: nothing else can free
// the device.
func (r *runtime) bounded(life context.Context, limit time.Duration, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(life, limit, errSilent(limit))
	defer cancel()
	return r.within(life, ctx, call)
}

func errSilent(limit time.Duration) error {
	return fmt.Errorf("the device did not answer within %v", limit)
}

// within runs one call into the worker, which costs its life when ctx, made from
// life, ends first.
func (r *runtime) within(life, ctx context.Context, call func(context.Context) error) error {
	r.busy.begin()
	err := call(ctx)
	r.busy.end()
	if err != nil && ctx.Err() != nil {
		reason := restartTimeout
		late := &worker.Error{Kind: worker.KindTimeout, Message: context.Cause(ctx).Error() + "; its worker was restarted"}
		if life.Err() != nil {
			reason = restartAbandoned
			late = &worker.Error{Kind: worker.KindLost, Message: context.Cause(life).Error()}
		}
		r.log.Error("ending an operation by killing the worker", "cause", late.Message)
		r.end(err, reason)
		return late
	}
	if err != nil && r.worker.Err() != nil {
		r.died = true
		r.lost(r.worker.Err(), restartDied)
	}
	return err
}

// candidates are the models that may go to make room.
func (r *runtime) candidates() []candidate {
	var list []candidate
	for _, m := range r.models {
		if _, pinned := r.pins[m.key]; !pinned {
			list = append(list, candidate{m.key, m.lastUsed})
		}
	}
	return list
}

func (r *runtime) capacity(m *model, reason, path string) {
	r.event = device.CapacityEvent{Reason: reason, Model: path, At: time.Now()}
	r.log.Warn("device memory is full", "loading", m.label(), "reason", reason)
	r.publish()
}

// evict unloads models in favour of forWhom, whose label completes the reason,
// and waits for their memory.
func (r *runtime) evict(ctx context.Context, victims []key, forWhom *model, why, reason string) {
	before, measured := r.measure(ctx)
	var freed int64
	for _, k := range victims {
		victim, ok := r.models[k]
		if !ok {
			continue // the worker died while another model was evicted
		}
		r.remove(ctx, victim)
		freed += victim.memory
		r.evictions++
		r.metrics.evicted(k, why)
		r.capacity(forWhom, reason+forWhom.label(), k.path)
	}
	if measured {
		r.awaitRelease(ctx, before, freed)
	}
}

func (r *runtime) remove(ctx context.Context, m *model) {
	delete(r.models, m.key)
	r.unloadNetworks(ctx, m)
	r.publish()
}

func (r *runtime) unloadNetworks(ctx context.Context, m *model) {
	for _, n := range m.networks {
		if r.worker == nil || r.worker.Err() != nil {
			r.release(n)
			continue
		}
		if err := r.bounded(ctx, r.tuned.Load().loadLimit(m.key.modelType), n.Unload); err != nil {
			r.log.Warn("unloading failed", "model", m.label(), "error", err)
		}
	}
	m.networks = nil
}

func (r *runtime) release(n Network) {
	if err := n.Release(); err != nil {
		r.log.Warn("releasing a lost network's memory", "error", err)
	}
}

// unload frees a model; it reports whether it was loaded. A pinned one stays:
// it would be loaded again at once.
func (r *runtime) unload(ctx context.Context, k key) (bool, error) {
	if _, pinned := r.pins[k]; pinned {
		return false, badInput("%s is pinned to the device; unpin it first", k)
	}
	m, ok := r.models[k]
	if ok {
		r.remove(ctx, m)
		r.metrics.unloaded(k, unloadedRequested)
	}
	return ok, nil
}
