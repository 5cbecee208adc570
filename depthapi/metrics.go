package depthapi

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hailo-depth/depth"
)

// Metrics are the service's figures for Prometheus.
type Metrics struct {
	http.Handler
	requests *prometheus.CounterVec
	failures *prometheus.CounterVec
	duration prometheus.Histogram
	stages   *prometheus.HistogramVec
}

// NewMetrics registers the figures in registry and serves it.
func NewMetrics(registry *prometheus.Registry, estimator *depth.Estimator, log *slog.Logger) (*Metrics, error) {
	const ns = "hailo_depth"
	buckets := prometheus.ExponentialBuckets(0.001, 2, 15) // 1 ms to 16 s
	m := &Metrics{
		Handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError)}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Name: "requests_total",
			Help: "Estimates by outcome: ok or the error's type."}, []string{"outcome"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Name: "failures_total",
			Help: "Estimates that failed, by reason: rejected, expired, cancelled or backend."}, []string{"reason"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Name: "request_duration_seconds",
			Help: "Time of an estimate, from its request's header to its answer.", Buckets: buckets}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: ns, Name: "stage_duration_seconds",
			Help: "Time of each stage of successful estimates.", Buckets: buckets}, []string{"stage"}),
	}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: ns, Name: "queue_depth", Help: "Requests that wait for a place in the service."},
		func() float64 { return float64(estimator.Waiting()) })
	inService := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: ns, Name: "pictures_in_service", Help: "Requests being read, worked on, or at the device."},
		func() float64 { return float64(estimator.InService()) })
	ready := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: ns, Name: "ready", Help: "1 while estimates are possible."},
		func() float64 {
			if estimator.State().Reason == "" {
				return 1
			}
			return 0
		})
	var err error
	for _, c := range []prometheus.Collector{m.requests, m.failures, m.duration, m.stages, waiting, inService, ready} {
		err = errors.Join(err, registry.Register(c))
	}
	return m, err
}

// request counts one; e is nil for a success.
func (m *Metrics) request(e *httpError, d time.Duration) {
	outcome := "ok"
	if e != nil {
		outcome = e.kind
		m.failures.WithLabelValues(string(e.why())).Inc()
	}
	m.requests.WithLabelValues(outcome).Inc()
	m.duration.Observe(d.Seconds())
}

func (m *Metrics) observe(t depth.Timing) {
	for stage, d := range map[string]time.Duration{
		"decode": t.Decode, "resize": t.Resize, "queue": t.Queue, "load": t.Load, "infer": t.Infer, "post": t.Post, "encode": t.Encode,
	} {
		m.stages.WithLabelValues(stage).Observe(d.Seconds())
	}
}
