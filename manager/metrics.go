package manager

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hailo-depth/device"
	"hailo-depth/schedule"
	"hailo-depth/worker"
)

// metrics are the manager's figures for Prometheus. A nil *metrics counts nothing.
type metrics struct {
	requests      *prometheus.CounterVec
	byClient      *prometheus.CounterVec
	deviceTime    *prometheus.CounterVec
	queueWait     *prometheus.HistogramVec
	decisions     *prometheus.CounterVec
	switches      prometheus.Counter
	retries       *prometheus.CounterVec
	inference     *prometheus.HistogramVec
	loadTime      *prometheus.HistogramVec
	loads         *prometheus.CounterVec
	evictions     *prometheus.CounterVec
	residentBytes *prometheus.GaugeVec
	memoryTotal   prometheus.Gauge
	memoryUsed    prometheus.Gauge
	temperature   *prometheus.GaugeVec
	restarts      *prometheus.CounterVec
	up            prometheus.Gauge
	unloads       *prometheus.CounterVec
	releaseWait   *prometheus.HistogramVec
	mean          *prometheus.GaugeVec
	closed        *prometheus.GaugeVec
	held          *prometheus.GaugeVec
	barred        *prometheus.GaugeVec
	unfinished    prometheus.Gauge
	utilization   *prometheus.GaugeVec
	clients       clientLabels
}

// Why models were evicted or unloaded; labels of metrics.
const (
	evictedFull       = "device_memory_full" // the device said so
	evictedPredicted  = "predicted"          // from measured sizes, before the load was tried
	evictedGenerative = "generative"         // the device holds one vision-language model
	unloadedRequested = "requested"
	unloadedExpired   = "expired" // not used for its keep_alive
)

// newMetrics registers the figures in registry; waiting gives the length of the queue.
func newMetrics(registry *prometheus.Registry, waiting *depths) (*metrics, error) {
	const ns = "hailo"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Name: name, Help: help}, labels)
	}
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: ns, Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Name: name, Help: help})
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: ns, Name: name, Help: help, Buckets: buckets}, labels)
	}
	fast := prometheus.ExponentialBuckets(0.0005, 2, 16) // 0.5 ms to 16 s
	slow := prometheus.ExponentialBuckets(0.01, 2, 14)   // 10 ms to 82 s
	m := &metrics{
		requests: counter("device_requests_total", "Requests for the device by action, model type, outcome (ok or the error's kind) and the reason of a failure (rejected, expired, cancelled, backend).",
			"action", "model_type", "outcome", "reason"),
		byClient:      counter("device_client_requests_total", "Requests for the device by client and outcome (ok or the reason of the failure).", "client", "outcome"),
		deviceTime:    counter("device_client_device_seconds_total", "Time for which each client's requests had the device.", "client"),
		queueWait:     histogram("device_queue_wait_seconds", "Time that requests waited for the device.", fast, "priority"),
		decisions:     counter("device_decisions_total", "Jobs that were given the device, by the clause that chose them (urgent, overdue, turn, grouped, resident).", "clause"),
		switches:      prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Name: "device_model_switches_total", Help: "Requests that ran on another model than the one before."}),
		retries:       counter("device_retries_total", "Requests that ran a second time, because the worker died or the device was lost under them.", "model_type", "cause"),
		inference:     histogram("device_inference_duration_seconds", "Time of an inference on the device, transfers included.", fast, "model"),
		loadTime:      histogram("device_model_load_duration_seconds", "Time of loading a model, evictions included.", slow, "model"),
		loads:         counter("device_model_loads_total", "Models loaded, by outcome.", "model", "outcome"),
		evictions:     counter("device_model_evictions_total", "Models evicted to make room: because the device was full, as predicted, or for another generative one.", "model", "reason"),
		residentBytes: gauges("device_model_resident_bytes", "Device memory of each loaded model.", "model", "model_type"),
		memoryTotal:   gauge("device_memory_total_bytes", "Memory of the device."),
		memoryUsed:    gauge("device_memory_used_bytes", "Used memory of the device."),
		temperature:   gauges("device_temperature_celsius", "Temperature of the device; absent while unknown."),
		restarts:      counter("device_worker_restarts_total", "Worker processes replaced, by reason.", "reason"),
		up:            gauge("device_up", "1 while the device is open and answers."),
		unloads:       counter("device_model_unloads_total", "Models unloaded without need for their room: on request, or expired.", "model", "reason"),
		releaseWait:   histogram("device_memory_release_wait_seconds", "Waits for the memory of evicted models, by whether it came back in time.", slow, "outcome"),
		mean:          gauges("device_inference_mean_seconds", "Moving mean of the inference time: now, and soon after the model's load. A growing gap is drift.", "model", "when"),
		closed:        gauges("device_closed", "1 while no request is fed to the device, by cause: deaths of workers, held by another, versions.", "cause"),
		barred:        gauges("device_model_barred", "1 for a model that costs workers their lives, from the first refusal until it has served again.", "model"),
		held:          gauges("device_held", "1 while another program has the device; its name, where it can be seen.", "program"),
		unfinished:    gauge("device_unfinished_jobs", "Inferences that were given up while the library goes on with them."),
		utilization:   gauges("device_utilization_ratio", "Load of the neural cores; absent while unknown."),
	}
	var err error
	for p := range waiting {
		err = errors.Join(err, registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: ns, Name: "device_queue_depth", Help: "Requests waiting for the device, by priority.",
			ConstLabels: prometheus.Labels{"priority": strconv.Itoa(p)},
		}, func() float64 { return float64(waiting[p].Load()) })))
	}
	for _, c := range []prometheus.Collector{m.requests, m.byClient, m.deviceTime, m.queueWait, m.decisions, m.switches, m.retries, m.inference, m.loadTime, m.loads, m.evictions,
		m.residentBytes, m.memoryTotal, m.memoryUsed, m.temperature, m.restarts, m.up, m.unloads, m.releaseWait, m.mean, m.closed, m.held, m.barred, m.unfinished, m.utilization} {
		err = errors.Join(err, registry.Register(c))
	}
	return m, err
}

// request counts a request. The model is left out: its name comes from outside
// and would make the set of series unbounded.
func (m *metrics) request(o outcome) {
	if m == nil {
		return
	}
	word, reason := "ok", ""
	if o.err != nil {
		reason = string(device.ReasonOf(o.err))
		word = reason
	}
	m.requests.WithLabelValues(o.action, typeLabel(o.model.Type), errorKind(o.err), reason).Inc()
	m.byClient.WithLabelValues(m.clients.of(o.terms.Client), word).Inc()
}

func typeLabel(modelType string) string {
	if _, ok := typeOf(modelType); !ok {
		return "unknown"
	}
	return modelType
}

func (m *metrics) waited(priority int, d time.Duration) {
	if m != nil {
		m.queueWait.WithLabelValues(strconv.Itoa(priority)).Observe(d.Seconds())
	}
}

func (m *metrics) used(client string, d time.Duration) {
	if m != nil {
		m.deviceTime.WithLabelValues(m.clients.of(client)).Add(d.Seconds())
	}
}

func (m *metrics) decided(c schedule.Choice) {
	if m == nil {
		return
	}
	m.decisions.WithLabelValues(string(c.Why)).Inc()
	if c.Switch && c.Why != schedule.Urgent {
		m.switches.Inc()
	}
}

func (m *metrics) retried(modelType, cause string) {
	if m != nil {
		m.retries.WithLabelValues(typeLabel(modelType), cause).Inc()
	}
}

func (m *metrics) inferred(k key, d time.Duration, means drift) {
	if m == nil {
		return
	}
	name := modelName(k.path)
	m.inference.WithLabelValues(name).Observe(d.Seconds())
	m.mean.WithLabelValues(name, "now").Set(means.now)
	m.mean.WithLabelValues(name, "after_load").Set(means.first)
}

func (m *metrics) loaded(k key, d time.Duration, err error) {
	if m == nil {
		return
	}
	m.loads.WithLabelValues(modelName(k.path), errorKind(err)).Inc()
	if err == nil {
		m.loadTime.WithLabelValues(modelName(k.path)).Observe(d.Seconds())
	}
}

func (m *metrics) evicted(k key, why string) {
	if m != nil {
		m.evictions.WithLabelValues(modelName(k.path), why).Inc()
	}
}

func (m *metrics) unloaded(k key, why string) {
	if m != nil {
		m.unloads.WithLabelValues(modelName(k.path), why).Inc()
	}
}

func (m *metrics) released(waited time.Duration, inTime bool) {
	if m == nil {
		return
	}
	outcome := "released"
	if !inTime {
		outcome = "not_released"
	}
	m.releaseWait.WithLabelValues(outcome).Observe(waited.Seconds())
}

// shut shows for which cause the device is closed, if it is, and to which models.
func (m *metrics) shut(s *shut, barred map[key]*shut) {
	if m == nil {
		return
	}
	m.barred.Reset()
	for k := range barred {
		m.barred.WithLabelValues(modelName(k.path)).Set(1)
	}
	m.closed.Reset()
	if s != nil {
		m.closed.WithLabelValues(s.cause).Set(1)
	}
}

// heldBy shows the program that has the device; empty: nobody else has.
func (m *metrics) heldBy(program string) {
	if m == nil {
		return
	}
	m.held.Reset()
	if program != "" {
		m.held.WithLabelValues(strings.ToValidUTF8(program, "\uFFFD")).Set(1)
	}
}

func (m *metrics) restarted(reason string) {
	if m != nil {
		m.restarts.WithLabelValues(reason).Inc()
	}
}

// resident shows what is loaded; what concerns a model that is not any longer goes.
func (m *metrics) resident(models []shown) {
	if m == nil {
		return
	}
	m.residentBytes.Reset()
	m.mean.Reset()
	for _, s := range models {
		name := modelName(s.key.path)
		m.residentBytes.WithLabelValues(name, s.key.modelType).Set(float64(s.memory))
		if s.drift.count > 0 {
			m.mean.WithLabelValues(name, "now").Set(s.drift.now)
			m.mean.WithLabelValues(name, "after_load").Set(s.drift.first)
		}
	}
}

func (m *metrics) device(up bool, s worker.Statistics) {
	if m == nil {
		return
	}
	if up {
		m.up.Set(1)
	} else {
		m.up.Set(0)
	}
	m.memoryTotal.Set(float64(s.MemoryTotalBytes))
	m.memoryUsed.Set(float64(s.MemoryUsedBytes))
	m.unfinished.Set(float64(s.UnfinishedJobs))
	m.utilization.Reset()
	if s.Utilization != nil {
		m.utilization.WithLabelValues().Set(*s.Utilization)
	}
	m.temperature.Reset()
	if s.TemperatureCelsius != nil {
		m.temperature.WithLabelValues().Set(*s.TemperatureCelsius)
	}
}

// clientLabels bounds the label values that client names, which come from
// outside, may become: the first mostClients keep theirs, the others share one.
type clientLabels struct {
	mu    sync.Mutex
	known map[string]bool
}

const (
	mostClients  = 32
	otherClients = "other"
)

func (l *clientLabels) of(client string) string {
	client = strings.ToValidUTF8(client, "\uFFFD")
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.known[client]:
		return client
	case len(l.known) >= mostClients || len(client) > device.MaxClientName:
		return otherClients
	case l.known == nil:
		l.known = map[string]bool{}
	}
	l.known[client] = true
	return client
}
