package statusapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hailo-depth/device"
)

// fakeManager answers what a test wants.
type fakeManager struct {
	status  device.Status
	err     error
	waiting string // why it is not ready
	stuck   bool
}

func (f *fakeManager) Status(context.Context) (device.Status, error) { return f.status, f.err }
func (f *fakeManager) Ready() string                                 { return f.waiting }
func (f *fakeManager) Alive(context.Context) bool                    { return !f.stuck }

// serve runs the handler over m on a real server.
func serve(t *testing.T, m Manager) *httptest.Server {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "hailo_test_value", Help: "A value."}, func() float64 { return 42 }))
	s := httptest.NewServer(Handler(m, registry, slog.New(slog.NewTextHandler(t.Output(), nil))))
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, method, url string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return response, body
}

func keys(t *testing.T, text []byte) []string {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return slices.Sorted(maps.Keys(object))
}

func TestStatus(t *testing.T) {
	celsius := 51.25
	m := &fakeManager{status: device.Status{
		DeviceID: "0001:01:00.0", Architecture: "HAILO10H", Firmware: "5.3.0", Temperature: &celsius, Uptime: 1500 * time.Millisecond, QueueDepth: 2, Evictions: 3,
		Models: []device.LoadedModel{{Type: "depth", Path: "/m/scdepthv3.hef", LoadedAt: time.Unix(10, 0), LastUsed: time.Unix(20, 5e8)}},
	}}
	response, body := get(t, "GET", serve(t, m).URL+"/v1/device/status")
	const want = `{"status":"ok","device":{"device_id":"0001:01:00.0","architecture":"HAILO10H","fw_version":"5.3.0","temperature_celsius":51.25},` +
		`"networks":{"status":"ok","source":"device_manager","network_count":1,"networks":[{"name":"scdepthv3.hef","model_type":"depth","model_path":"/m/scdepthv3.hef","loaded_at":10,"last_used":20.5}]},` +
		`"uptime_seconds":1.5,"queue_depth":2,"total_lru_evictions":3,"runtime_broken_reason":null,"last_capacity_event_reason":null,"last_capacity_event_model":null,"last_capacity_event_at":null}`
	if response.StatusCode != 200 || string(body) != want {
		t.Errorf("%d\n%s\nwant\n%s", response.StatusCode, body, want)
	}
	if response.Header.Get("Content-Type") != "application/json; charset=utf-8" || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", response.Header)
	}

	// Without a device the same keys are there.
	m.status = device.Status{TemperatureErr: "no sensor", IdentifyErr: "no device", RuntimeBroken: "lost", CapacityEvent: device.CapacityEvent{Reason: "full", Model: "m", At: time.Unix(30, 0)}}
	_, body = get(t, "GET", serve(t, m).URL+"/v1/device/status")
	if got := keys(t, body); !slices.Equal(got, keys(t, []byte(want))) {
		t.Errorf("keys %q", got)
	}
	for _, part := range []string{`"device_id":null`, `"temperature_celsius":null,"temperature_error":"no sensor","identify_error":"no device"`, `"networks":[]`, `"runtime_broken_reason":"lost"`, `"last_capacity_event_at":30`} {
		if !strings.Contains(string(body), part) {
			t.Errorf("%s is not in %s", part, body)
		}
	}

	m.err = errors.New("the manager has stopped")
	response, body = get(t, "GET", serve(t, m).URL+"/v1/device/status")
	if response.StatusCode != 500 || string(body) != `{"error":"the manager has stopped"}` {
		t.Errorf("%d %s", response.StatusCode, body)
	}
}

func TestHealth(t *testing.T) {
	m := &fakeManager{}
	url := serve(t, m).URL
	for _, c := range []struct {
		path    string
		waiting string
		stuck   bool
		code    int
		body    string
	}{
		{"/healthz", "", false, 200, `{"status":"ok"}`},
		{"/healthz", "the device is away", false, 200, `{"status":"ok"}`},
		{"/healthz", "", true, 503, `{"error":"the scheduler does not answer"}`},
		{"/readyz", "", false, 200, `{"ready":true}`},
		{"/readyz", "the device is away", false, 503, `{"ready":false,"reason":"the device is away"}`},
	} {
		m.waiting, m.stuck = c.waiting, c.stuck
		response, body := get(t, "GET", url+c.path)
		if response.StatusCode != c.code || string(body) != c.body {
			t.Errorf("%s of %+v: %d %s", c.path, m, response.StatusCode, body)
		}
	}
}

func TestOtherPathsAndMethods(t *testing.T) {
	url := serve(t, &fakeManager{}).URL
	for _, path := range []string{"/", "/v1/device/status/", "/v1/device", "/V1/device/status", "/metrics/", "/debug/pprof/", "/healthz/x", "//healthz"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			response, body := get(t, method, url+path)
			if response.StatusCode != 404 || string(body) != `{"error":"Not found"}` {
				t.Errorf("%s %s: %d %s", method, path, response.StatusCode, body)
			}
		}
	}
	for _, path := range []string{"/v1/device/status", "/metrics", "/healthz", "/readyz"} {
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
			response, body := get(t, method, url+path)
			if response.StatusCode != 405 || response.Header.Get("Allow") != "GET, HEAD" || string(body) != `{"error":"`+method+` is not allowed here; use GET"}` {
				t.Errorf("%s %s: %d %v %s", method, path, response.StatusCode, response.Header, body)
			}
		}
		response, body := get(t, "HEAD", url+path)
		if response.StatusCode != 200 || len(body) != 0 {
			t.Errorf("HEAD %s: %d %s", path, response.StatusCode, body)
		}
		if response, _ := get(t, "GET", url+path+"?x=1"); response.StatusCode != 200 {
			t.Errorf("GET %s?x=1: %d", path, response.StatusCode)
		}
	}
}

func TestMetrics(t *testing.T) {
	response, body := get(t, "GET", serve(t, &fakeManager{}).URL+"/metrics")
	if response.StatusCode != 200 || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%d %v", response.StatusCode, response.Header)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	value, ok := families["hailo_test_value"]
	if !ok || value.GetMetric()[0].GetGauge().GetValue() != 42 || families["go_goroutines"] == nil {
		t.Errorf("got %s", body)
	}
	if families["promhttp_metric_handler_errors_total"] != nil {
		t.Error("figures of another registry are among ours")
	}
}

func TestParseBind(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "0": "", "off": "", "false": "", "none": "", "disable": "", "disabled": "", "OFF": "", " Off ": "", "\tNone\n": "",
		"5099": "127.0.0.1:5099", " 5099 ": "127.0.0.1:5099", "65535": "127.0.0.1:65535", "127.0.0.1:5099": "127.0.0.1:5099",
		":5099": ":5099", "0.0.0.0:1": "0.0.0.0:1", "[::1]:5099": "[::1]:5099", "localhost:0": "localhost:0",
	} {
		if got, err := ParseBind(value); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", value, got, err, want)
		}
	}
	for _, value := range []string{"localhost", "127.0.0.1", "65536", "-1", "1:2:3", "::1", "localhost:http", "host:", "host:65536", "host:-1", "http://127.0.0.1:5099", "yes", "on", "/run/x.sock"} {
		if got, err := ParseBind(value); err == nil || !strings.Contains(err.Error(), "expected host:port, a port, or off") {
			t.Errorf("%q: %q, %v", value, got, err)
		}
	}
}
