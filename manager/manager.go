// Package manager owns the device: it queues what services ask for, runs one
// operation at a time, loads and evicts models, and replaces the worker process
// when it fails. It implements device.Service; the listeners in front of it
// live in socketapi and statusapi.
package manager

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hailo-depth/device"
	"hailo-depth/schedule"
	"hailo-depth/sizes"
	"hailo-depth/worker"
)

// Limits bounds what the manager does. Use DefaultLimits for the values that
// the documentation states.
type Limits struct {
	Queue        int           // requests that may wait
	QueueBytes   int64         // of their inputs together
	Ageing       time.Duration // of waiting that is worth one priority
	Group        int           // requests of one model in a row while another waits; 0: no grouping
	GroupTime    time.Duration // for which one model goes on while another waits
	Overlap      bool          // the worker gets the next inference of a model before it has answered the last
	MaxEvictions int           // rounds of eviction for one load
	LoadTimeout  time.Duration // of one network
	InferTimeout time.Duration // of one network
	// A generation may take GenerateTimeout in all; TokenTimeout is for its first
	// token, for each that follows, and for ending when it is told to.
	GenerateTimeout, TokenTimeout time.Duration
	StartTimeout                  time.Duration // of the worker, until it has opened the device
	CloseTimeout                  time.Duration // of the worker, until it has released the device
	DrainTimeout                  time.Duration // of the queue, when the manager stops
	Statistics                    time.Duration // between two readings of temperature and memory
	ReleaseWait                   time.Duration // for the memory of evicted models, before the load that they made room for
	Unfinished                    time.Duration // of a job after its time was up, until its worker is replaced; 0: for ever
	// KillAbandoned are the model types whose running inference is ended, with the
	// worker, when its caller has left. Others are finished and discarded.
	KillAbandoned []string

	// Deaths of workers within DeathWindow, without an inference that succeeded in
	// between, close the device to requests for BreakerPause, longer each time that
	// the probe after it fails. 0 Deaths: never.
	Deaths       int
	DeathWindow  time.Duration
	BreakerPause time.Duration
}

// DefaultLimits are generous: HailoRT's own calls may take 45 s.
func DefaultLimits() Limits {
	rules := schedule.DefaultRules()
	return Limits{
		Queue:        rules.Jobs,
		QueueBytes:   rules.Bytes,
		Ageing:       rules.Step,
		Group:        rules.Group,
		GroupTime:    rules.GroupTime,
		Overlap:      true,
		MaxEvictions: 3,
		LoadTimeout:  120 * time.Second,
		InferTimeout: 60 * time.Second,
		// The first token comes after the pictures were looked at.
		GenerateTimeout: 5 * time.Minute,
		TokenTimeout:    60 * time.Second,
		StartTimeout:    60 * time.Second,
		CloseTimeout:    5 * time.Second,
		DrainTimeout:    10 * time.Second,
		Statistics:      5 * time.Second,
		ReleaseWait:     5 * time.Second,
		Unfinished:      30 * time.Second,
		Deaths:          5,
		DeathWindow:     time.Minute,
		BreakerPause:    2 * time.Second,
	}
}

func (l Limits) order() order {
	return order{schedule.Rules{Jobs: l.Queue, Bytes: l.QueueBytes, Step: l.Ageing, Group: l.Group, GroupTime: l.GroupTime}, l.Overlap}
}

// Options are what a Manager needs.
type Options struct {
	Limits     Limits
	Settings   Settings
	Start      func(context.Context) (Worker, error) // opens the device
	Log        *slog.Logger
	Registry   *prometheus.Registry // for the figures; may be nil
	SocketPath string               // for status answers; may be empty
	Sizes      *sizes.Book          // measured sizes of models; nil: a book in memory
	Root       string               // of /proc, /sys and /dev; empty: "/"
	// Explain says what is wrong with this machine, for the reason why the device
	// cannot be opened; empty when nothing is seen. It takes moments. May be nil.
	Explain func() string
}

// Manager is the owner of a device.
type Manager struct {
	options Options
	metrics *metrics
	started time.Time
	queue   *queue
	runtime *runtime
	life    context.Context // of operations on the device; ends when draining has
	end     context.CancelCauseFunc
	workers sync.WaitGroup // watchers
	stops   atomic.Bool    // the intake is closed
	reading atomic.Pointer[reading]

	preparing atomic.Pointer[string] // what is still to be loaded at the start; empty: nothing
}

// reading is the last statistics of the device.
type reading struct {
	statistics worker.Statistics
	err        error
	of         Worker
}

var _ device.Service = (*Manager)(nil)

// New makes a Manager; Run brings it to life. It fails when the registry has
// figures of a manager already, and when the settings cannot be used.
func New(o Options) (*Manager, error) {
	if err := o.Settings.Check(); err != nil {
		return nil, err
	}
	m := &Manager{options: o, started: time.Now()}
	m.queue = newQueue(o.Limits.order(), m.resident)
	if o.Registry != nil {
		var err error
		if m.metrics, err = newMetrics(o.Registry, &m.queue.depths); err != nil {
			return nil, err
		}
		m.queue.metrics = m.metrics
	}
	m.life, m.end = context.WithCancelCause(context.Background())
	m.runtime = &runtime{start: o.Start, root: cmp.Or(o.Root, "/"), explain: o.Explain, book: o.Sizes, log: o.Log, metrics: m.metrics, born: m.watch,
		respawnDelay: leastRespawnDelay, models: map[key]*model{}, pins: map[key]pin{}, barred: map[key]*shut{}, changed: make(chan struct{}, 1)}
	if o.Sizes == nil {
		m.runtime.book, _ = sizes.Open("") // never fails: it is kept in memory
	}
	m.runtime.tuned.Store(&tuned{o.Limits, o.Settings})
	m.runtime.adopt()
	text := "the models of the configuration are being loaded"
	if !slices.ContainsFunc(o.Settings.Models, func(w Wanted) bool { return w.Preload }) {
		text = ""
	}
	m.preparing.Store(&text)
	return m, nil
}

// Run opens the device and serves until ctx ends. Then it refuses new requests,
// finishes those that wait within Limits.DrainTimeout, closes the device and
// returns. A device that cannot be opened is no error: Run goes on trying, and
// requests are told.
func (m *Manager) Run(ctx context.Context) error {
	var group sync.WaitGroup
	group.Go(func() { m.queue.run(m.life) })
	group.Go(func() { m.supervise(ctx) })
	group.Go(func() { m.poll(ctx) })
	<-ctx.Done()
	m.stops.Store(true)

	drain, cancel := context.WithTimeout(m.life, m.options.Limits.DrainTimeout)
	m.queue.drain(drain)
	cancel()
	m.end(errStopping) // ends an operation that is still running by killing the worker
	group.Wait()
	m.workers.Wait()
	m.runtime.close(context.WithoutCancel(ctx))
	return nil
}

// Load implements device.Service.
func (m *Manager) Load(ctx context.Context, model device.Model) (device.Loaded, error) {
	if err := m.admit(ctx, "load", model); err != nil {
		return device.Loaded{}, err
	}
	var loaded device.Loaded
	err := m.do(ctx, request{action: "load", model: model}, func(life context.Context) (time.Duration, error) {
		began := time.Now()
		found, already, err := m.runtime.loadedModel(life, model)
		if err != nil {
			return 0, asLoadError(err)
		}
		loaded.Already = already
		if n, ok := found.networks[ocrDetection]; ok {
			loaded.DetectionInputShape = detectionShape(n.Signature())
		}
		return time.Since(began), nil
	})
	if err != nil {
		return device.Loaded{}, err
	}
	return loaded, nil
}

// Infer implements device.Service.
func (m *Manager) Infer(ctx context.Context, model device.Model, in device.Input) (device.Result, error) {
	if err := m.admit(ctx, "infer", model); err != nil {
		return device.Result{}, err
	}
	var result device.Result
	asked := time.Now()
	var granted time.Time
	var early *early
	var prepare func()
	if m.preparable(model) {
		prepare = func() { early = m.runtime.sendEarly(m.life, model, in) }
	}
	err := m.doEarly(ctx, request{"infer", model, inputBytes(in)}, prepare, func(life context.Context) (load time.Duration, err error) {
		defer early.drop()
		granted = time.Now()
		result, err = m.runtime.infer(life, ctx, model, in, early)
		return result.Timing.Load, err
	})
	if err != nil {
		return device.Result{}, err
	}
	result.Timing.Queue = granted.Sub(asked)
	return result, nil
}

// Unload implements device.Service.
func (m *Manager) Unload(ctx context.Context, model device.Model) (bool, error) {
	if model.Path == "" {
		return false, errPathRequired
	}
	var was bool
	err := m.do(ctx, request{action: "unload", model: model}, func(life context.Context) (_ time.Duration, err error) {
		was, err = m.runtime.unload(life, key{model.Type, model.Path})
		return 0, err
	})
	if err != nil {
		return false, err
	}
	return was, nil
}

// resident are the models on the device, as the queue knows them.
func (m *Manager) resident() (models []string) {
	for _, s := range m.runtime.view.Load().models {
		models = append(models, s.key.String())
	}
	return models
}

var errPathRequired = &device.Error{Kind: device.KindInvalid, Message: "model_path required"}

// Check refuses what need not wait for the device to be refused: models without
// a file and types that this manager does not run. Load and Infer begin with it.
func (m *Manager) Check(model device.Model) error { return check(model) }

// admit is Check, and refuses at once what the gate would refuse when its turn came.
func (m *Manager) admit(ctx context.Context, action string, model device.Model) error {
	if err := check(model); err != nil {
		return err
	}
	v := m.runtime.view.Load()
	err := barredNow(v.barred, keyOf(model))
	if v.shut != nil {
		err = v.shut.refusal(time.Now())
	}
	if err != nil {
		m.account(ctx, outcome{request: request{action: action, model: model}, terms: device.TermsOf(ctx), err: err})
	}
	return err
}

func check(m device.Model) error {
	if m.Path == "" {
		return errPathRequired
	}
	if pathIsFile(m.Type) {
		if err := needFile("Model file", m.Path); err != nil {
			if device.KindOf(err) == device.KindNotFound {
				return err
			}
			return asLoadError(err)
		}
	}
	if _, ok := typeOf(m.Type); !ok {
		return asLoadError(badInput("Unsupported model_type: %s", m.Type))
	}
	return nil
}

// Status implements device.Service. It never waits.
func (m *Manager) Status(context.Context) (device.Status, error) {
	v := m.runtime.view.Load()
	s := device.Status{
		DeviceID:      v.identity.DeviceID,
		Architecture:  v.identity.Architecture,
		Firmware:      v.identity.Firmware,
		Models:        v.loaded(),
		Uptime:        time.Since(m.started),
		SocketPath:    m.options.SocketPath,
		QueueDepth:    int(m.queue.depths.total()),
		Evictions:     v.evictions,
		RuntimeBroken: v.broken,
		CapacityEvent: v.event,
	}
	if v.worker == nil {
		s.IdentifyErr = "no device is open"
	}
	if r := m.reading.Load(); r != nil {
		s.Temperature, s.TemperatureErr = r.statistics.TemperatureCelsius, r.statistics.TemperatureError
		s.MemoryTotal, s.MemoryUsed = r.statistics.MemoryTotalBytes, r.statistics.MemoryUsedBytes
		if r.err != nil {
			s.TemperatureErr = r.err.Error()
		}
	} else {
		s.TemperatureErr = "not read yet"
	}
	return s, nil
}

// Ready says why requests would fail at the moment; empty when they would not.
func (m *Manager) Ready() string {
	v := m.runtime.view.Load()
	switch {
	case m.stops.Load():
		return "shutting down"
	case v.shut != nil:
		return v.shut.why
	case v.broken != "":
		return v.broken
	case v.worker == nil:
		return "the device is being opened"
	}
	return *m.preparing.Load()
}

// Alive reports whether the scheduler's loop turns, for a watchdog.
func (m *Manager) Alive(ctx context.Context) bool { return m.queue.alive(ctx) }

// modelName is what metrics call a model; a label is UTF-8, a file name may not be.
func modelName(path string) string { return strings.ToValidUTF8(filepath.Base(path), "\uFFFD") }

// errorKind is the outcome label of an error.
func errorKind(err error) string {
	var e *device.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &e):
		return string(e.Kind)
	}
	return string(device.KindInternal)
}
