package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// figure is a metric's value; 0 while there is none.
func (d *running) figure(t *testing.T, series string) float64 {
	t.Helper()
	_, body := d.get(t, "/metrics")
	for line := range strings.Lines(body) {
		if text, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			return v
		}
	}
	return 0
}

func (d *running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), http.MethodGet, d.web+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true // no connection stays open behind the test's back
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestHTTP(t *testing.T) {
	d := start(t, "")
	d.mustInfer(t)
	code, body := d.get(t, "/v1/device/status")
	var status struct {
		Device   struct{ Architecture string }
		Networks struct {
			Networks []struct {
				Path string `json:"model_path"`
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &status); err != nil {
		t.Fatal(err)
	}
	if n := status.Networks.Networks; code != http.StatusOK || status.Device.Architecture != "HAILO10H" || len(n) != 1 || n[0].Path != d.model.Path {
		t.Errorf("status %d: %s", code, body)
	}
	if code, body := d.get(t, "/healthz"); code != http.StatusOK || body != `{"status":"ok"}` {
		t.Errorf("healthz %d: %s", code, body)
	}
	if code, body := d.get(t, "/readyz"); code != http.StatusOK || body != `{"ready":true}` {
		t.Errorf("readyz %d: %s", code, body)
	}
	code, body = d.get(t, "/metrics")
	for _, want := range []string{
		`hailo_device_requests_total{action="infer",model_type="depth",outcome="ok",reason=""} 1`,
		`hailo_device_model_loads_total{model="model.hef",outcome="ok"} 1`,
		"process_open_fds ", "go_goroutines ", "go_build_info{",
	} {
		if code != http.StatusOK || !strings.Contains(body, "\n"+want) {
			t.Errorf("metrics %d lack %s", code, want)
		}
	}
	d.terminate(t, patience)
}
