// Package depthapi is the HTTP API over package depth (docs/openapi.yaml).
package depthapi

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"hailo-depth/depth"
	"hailo-depth/device"
	"hailo-depth/fetch"
)

// Settings are what the configuration decides.
type Settings struct {
	Format         string // default output_format
	Colormap       string // default colormap
	Representation string // default representation; empty: raw
	Normalize      bool   // default normalize
	Orient         bool   // default orient
	IncludeStats   bool
	AlwaysPNG16    bool // add the 16-bit PNG to every answer

	AllowURL   bool // image_url
	AllowPaths bool // image_path
	MaxBytes   int64
	Timeout    time.Duration // of an estimate
	ReadTime   time.Duration // of reading a request's body
}

// API serves the requests.
type API struct {
	Estimator *depth.Estimator
	Settings  Settings
	Fetcher   *fetch.Fetcher
	Version   string
	Page      Page
	Metrics   *Metrics
	Log       *slog.Logger
	Started   time.Time
}

// Page serves files outside the API; nil for none.
type Page interface {
	Has(path string) bool
	http.Handler
}

// route is a path with its methods.
type route struct {
	path    string
	methods map[string]http.HandlerFunc
}

// routes is the whole API; docs/openapi.yaml lists the same.
func (a *API) routes() []route {
	get := func(path string, h http.HandlerFunc) route {
		return route{path, map[string]http.HandlerFunc{http.MethodGet: h, http.MethodHead: h}}
	}
	return []route{
		get("/health", a.health),
		get("/health/ready", a.ready),
		get("/v1/info", a.info),
		get("/v1/models", a.models),
		get("/v1/colormaps", a.colormaps),
		get("/metrics", func(w http.ResponseWriter, r *http.Request) { a.Metrics.ServeHTTP(w, r) }),
		{"/v1/depth/estimate", map[string]http.HandlerFunc{http.MethodPost: a.estimate}},
	}
}

// Routes lists "METHOD /path" of everything that the API serves, sorted; HEAD,
// which goes with every GET, is left out.
func Routes() []string {
	var list []string
	for _, r := range (&API{}).routes() {
		for method := range r.methods {
			if method != http.MethodHead {
				list = append(list, method+" "+r.path)
			}
		}
	}
	slices.Sort(list)
	return list
}

// Handler serves the API, and the page at every path that the page has.
func (a *API) Handler() http.Handler {
	table := map[string]route{}
	for _, r := range a.routes() {
		table[r.path] = r
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.recover(w, r)
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		found, ok := table[r.URL.Path]
		if !ok {
			a.page(w, r)
			return
		}
		handle, ok := found.methods[r.Method]
		if !ok {
			allowed := make([]string, 0, len(found.methods))
			for m := range found.methods {
				allowed = append(allowed, m)
			}
			slices.Sort(allowed)
			header.Set("Allow", strings.Join(allowed, ", "))
			a.fail(w, &httpError{status: http.StatusMethodNotAllowed, kind: "method_not_allowed",
				message: r.Method + " is not allowed here; allowed: " + strings.Join(allowed, ", ")})
			return
		}
		handle(w, r)
	})
}

// page serves the page's files and answers everything else with 404.
func (a *API) page(w http.ResponseWriter, r *http.Request) {
	if a.Page != nil && a.Page.Has(r.URL.Path) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		a.Page.ServeHTTP(w, r)
		return
	}
	a.fail(w, &httpError{status: http.StatusNotFound, kind: "not_found", message: "there is nothing at " + r.URL.Path})
}

// recover turns a bug into an answer; the request's connection is all it costs.
func (a *API) recover(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	a.Log.Error("a request hit a bug", "path", r.URL.Path, "panic", p)
	a.fail(w, &httpError{status: http.StatusInternalServerError, kind: "internal_error", reason: device.ReasonBackend, message: "internal error; the service's log says more"})
}

// NewServer wraps the handler with limits on what a client may hold open.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
