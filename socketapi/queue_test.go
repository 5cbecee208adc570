package socketapi_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// inference is a request to a model file that it makes.
func inference(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return `{"action": "infer", "model_type": "pose", "model_path": "` + path + `", "input_data": {"input": {"dtype": "uint8", "shape": [1], "data_b64": "BQ=="}}}`
}

// awaitDepth asks again and again until so many requests wait.
func awaitDepth(t *testing.T, path string, want int) {
	t.Helper()
	c := dial(t, path)
	for deadline := time.Now().Add(patience); ; {
		var status struct {
			QueueDepth int `json:"queue_depth"`
		}
		if err := json.Unmarshal([]byte(ask(t, c, ping)), &status); err != nil {
			t.Fatal(err)
		}
		if status.QueueDepth == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d requests wait, want %d", status.QueueDepth, want)
		}
	}
}

// A client that hangs up takes its request out of the queue: the device never
// sees it. The others' stay where they are.
func TestHangupLeavesTheQueue(t *testing.T) {
	g, path := serveGate(t)
	running, gone, other := dial(t, path), dial(t, path), dial(t, path)
	send(t, running, inference(t, "running.hef"))
	if name := <-g.loading; name != "running.hef" {
		t.Fatalf("the device loads %s", name)
	}
	awaitDepth(t, path, 0)
	send(t, gone, inference(t, "gone.hef"))
	awaitDepth(t, path, 1)
	send(t, other, inference(t, "other.hef"))
	awaitDepth(t, path, 2)
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	awaitDepth(t, path, 1)
	const want = `{"status": "ok", "result": {"dtype": "uint8", "shape": [1], "data_b64": "BQ=="}, "inference_time_ms": 0}`
	g.pass <- struct{}{}
	if got := receive(t, running); got != want {
		t.Errorf("the first was answered %s", got)
	}
	if name := <-g.loading; name != "other.hef" {
		t.Errorf("next, the device loads %s", name)
	}
	g.pass <- struct{}{}
	if got := receive(t, other); got != want {
		t.Errorf("the other was answered %s", got)
	}
}

// A client that leaves while its request runs: the device goes on with it, and
// then with the next.
func TestHangupOfTheRunningRequest(t *testing.T) {
	g, path := serveGate(t)
	gone, other := dial(t, path), dial(t, path)
	send(t, gone, inference(t, "gone.hef"))
	<-g.loading
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	send(t, other, inference(t, "other.hef"))
	g.pass <- struct{}{}
	if name := <-g.loading; name != "other.hef" {
		t.Errorf("next, the device loads %s", name)
	}
	g.pass <- struct{}{}
	if got := receive(t, other); !strings.HasPrefix(got, `{"status": "ok"`) {
		t.Errorf("the other was answered %s", got)
	}
}

// While a load takes for ever, status requests are answered, and refusals that
// need no device.
func TestStatusDuringALoad(t *testing.T) {
	g, path := serveGate(t)
	loading := dial(t, path)
	send(t, loading, strings.Replace(inference(t, "a.hef"), `"infer"`, `"load_model"`, 1))
	<-g.loading
	awaitDepth(t, path, 0) // counted a moment later
	c := dial(t, path)
	for request, want := range map[string]string{
		ping:                          `"status":"ok"`,
		`{"action": "status"}`:        `"queue_depth":0`,
		`{"action": "device_status"}`: `"device_id":"gate0"`,
		`{"action": "load_model", "model_path": "/no/such"}`: `{"error": "Model file not found: /no/such"}`,
		`{"action": "infer"}`:                                `{"error": "model_path and input_data required"}`,
	} {
		if got := ask(t, c, request); !strings.Contains(got, want) {
			t.Errorf("%s is answered %s", request, got)
		}
	}
	g.pass <- struct{}{}
	if got := receive(t, loading); !strings.Contains(got, `"message": "Model loaded"`) {
		t.Errorf("the load is answered %s", got)
	}
}
