package depthapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"hailo-depth/depthapi"
	"hailo-depth/depthmap"
	"hailo-depth/fetch"
	"hailo-depth/internal/apidoc"
	"hailo-depth/representation"
)

const document = "../docs/openapi.yaml"

// Every path and method of the handlers is in the document, and the other way
// round.
func TestOpenAPIListsTheRoutes(t *testing.T) {
	read, _ := apidoc.Load(t, document)
	documented := apidoc.Operations(read)
	if served := depthapi.Routes(); !slices.Equal(documented, served) {
		t.Errorf("%s has %v\nthe handlers serve %v", document, documented, served)
	}
	estimate := read.Components.Schemas
	if got := enum(estimate["Colormap"]); !slices.Equal(got, depthmap.Colormaps()) {
		t.Errorf("colormaps in the document: %v", got)
	}
	if got := enum(estimate["Representation"]); !slices.Equal(got, representation.Names()) {
		t.Errorf("representations in the document: %v", got)
	}
	if got := enum(estimate["OutputFormat"]); !slices.Equal(got, depthapi.Formats()) {
		t.Errorf("output formats in the document: %v", got)
	}
}

func enum(s *openapi3.SchemaRef) []string {
	var values []string
	for _, v := range s.Value.Enum {
		values = append(values, v.(string))
	}
	return values
}

// Real answers, good and bad, are what the document says.
func TestOpenAPIDescribesTheAnswers(t *testing.T) {
	_, router := apidoc.Load(t, document)
	always16 := settings()
	always16.AlwaysPNG16 = true
	s := startReady(t, always16, fetch.Rules{})
	picture, err := os.ReadFile(filepath.Join(contract, "images", "rgba_17x13.png"))
	if err != nil {
		t.Fatal(err)
	}
	jsonBody := func(v any) *http.Request {
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		r := newRequest(t, http.MethodPost, "/v1/depth/estimate", body)
		r.Header.Set("Content-Type", "application/json")
		return r
	}
	accepting := func(kind string) *http.Request {
		r := form(t, picture, nil)
		r.Header.Set("Accept", kind)
		return r
	}
	for name, c := range map[string]struct {
		request *http.Request
		status  int
	}{
		"health":       {newRequest(t, http.MethodGet, "/health", nil), 200},
		"ready":        {newRequest(t, http.MethodGet, "/health/ready", nil), 200},
		"info":         {newRequest(t, http.MethodGet, "/v1/info", nil), 200},
		"models":       {newRequest(t, http.MethodGet, "/v1/models", nil), 200},
		"colormaps":    {newRequest(t, http.MethodGet, "/v1/colormaps", nil), 200},
		"form":         {form(t, picture, map[string]string{"normalize": "false", "colormap": "turbo"}), 200},
		"json":         {jsonBody(map[string]any{"image": picture, "output_format": "numpy", "orient": true}), 200},
		"explained":    {form(t, picture, map[string]string{"representation": "raw"}), 200},
		"depth":        {jsonBody(map[string]any{"image": picture, "representation": "depth"}), 200},
		"fixed range":  {jsonBody(map[string]any{"image": picture, "representation": "raw", "range": []float64{1, 2}}), 200},
		"no wish":      {form(t, picture, map[string]string{"representation": "metres"}), 400},
		"needless":     {jsonBody(map[string]any{"image": picture, "representation": "depth", "depth_range": []float64{1, 2}}), 400},
		"png":          {accepting("image/png"), 200},
		"npz":          {accepting("application/x-npz"), 200},
		"no image":     {jsonBody(map[string]any{"normalize": true}), 400},
		"bad colormap": {form(t, picture, map[string]string{"colormap": "grey"}), 400},
		"no picture":   {form(t, []byte("hello"), nil), 400},
	} {
		t.Run(name, func(t *testing.T) {
			route, parameters, err := router.FindRoute(c.request)
			if err != nil {
				t.Fatal(err)
			}
			status, header, body := s.post(t, c.request)
			if status != c.status {
				t.Fatalf("status %d: %.200s", status, body)
			}
			if kind := header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
				return // bytes, which have tests of their own
			}
			err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
				RequestValidationInput: &openapi3filter.RequestValidationInput{Request: c.request, PathParams: parameters, Route: route},
				Status:                 status, Header: header,
				Body:    readCloser{bytes.NewReader(body)},
				Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

func newRequest(t testing.TB, method, path string, body []byte) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
