// Package inferapi serves the device manager over HTTP: the Open Inference
// Protocol v2 with binary tensors, and the manager's own operations
// (docs/inference-protocol.md, docs/openapi-manager.yaml).
package inferapi

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"hailo-depth/device"
)

// Manager is what the API gives access to.
type Manager interface {
	device.Service
	// Ready says why requests would fail at the moment, "" when they would not.
	Ready() string
	// Alive reports whether the scheduler turns.
	Alive(ctx context.Context) bool
	// Overview is the device, the models and the queue at this moment.
	Overview(ctx context.Context) device.Overview
	// Pin keeps a model on the device, or lets it go again.
	Pin(ctx context.Context, m device.Model, pinned bool) error
}

// Named is a model of the configuration.
type Named struct {
	Name string
	device.Model
}

// API answers requests. Its fields are not changed once Handler was called.
type API struct {
	Manager Manager
	Models  func() []Named // the configured ones; may change between calls
	// Reload applies the configuration anew. needRestart are changed settings that
	// wait for the next start. With an error nothing has changed.
	Reload func(ctx context.Context) (needRestart []string, err error)
	// Status serves /metrics, /healthz, /readyz and /v1/device/status.
	Status     http.Handler
	Version    string
	MaxMessage int64 // bytes of a request and of an answer
	Bodies     *Bodies
	Log        *slog.Logger
}

// Access says what a listener's clients may do.
type Access struct {
	// Trusted clients, those of the Unix socket, may name model files, see paths
	// and use the manager's own operations. Others get /v2 and configured models.
	Trusted bool
	// Token is what a request must carry as "Authorization: Bearer"; empty: nothing.
	Token []byte
	// Hosts are names that a Host header may have besides those of hostAllowed.
	Hosts []string
}

// bodyTimeout is how long a request's body may take to arrive, and an answer to
// be taken.
const bodyTimeout = 60 * time.Second

// session is the API for the clients of one listener.
type session struct {
	*API
	access Access
}

// route is a path with what its methods do.
type route struct {
	method, path string
	trusted      bool // for trusted clients only
	handle       func(*session, http.ResponseWriter, *http.Request) error
}

func routes() []route {
	status := func(s *session, w http.ResponseWriter, r *http.Request) error {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bodyTimeout)) // writers of tests have none
		s.Status.ServeHTTP(w, r)
		return nil
	}
	all := []route{
		{"GET", "/v2", false, (*session).server},
		{"GET", "/v2/health/live", false, (*session).live},
		{"GET", "/v2/health/ready", false, (*session).ready},
		{"POST", "/v2/repository/index", false, (*session).index},
		{"POST", "/v2/repository/models/{model}/load", false, (*session).load},
		{"POST", "/v2/repository/models/{model}/unload", false, (*session).unload},
		{"GET", "/v1/ps", true, (*session).ps},
		{"POST", "/v1/models/{model}/pin", true, (*session).pin},
		{"POST", "/v1/models/{model}/unpin", true, (*session).unpin},
		{"POST", "/v1/reload", true, (*session).reload},
		{"GET", "/metrics", true, status},
		{"GET", "/healthz", true, status},
		{"GET", "/readyz", true, status},
		{"GET", "/v1/device/status", true, status},
	}
	for _, model := range []string{"/v2/models/{model}", "/v2/models/{model}/versions/{version}"} {
		all = append(all, route{"GET", model, false, (*session).metadata},
			route{"GET", model + "/ready", false, (*session).modelReady},
			route{"POST", model + "/infer", false, (*session).infer})
	}
	return all
}

// Routes lists what is served, "METHOD /path", for the document's test.
func Routes() []string {
	var list []string
	for _, r := range routes() {
		list = append(list, r.method+" "+r.path)
	}
	slices.Sort(list)
	return list
}

// Handler serves the clients of one listener.
func (a *API) Handler(access Access) http.Handler {
	s := &session{a, access}
	mux := http.NewServeMux()
	paths := map[string][]route{}
	for _, r := range routes() {
		if access.Trusted || !r.trusted {
			paths[r.path] = append(paths[r.path], r)
		}
	}
	for path, methods := range paths {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { s.dispatch(w, r, methods) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &httpError{http.StatusNotFound, &device.Error{Kind: device.KindInvalid, Message: "there is no " + clip(r.URL.Path) + "; see docs/inference-protocol.md"}})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if err := access.check(r); err != nil {
			s.fail(w, r, err)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *session) dispatch(w http.ResponseWriter, r *http.Request, methods []route) {
	var allowed []string
	for _, m := range methods {
		if r.Method == m.method || r.Method == http.MethodHead && m.method == http.MethodGet {
			if err := m.handle(s, w, r); err != nil {
				s.fail(w, r, err)
			}
			return
		}
		allowed = append(allowed, m.method)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	s.fail(w, r, &httpError{http.StatusMethodNotAllowed, invalid("%s is not allowed here; use %s", clip(r.Method), strings.Join(allowed, " or "))})
}
