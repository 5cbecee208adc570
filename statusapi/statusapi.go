// Package statusapi is the device manager's HTTP side: its status, its health
// and its figures for Prometheus. It changes nothing.
package statusapi

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hailo-depth/device"
)

// Manager is what is shown.
type Manager interface {
	Status(ctx context.Context) (device.Status, error)
	// Ready says why requests would fail at the moment, "" when they would not.
	Ready() string
	// Alive reports whether the scheduler turns.
	Alive(ctx context.Context) bool
}

// ParseBind reads HAILO_DEVICE_HTTP_BIND: host:port, a bare port, which means
// 127.0.0.1, or one of "", 0, off, false, none, disable and disabled, for which
// it returns "".
func ParseBind(value string) (string, error) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "0", "off", "false", "none", "disable", "disabled":
		return "", nil
	}
	bind := strings.TrimSpace(value)
	if port, err := strconv.ParseUint(bind, 10, 16); err == nil {
		return net.JoinHostPort("127.0.0.1", strconv.FormatUint(port, 10)), nil
	}
	_, port, err := net.SplitHostPort(bind)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return "", fmt.Errorf("%q is no address: expected host:port, a port, or off", value)
	}
	return bind, nil
}

// Handler serves GET (and HEAD) of /v1/device/status, /metrics, /healthz and
// /readyz; everything else is {"error": "Not found"}.
func Handler(m Manager, registry *prometheus.Registry, log *slog.Logger) http.Handler {
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError)})
	routes := map[string]http.HandlerFunc{
		"/v1/device/status": func(w http.ResponseWriter, r *http.Request) { status(w, r, m) },
		"/metrics":          metrics.ServeHTTP,
		"/healthz":          func(w http.ResponseWriter, r *http.Request) { health(w, r, m) },
		"/readyz":           func(w http.ResponseWriter, _ *http.Request) { ready(w, m) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle, ok := routes[r.URL.Path]
		switch {
		case !ok:
			fail(w, http.StatusNotFound, "Not found")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			fail(w, http.StatusMethodNotAllowed, fmt.Sprintf("%s is not allowed here; use GET", r.Method))
		default:
			handle(w, r)
		}
	})
}

func status(w http.ResponseWriter, r *http.Request, m Manager) {
	s, err := m.Status(r.Context())
	var body []byte
	if err == nil {
		body, err = device.MarshalDeviceStatus(s)
	}
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	write(w, http.StatusOK, body)
}

// health is for "restart me": it fails only when the scheduler is stuck.
func health(w http.ResponseWriter, r *http.Request, m Manager) {
	if !m.Alive(r.Context()) {
		fail(w, http.StatusServiceUnavailable, "the scheduler does not answer")
		return
	}
	write(w, http.StatusOK, []byte(`{"status":"ok"}`))
}

// ready is for "send me work": it says what is missing.
func ready(w http.ResponseWriter, m Manager) {
	answer := struct {
		Ready  bool   `json:"ready"`
		Reason string `json:"reason,omitzero"`
	}{Reason: m.Ready()}
	answer.Ready = answer.Reason == ""
	code := http.StatusOK
	if !answer.Ready {
		code = http.StatusServiceUnavailable
	}
	body, err := json.Marshal(answer)
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	write(w, code, body)
}

func fail(w http.ResponseWriter, code int, message string) {
	body, err := json.Marshal(map[string]string{"error": message})
	if err != nil {
		body = []byte(`{"error":"internal error"}`)
	}
	write(w, code, body)
}

func write(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client may have gone; that is its affair
}
