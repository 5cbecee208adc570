package device

import (
	"encoding/json"
	"net"
	"reflect"
	"sync"
	"testing"
	"time"

	"hailo-depth/tensor"
)

// asked makes the calls and returns the requests that the manager saw.
func asked(t *testing.T, answer string, calls func(c *Client)) (requests []map[string]any) {
	t.Helper()
	var mu sync.Mutex
	m := listen(t, socketPath(t), func(_ int, c net.Conn) {
		for r := request(c); r != nil; r = request(c) {
			mu.Lock()
			requests = append(requests, r)
			mu.Unlock()
			if _, err := c.Write(frame([]byte(answer))); err != nil {
				return
			}
		}
	})
	calls(client(t, m.path))
	m.stop()
	return requests
}

// The requests are those of the protocol, with the detail that managers since
// the first may give.
func TestRequestsOnTheWire(t *testing.T) {
	in := Input{
		Input: bytesTensor(tensor.Shape{1}, 1), Mode: "recognition", Tensor: bytesTensor(tensor.Shape{1}, 2), Image: bytesTensor(tensor.Shape{1}, 3),
		Language: "en", Crops: []tensor.Tensor{*bytesTensor(tensor.Shape{1}, 4)}, BatchSize: 5, TimeoutMS: 6,
	}
	wire := func(b64 string) map[string]any {
		return map[string]any{"dtype": "uint8", "shape": []any{1.0}, "data_b64": b64}
	}
	got := asked(t, `{"status": "ok"}`, func(c *Client) {
		m := Model{Type: "ocr", Path: "/a \"quoted\" path", Params: []byte(`{"recognition_hefs": {"en": "/r"}}`)}
		_, _ = c.Load(t.Context(), m) // only the requests count here
		_, _ = c.Infer(t.Context(), m, in)
		_, _ = c.Unload(t.Context(), theModel())
		_, _ = c.Infer(t.Context(), theModel(), Input{})
		_, _ = c.Status(t.Context())
	})
	params := map[string]any{"recognition_hefs": map[string]any{"en": "/r"}}
	want := []map[string]any{
		{"action": "load_model", "detail": true, "model_path": "/a \"quoted\" path", "model_type": "ocr", "model_params": params},
		{"action": "infer", "detail": true, "model_path": "/a \"quoted\" path", "model_type": "ocr", "model_params": params, "input_data": map[string]any{
			"input": wire("AQ=="), "mode": "recognition", "tensor": wire("Ag=="), "image": wire("Aw=="), "language": "en", "crops": []any{wire("BA==")}, "batch_size": 5.0, "timeout_ms": 6.0}},
		{"action": "unload_model", "detail": true, "model_path": "/m.hef", "model_type": "depth"},
		{"action": "infer", "detail": true, "model_path": "/m.hef", "model_type": "depth", "input_data": map[string]any{}},
		{"action": "device_status", "detail": true},
	}
	if !reflect.DeepEqual(got, want) {
		text, _ := json.MarshalIndent(got, "", " ")
		t.Errorf("the manager was asked %s", text)
	}
}

// What cannot be a request is refused here and costs no connection.
func TestRequestsThatAreNotSent(t *testing.T) {
	got := asked(t, okLoad, func(c *Client) {
		for name, m := range map[string]Model{
			"a path that is no text":  {Type: "depth", Path: "/\xff"},
			"parameters that are cut": {Type: "depth", Path: "/m", Params: []byte(`{"a": `)},
			"parameters and more":     {Type: "depth", Path: "/m", Params: []byte(`{}, "action": "unload_model"`)},
		} {
			if _, err := c.Load(t.Context(), m); err == nil {
				t.Errorf("%s: sent", name)
			} else {
				expectError(t, err, KindInvalid)
			}
		}
		_, err := c.Infer(t.Context(), theModel(), Input{Input: bytesTensor(tensor.Shape{2}, 1)})
		expectError(t, err, KindInvalid)
	})
	if len(got) != 0 {
		t.Errorf("the manager was asked %v", got)
	}
}

func TestAnswersOfEachCall(t *testing.T) {
	path := socketPath(t)
	answers := make(chan string, 1)
	listen(t, path, func(_ int, c net.Conn) {
		for request(c) != nil {
			if _, err := c.Write(frame([]byte(<-answers))); err != nil {
				return
			}
		}
	})
	c := client(t, path)
	for text, want := range map[string]Loaded{
		okLoad: {},
		`{"status": "ok", "message": "Model already loaded"}`:                                                              {Already: true},
		`{"status": "ok", "message": "Model loaded", "model_info": {"detection_input_shape": [736, 960, 3]}, "later": {}}`: {DetectionInputShape: tensor.Shape{736, 960, 3}},
	} {
		answers <- text
		if got, err := c.Load(t.Context(), theModel()); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]bool{okUnload: true, `{"status": "ok", "message": "Model was not loaded"}`: false} {
		answers <- text
		if got, err := c.Unload(t.Context(), theModel()); err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
	const result = `{"status": "ok", "result": {"dtype": "uint8", "shape": [1], "data_b64": "AQ=="}, "inference_time_ms": 12`
	for text, want := range map[string]Timing{
		result + `}`: {Infer: 12 * time.Millisecond},
		result + `, "timing": {"queue_us": 1, "load_us": 2, "infer_us": 12345, "library_us": 4}}`: {Queue: 1000, Load: 2000, Infer: 12345000, Library: 4000},
	} {
		answers <- text
		got, err := c.Infer(t.Context(), theModel(), Input{})
		if err != nil || !reflect.DeepEqual(got, Result{Tensor: bytesTensor(tensor.Shape{1}, 1), Timing: want}) {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
		if w := (Timing{Queue: 1500, Infer: time.Millisecond}).Wire(); w != (WireTiming{QueueUS: 1, InferUS: 1000}) {
			t.Errorf("on the wire: %+v", w)
		}
	}
	answers <- `{"status": "ok", "device": {"device_id": "d"}, "uptime_seconds": 1.5}`
	s, err := c.Status(t.Context())
	if err != nil || s.DeviceID != "d" || s.SocketPath != path || s.Uptime != 1500*time.Millisecond {
		t.Errorf("%+v, %v", s, err)
	}
}

// Calls one after another share a connection; those at once have one each, and
// what is kept of them is bounded.
func TestConnectionsAreKept(t *testing.T) {
	const calls = maxIdle + 4
	var together sync.WaitGroup
	together.Add(calls)
	m := listen(t, socketPath(t), func(_ int, c net.Conn) {
		for r := request(c); r != nil; r = request(c) {
			if r["action"] == "unload_model" {
				together.Done()
				together.Wait()
			}
			if _, err := c.Write(frame([]byte(okLoad))); err != nil {
				return
			}
		}
	})
	c := client(t, m.path)
	for range 5 {
		mustLoad(t, c)
	}
	if n := m.connections(); n != 1 {
		t.Errorf("5 calls one after another took %d connections", n)
	}
	var callers sync.WaitGroup
	for range calls {
		callers.Go(func() {
			if _, err := c.Unload(t.Context(), theModel()); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if n := m.connections(); n != calls {
		t.Errorf("%d calls at once took %d connections", calls, n)
	}
	if n := len(c.line.idle); n != maxIdle {
		t.Errorf("%d connections are kept", n)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	mustLoad(t, c) // still works, but keeps nothing
	if n := len(c.line.idle); n != 0 {
		t.Errorf("%d connections are kept after Close", n)
	}
}
