package manager

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hailo-depth/device"
	"hailo-depth/worker"
)

// metrics are the manager's figures for Prometheus. A nil *metrics counts nothing.
type metrics struct {
	requests      *prometheus.CounterVec
	queueWait     prometheus.Histogram
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
}

// newMetrics registers the figures in registry; depth gives the length of the queue.
func newMetrics(registry *prometheus.Registry, depth *atomic.Int64) (*metrics, error) {
	const ns = "hailo"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Name: name, Help: help}, labels)
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
		requests: counter("device_requests_total", "Requests for the device by action, model type and outcome (ok or the error's kind).", "action", "model_type", "outcome"),
		queueWait: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Name: "device_queue_wait_seconds",
			Help: "Time that requests waited for the device.", Buckets: fast}),
		inference:     histogram("device_inference_duration_seconds", "Time of an inference on the device, transfers included.", fast, "model"),
		loadTime:      histogram("device_model_load_duration_seconds", "Time of loading a model, evictions included.", slow, "model"),
		loads:         counter("device_model_loads_total", "Models loaded, by outcome.", "model", "outcome"),
		evictions:     counter("device_model_evictions_total", "Models evicted to make room.", "model", "reason"),
		residentBytes: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: ns, Name: "device_model_resident_bytes", Help: "Device memory of each loaded model."}, []string{"model", "model_type"}),
		memoryTotal:   gauge("device_memory_total_bytes", "Memory of the device."),
		memoryUsed:    gauge("device_memory_used_bytes", "Used memory of the device."),
		temperature:   prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: ns, Name: "device_temperature_celsius", Help: "Temperature of the device; absent while unknown."}, nil),
		restarts:      counter("device_worker_restarts_total", "Worker processes replaced, by reason.", "reason"),
		up:            gauge("device_up", "1 while the device is open and answers."),
	}
	queueDepth := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: ns, Name: "device_queue_depth", Help: "Requests waiting for the device."},
		func() float64 { return float64(depth.Load()) })
	var err error
	for _, c := range []prometheus.Collector{m.requests, m.queueWait, m.inference, m.loadTime, m.loads, m.evictions,
		m.residentBytes, m.memoryTotal, m.memoryUsed, m.temperature, m.restarts, m.up, queueDepth} {
		err = errors.Join(err, registry.Register(c))
	}
	return m, err
}

// request counts a request. The model is left out: its name comes from outside
// and would make the set of series unbounded.
func (m *metrics) request(action string, model device.Model, err error) {
	if m == nil {
		return
	}
	name := model.Type
	if _, ok := typeOf(name); !ok {
		name = "unknown"
	}
	m.requests.WithLabelValues(action, name, errorKind(err)).Inc()
}

func (m *metrics) waited(d time.Duration) {
	if m != nil {
		m.queueWait.Observe(d.Seconds())
	}
}

func (m *metrics) inferred(k key, d time.Duration) {
	if m != nil {
		m.inference.WithLabelValues(modelName(k.path)).Observe(d.Seconds())
	}
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

func (m *metrics) evicted(k key) {
	if m != nil {
		m.evictions.WithLabelValues(modelName(k.path), "device_memory_full").Inc()
	}
}

func (m *metrics) restarted(reason string) {
	if m != nil {
		m.restarts.WithLabelValues(reason).Inc()
	}
}

func (m *metrics) resident(models []device.LoadedModel) {
	if m == nil {
		return
	}
	m.residentBytes.Reset()
	for _, l := range models {
		m.residentBytes.WithLabelValues(modelName(l.Path), l.Type).Set(float64(l.MemoryBytes))
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
	m.temperature.Reset()
	if s.TemperatureCelsius != nil {
		m.temperature.WithLabelValues().Set(*s.TemperatureCelsius)
	}
}
