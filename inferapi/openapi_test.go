package inferapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"hailo-depth/device"
	"hailo-depth/inferapi"
	"hailo-depth/internal/apidoc"
	"hailo-depth/sim/simtest"
)

const document = "../docs/openapi-manager.yaml"

// Every path and method of the handlers is in the document, and the other way
// round.
func TestOpenAPIListsTheRoutes(t *testing.T) {
	read, _ := apidoc.Load(t, document)
	documented := apidoc.Operations(read)
	if served := inferapi.Routes(); !slices.Equal(documented, served) {
		t.Errorf("%s has %v\nthe handlers serve %v", document, documented, served)
	}
}

// full is an overview with every field.
func full() device.Overview {
	now, celsius, half := time.Now(), 50.5, 0.5
	return device.Overview{
		At: now, Ready: "why",
		Device: device.DeviceOverview{ID: "d", Backend: "sim", TemperatureCelsius: &celsius, Utilization: &half, OpenedAt: now},
		Models: []device.ModelOverview{{Name: "m", Type: "depth", Path: "/m", State: device.StateRunning, LoadedAt: now, LastUsed: now, ExpiresAt: now}},
		Queue: device.QueueOverview{Running: &device.RunningOverview{Action: "infer", Since: now},
			Clients: []device.ClientOverview{{Client: "c", Priority: 5, Waiting: 1}}},
	}
}

// Real answers, good and bad, are what the document says.
func TestOpenAPIDescribesTheAnswers(t *testing.T) {
	_, router := apidoc.Load(t, document)
	m := startManager(t, simtest.Command())
	api := newAPI(m, inferapi.Named{Name: "gray", Model: device.Model{Type: "depth", Path: writeModel(t, "file.hef", gray)}})
	api.Reload = func(context.Context) ([]string, error) { return []string{"socket"}, nil }
	c := web(t, serve(t, api))
	head := `{"inputs":[{"name":"in","shape":[4,4,3],"datatype":"UINT8","parameters":{"binary_data_size":48}}]}`
	for _, q := range []struct {
		method, path string
		status       int
		body         []byte
		headers      []string
	}{
		{"GET", "/v2", 200, nil, nil},
		{"GET", "/v2/health/live", 200, nil, nil},
		{"GET", "/v2/health/ready", 200, nil, nil},
		{"GET", "/v2/models/gray", 503, nil, nil},
		{"POST", "/v2/repository/index", 200, nil, nil},
		{"POST", "/v2/repository/models/gray/load", 200, []byte(`{}`), nil},
		{"POST", "/v2/models/gray/infer", 200, flat(1, `"id":"1","parameters":{"priority":9},`), nil},
		{"POST", "/v2/models/gray/versions/1/infer", 200, append([]byte(head), picture(1).Data...), []string{"Inference-Header-Content-Length", fmt.Sprint(len(head))}},
		{"POST", "/v2/models/gray/infer", 400, []byte("{"), nil},
		{"POST", "/v2/models/none/infer", 404, flat(1, ""), nil},
		{"GET", "/v2/models/gray", 200, nil, nil},
		{"GET", "/v2/models/gray/ready", 200, nil, nil},
		{"GET", "/v2/models/gray/versions/1", 200, nil, nil},
		{"GET", "/v2/models/gray/versions/1/ready", 200, nil, nil},
		{"POST", "/v2/repository/index", 200, []byte(`{"ready":true}`), nil},
		{"GET", "/v1/ps", 200, nil, nil},
		{"POST", "/v1/models/none/pin", 404, nil, nil},
		{"POST", "/v1/models/gray/pin", 200, nil, nil},
		{"POST", "/v1/models/gray/unpin", 200, nil, nil},
		{"POST", "/v1/reload", 200, nil, nil},
		{"GET", "/v1/device/status", 200, nil, nil},
		{"GET", "/healthz", 200, nil, nil},
		{"GET", "/readyz", 200, nil, nil},
		{"POST", "/v2/repository/models/gray/unload", 200, nil, nil},
		{"GET", "/v2", 403, nil, []string{"Origin", "null"}},
	} {
		t.Run(q.method+" "+q.path+" "+fmt.Sprint(q.status), func(t *testing.T) {
			r := ask(t, c, q.method, host+q.path, q.body, q.headers...)
			if r.status != q.status {
				t.Fatalf("status %d: %.200s", r.status, r.body)
			}
			conforms(t, router, q.method, q.path, r)
		})
	}
	c = web(t, serve(t, newAPI(&fake{overview: full()})))
	conforms(t, router, "GET", "/v1/ps", ask(t, c, "GET", host+"/v1/ps", nil))
}

// conforms expects an answer as the document has it.
func conforms(t *testing.T, router routers.Router, method, path string, r reply) {
	t.Helper()
	if !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		return // bytes, which have tests of their own
	}
	request, err := http.NewRequestWithContext(t.Context(), method, host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	route, parameters, err := router.FindRoute(request)
	if err != nil {
		t.Fatal(err)
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, PathParams: parameters, Route: route},
		Status:                 r.status, Header: r.header,
		Body:    readCloser{bytes.NewReader(r.body)},
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		t.Error(err)
	}
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// The overview comes back through the client, and so do the operations.
func TestOperationsOfAClient(t *testing.T) {
	want := full()
	pins, reloads := make(chan bool, 1), make(chan error, 2)
	api := newAPI(&fake{overview: want, pin: func(m device.Model, pinned bool) {
		if m.Path != "/m" {
			t.Errorf("%+v", m)
		}
		pins <- pinned
	}}, inferapi.Named{Name: "a b", Model: device.Model{Type: "depth", Path: "/m"}})
	api.Reload = func(context.Context) ([]string, error) { return []string{"socket"}, <-reloads }
	c := client(t, serve(t, api))
	got, err := c.Overview(t.Context())
	if err != nil || !got.At.Equal(want.At) || len(got.Models) != 1 || got.Models[0].Name != "m" || *got.Device.Utilization != 0.5 || got.Queue.Running.Action != "infer" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, pinned := range []bool{true, false} {
		if err := c.Pin(t.Context(), "a b", pinned); err != nil || <-pins != pinned {
			t.Error(err)
		}
	}
	reloads <- nil
	if r, err := c.Reload(t.Context()); err != nil || !slices.Equal(r.NeedRestart, []string{"socket"}) {
		t.Error(r, err)
	}
	reloads <- errors.New("config.yaml:3: no")
	if _, err := c.Reload(t.Context()); device.KindOf(err) != device.KindInvalid || !strings.HasSuffix(err.Error(), "config.yaml:3: no") {
		t.Error(err)
	}
	if l, err := c.LoadNamed(t.Context(), "a b"); err != nil || !l.Already {
		t.Error(l, err)
	}
	if err := c.Pin(t.Context(), "none", true); device.KindOf(err) != device.KindNotFound {
		t.Error(err)
	}
}
