package manager

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"hailo-depth/device"
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
	Generate(ctx context.Context, cancelled <-chan struct{}, timeout time.Duration, g worker.Generation, onPiece func(worker.Piece)) (worker.Generated, time.Duration, error)
	Unload(ctx context.Context) error
	Release() error
}

// key is what a model is known by.
type key struct{ modelType, path string }

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
}

// runtime is the device and what is loaded on it. Only the job that holds the
// device (queue.do) calls its methods; what others may see of it is published
// in view.
type runtime struct {
	limits  Limits
	start   func(context.Context) (Worker, error)
	log     *slog.Logger
	metrics *metrics
	born    func(Worker) // told of every new worker

	worker       Worker        // nil: none
	respawnDelay time.Duration // before the next replacement of a worker that died young
	models       map[key]*model
	loads        int
	evictions    int
	broken       string
	event        device.CapacityEvent
	died         bool // the worker, during the present attempt

	view atomic.Pointer[view]
}

// view is an immutable picture of the runtime for status calls.
type view struct {
	worker    Worker
	identity  worker.Identity
	models    []device.LoadedModel
	evictions int
	broken    string
	event     device.CapacityEvent
}

func (r *runtime) publish() {
	v := &view{worker: r.worker, evictions: r.evictions, broken: r.broken, event: r.event}
	if r.worker != nil {
		v.identity = r.worker.Identity()
	}
	for _, m := range r.byAge() {
		v.models = append(v.models, device.LoadedModel{
			Type: m.key.modelType, Path: m.key.path, LoadedAt: m.loadedAt, LastUsed: m.lastUsed, MemoryBytes: m.memory, Tensors: m.tensors,
		})
	}
	r.view.Store(v)
	r.metrics.resident(v.models)
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
		r.lost(r.worker.Err())
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
	err = r.place(ctx, fresh, parts)
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

// place loads the model's networks, making room and renewing the device as needed.
func (r *runtime) place(ctx context.Context, m *model, parts []part) error {
	full, renewed, reset := 0, false, false
	for {
		for _, k := range rivals(m.key.modelType, r.candidates()) {
			r.evict(ctx, k, m, "the device holds one vision-language model at a time; made room for ")
		}
		if err := r.ensure(ctx); err != nil {
			return err
		}
		err := r.loadParts(ctx, m, parts)
		var failure *worker.Error
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &failure):
			return err
		case failure.NeverFits():
			r.capacity(m, fmt.Sprintf("RESOURCE_EXHAUSTED while loading %s; it is larger than the device's memory", m.label()), m.key.path)
			return &device.Error{Kind: device.KindMemoryFull, Status: failure.Status, Message: "RESOURCE_EXHAUSTED and evicting other models would not help: " + failure.Message}
		case failure.Kind == worker.KindMemoryFull:
			full++
			fix := nextRemedy(full, r.candidates(), r.limits.MaxEvictions, reset)
			if fix.giveUp {
				why := "no models available to evict"
				if len(r.models) > 0 {
					why = fmt.Sprintf("the limit of evictions is reached (%d rounds)", r.limits.MaxEvictions)
				}
				r.capacity(m, fmt.Sprintf("RESOURCE_EXHAUSTED while loading %s; %s", m.label(), why), m.key.path)
				return &device.Error{Kind: device.KindMemoryFull, Status: failure.Status, Message: "RESOURCE_EXHAUSTED and " + why + ": " + failure.Message}
			}
			for _, k := range fix.evict {
				r.evict(ctx, k, m, "RESOURCE_EXHAUSTED while loading ")
			}
			if fix.reset {
				reset = true
				r.reset(ctx, "device memory is full and nothing is left to evict")
			}
		case failure.Kind == worker.KindLost && r.worker != nil:
			r.reset(ctx, failure.Message) // the device was lost, not the worker
			if renewed {
				r.brokenBy(failure)
				return r.asDeviceError(failure)
			}
			renewed = true
		default:
			return r.asDeviceError(failure)
		}
	}
}

func (m *model) label() string {
	return fmt.Sprintf("%s (%s)", filepath.Base(m.key.path), m.key.modelType)
}

// loadParts loads every network of a model or none.
func (r *runtime) loadParts(ctx context.Context, m *model, parts []part) error {
	m.networks, m.memory = map[string]Network{}, 0
	signatures := map[string]worker.Signature{}
	err := func() error {
		for _, p := range parts {
			var n Network
			err := r.bounded(ctx, r.limits.LoadTimeout, func(ctx context.Context) (err error) {
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
	}
	return err
}

// bounded runs one call into the worker. One that does not come back in time,
// or before the manager stops, costs the worker its life: nothing else can free
// the device.
func (r *runtime) bounded(life context.Context, limit time.Duration, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(life, limit)
	defer cancel()
	err := call(ctx)
	if err != nil && ctx.Err() != nil {
		late := &worker.Error{Kind: worker.KindTimeout, Message: fmt.Sprintf("the device did not answer within %v; its worker was restarted", limit)}
		if life.Err() != nil {
			late = &worker.Error{Kind: worker.KindLost, Message: context.Cause(life).Error()}
		}
		r.log.Error("ending an operation by killing the worker", "cause", late.Message)
		r.worker.Kill()
		<-r.worker.Done()
		r.lost(err)
		return late
	}
	if err != nil && r.worker.Err() != nil {
		r.died = true
		r.lost(r.worker.Err())
	}
	return err
}

func (r *runtime) candidates() []candidate {
	var list []candidate
	for _, m := range r.models {
		list = append(list, candidate{m.key, m.lastUsed})
	}
	return list
}

func (r *runtime) capacity(m *model, reason, path string) {
	r.event = device.CapacityEvent{Reason: reason, Model: path, At: time.Now()}
	r.log.Warn("device memory is full", "loading", m.label(), "reason", reason)
	r.publish()
}

// evict unloads a model in favour of forWhom, whose label completes the reason.
func (r *runtime) evict(ctx context.Context, k key, forWhom *model, reason string) {
	victim, ok := r.models[k]
	if !ok {
		return // the worker died while another model was evicted
	}
	r.remove(ctx, victim)
	r.evictions++
	r.metrics.evicted(k)
	r.capacity(forWhom, reason+forWhom.label(), k.path)
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
		if err := r.bounded(ctx, r.limits.LoadTimeout, n.Unload); err != nil {
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

// unload frees a model; it reports whether it was loaded.
func (r *runtime) unload(ctx context.Context, k key) bool {
	m, ok := r.models[k]
	if ok {
		r.remove(ctx, m)
	}
	return ok
}

// infer runs m, which is loaded first where needed. asker ends when whoever
// asked has gone.
func (r *runtime) infer(ctx, asker context.Context, m device.Model, in device.Input) (device.Result, error) {
	for attempt := 0; ; attempt++ {
		began := time.Now()
		r.died = false
		loaded, _, err := r.loadedModel(ctx, m)
		if err != nil {
			if attempt == 0 && r.retries(ctx, m, err) {
				continue
			}
			return device.Result{}, asLoadError(err)
		}
		use := &session{ctx: ctx, asker: asker, runtime: r, model: loaded, limit: r.limits.InferTimeout}
		if own := in.TimeoutMS; own > 0 && own < use.limit.Milliseconds() { // compared so, any number is safe
			use.limit = time.Duration(own) * time.Millisecond
		}
		inferring := time.Now()
		result, err := loaded.kind.infer(in, loaded.params, use)
		result.Timing = device.Timing{Load: inferring.Sub(began), Infer: time.Since(inferring), Library: use.library}
		loaded.lastUsed = time.Now()
		if err == nil {
			r.broken = ""
			r.publish()
			r.metrics.inferred(loaded.key, result.Timing.Infer)
			return result, nil
		}
		var failure *worker.Error
		if errors.As(err, &failure) {
			if failure.Kind == worker.KindLost && r.worker != nil {
				r.reset(ctx, failure.Message) // the device was lost, not the worker
				switch {
				case use.generated: // it may have run for minutes; whoever asked may ask again
				case attempt > 0:
					r.brokenBy(failure)
				case idempotent(m.Type):
					r.metrics.retried(m.Type, "device_lost")
					continue
				}
			}
			err = r.asDeviceError(failure)
			if attempt == 0 && r.retries(ctx, m, err) {
				continue
			}
		}
		r.publish()
		return device.Result{}, asInferError(err)
	}
}

// session lets a model type run its networks within one inference.
type session struct {
	ctx       context.Context
	asker     context.Context
	runtime   *runtime
	model     *model
	limit     time.Duration // of one network
	library   time.Duration // spent inside the library
	generated bool          // a generation was asked for
}

func (s *session) signature(part string) (worker.Signature, bool) {
	n, ok := s.model.networks[part]
	if !ok {
		return worker.Signature{}, false
	}
	return n.Signature(), true
}

// answerGrace is what a worker gets beyond an inference's own limit to say that
// the library gave up.
const answerGrace = 5 * time.Second

func (s *session) run(part string, inputs []tensor.Tensor) (outputs []worker.Output, err error) {
	n, r := s.model.networks[part], s.runtime
	err = r.bounded(s.ctx, s.limit+answerGrace, func(ctx context.Context) error {
		var inside time.Duration
		outputs, inside, err = n.Infer(ctx, s.limit, inputs)
		s.library += inside
		return err
	})
	return outputs, err
}
