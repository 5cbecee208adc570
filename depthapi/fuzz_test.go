package depthapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hailo-depth/catalog"
	"hailo-depth/depth"
	"hailo-depth/depthapi"
	"hailo-depth/fetch"
	"hailo-depth/sim/simtest"
)

// FuzzEstimate sends arbitrary bodies under arbitrary types to the handler,
// with a real simulated device behind it. Whatever comes, the answer is a depth
// map or a client's error in the envelope, and the service lives.
func FuzzEstimate(f *testing.F) {
	small, err := os.ReadFile(filepath.Join(contract, "images", "rgba_17x13.png"))
	if err != nil {
		f.Fatal(err)
	}
	const boundary = "multipart/form-data; boundary=b"
	part := "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\n"
	f.Add(boundary, "image/png", []byte(part+string(small)+"\r\n--b--\r\n"))
	f.Add(boundary, "", []byte(part+"x\r\n--b\r\nContent-Disposition: form-data; name=\"colormap\"\r\n\r\njet\r\n--b--\r\n"))
	f.Add("application/json", "", []byte(`{"image": "aGVsbG8=", "normalize": true, "output_format": "both", "colormap": "jet", "orient": false}`))
	f.Add("application/json; charset=utf-8", "application/x-npz", []byte(`{"image_url": "http://127.0.0.1:1/", "image": null}`))
	f.Add("text/plain", "*/*", []byte("x"))

	models := f.TempDir()
	if err := os.WriteFile(filepath.Join(models, "scdepthv3.hef"), make([]byte, 1024), 0o644); err != nil {
		f.Fatal(err)
	}
	log := quiet()
	e := depth.New(depth.Options{Device: startManager(f, simtest.Command()), Catalog: catalog.Catalog{Dir: models}, KeepAlive: -1,
		Limits: depth.Limits{Pictures: 4, Queue: 64, MaxPixels: 1e5, WorkPixels: 1e6}, Log: log})
	go e.Run(f.Context())
	if err := e.AwaitReady(f.Context()); err != nil {
		f.Fatal(err)
	}
	metrics, err := depthapi.NewMetrics(prometheus.NewRegistry(), e, log)
	if err != nil {
		f.Fatal(err)
	}
	s := settings()
	s.MaxBytes = 1 << 20
	handler := (&depthapi.API{Estimator: e, Settings: s, Fetcher: fetch.New(fetch.Rules{}, s.MaxBytes, time.Second), Metrics: metrics, Log: log, Started: time.Now()}).Handler()
	f.Fuzz(func(t *testing.T, contentType, accept string, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/depth/estimate", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		switch {
		case w.Code == 200 && w.Body.Len() > 0:
		case w.Code >= 400 && w.Code < 500:
			var envelope struct {
				Error struct{ Message, Type string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &envelope); err != nil || envelope.Error.Message == "" || envelope.Error.Type == "" {
				t.Errorf("status %d with %.200q: %v", w.Code, w.Body, err)
			}
		default:
			t.Errorf("status %d: %.300s", w.Code, w.Body)
		}
	})
}
