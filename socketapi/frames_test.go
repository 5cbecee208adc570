package socketapi_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"hailo-depth/device"
	"hailo-depth/tensor"
)

// Requests sent in one go are answered one by one, in order, whatever becomes
// of each of them.
func TestPipelinedRequests(t *testing.T) {
	path := serve(t, newServer(failing(&device.Error{Kind: device.KindTimeout, Message: "too late"})))
	c := dial(t, path)
	send(t, c,
		`{"action": "ping", "request_id": 1}`,
		`{"action": "dance", "request_id": 2}`,
		strings.Replace(anInfer, `{`, `{"request_id": 3, `, 1),
		`{"action": "load_model", "request_id": 4}`,
		`{"action": "unload_model", "model_path": "/m", "request_id": 5}`,
		`{"action": "device_status", "request_id": 6}`,
	)
	for i, want := range []string{`"device_id":"fake0"`, `"error": "Unknown action: dance"`, `"error": "too late"`, `"error": "model_path required"`, `"message": "Model unloaded"`, `"device":{`} {
		got := receive(t, c)
		if !strings.Contains(got, want) || !strings.HasSuffix(got, `, "request_id": `+string(rune('1'+i))+`}`) {
			t.Errorf("answer %d is %s", i+1, got)
		}
	}
}

// What is no JSON object is answered and ends the connection, with what comes behind it.
func TestNoRequestEndsTheConnection(t *testing.T) {
	path := serve(t, newServer(fakeManager{}))
	for text, want := range map[string]string{
		"":                       "Invalid JSON: ",
		`{"action": "ping"`:      "Invalid JSON: ",
		`{"action": "ping"} {}`:  "Invalid JSON: ",
		"{\"action\": \"\xff\"}": "Invalid JSON: ",
		strings.Repeat(`[`, 1e5): "Invalid JSON: ",
		`[{"action": "ping"}]`:   "Request must be a JSON object, got a list",
		` 5 `:                    "Request must be a JSON object, got a number",
	} {
		c := dial(t, path)
		send(t, c, ping, text, ping)
		receive(t, c)
		if got := receive(t, c); !strings.HasPrefix(got, `{"error": "`+want) {
			t.Errorf("%.20q is answered %s", text, got)
		}
		expectEnd(t, c)
	}
}

// A length over the limit is answered before the body comes, for none of which
// memory is taken; a length at the limit is served.
func TestOversizedRequest(t *testing.T) {
	s := newServer(fakeManager{})
	s.MaxMessage = 1024
	path := serve(t, s)
	for prefix, want := range map[string]string{
		"\x00\x00\x04\x01": `{"error": "Message too large: 1025 bytes"}`,
		"\x80\x00\x00\x00": `{"error": "Message too large: 2147483648 bytes"}`,
		"\xff\xff\xff\xff": `{"error": "Message too large: 4294967295 bytes"}`,
	} {
		c := dial(t, path)
		if _, err := c.Write([]byte(prefix)); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, c); got != want {
			t.Errorf("%q is answered %s", prefix, got)
		}
		expectEnd(t, c)
	}
	whole := ping + strings.Repeat(" ", 1024-len(ping))
	if got := ask(t, dial(t, path), whole); !strings.HasPrefix(got, `{"status":"ok"`) {
		t.Errorf("1024 bytes are answered %s", got)
	}
}

// An answer over the limit becomes an error, and one that is still too large,
// because of its identifier, the end.
func TestOversizedAnswer(t *testing.T) {
	large := device.Result{Tensor: &tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{1000}, Data: make([]byte, 1000)}}
	s := newServer(answering(large))
	s.MaxMessage = 1024
	c := dial(t, serve(t, s))
	got := ask(t, c, strings.Replace(anInfer, `{`, `{"request_id": "a", `, 1))
	if !strings.HasPrefix(got, `{"error": "Response too large: `) || !strings.HasSuffix(got, `, "request_id": "a"}`) {
		t.Errorf("answered %s", got)
	}
	if got := ask(t, c, ping); !strings.HasPrefix(got, `{"status":"ok"`) {
		t.Errorf("then %s", got)
	}
	send(t, c, `{"action": "dance", "request_id": "`+strings.Repeat("a", 980)+`"}`)
	expectEnd(t, c)
}

// The identifier comes back as it was written, whatever JSON it is; null is none.
func TestRequestID(t *testing.T) {
	c := dial(t, serve(t, newServer(fakeManager{})))
	for _, id := range []string{`"a"`, `""`, `0`, `-1.50e+400`, `12345678901234567890123`, `true`, `false`, `[]`, `{"a": [1, {"a": 2, "a": 3}]}`, `"\u0041\n"`, `"名"`, `null`, ``} {
		field := `, "request_id": ` + id
		if id == "" {
			field = ""
		}
		got := ask(t, c, `{"action": "unload_model", "model_path": "/m"`+field+`}`)
		want := `{"status": "ok", "message": "Model unloaded"` + field + `}`
		if id == "null" {
			want = `{"status": "ok", "message": "Model unloaded"}`
		}
		if got != want {
			t.Errorf("%s is answered %s", id, got)
		}
	}
	if got := ask(t, c, `{"request_id": 1, "action": "dance", "action": "ping", "request_id": 2}`); !strings.HasSuffix(got, `, "request_id": 2}`) || !strings.Contains(got, `"status":"ok"`) {
		t.Errorf("of repeated keys the last wins: %s", got)
	}
}

// A peer that hangs up within a frame costs its own connection only.
func TestHalfAFrame(t *testing.T) {
	path := serve(t, newServer(fakeManager{}))
	other := dial(t, path)
	for _, part := range []string{"\x00", "\x00\x00\x00\x09", "\x00\x00\x00\x09{"} {
		c := dial(t, path)
		if _, err := c.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		expectEnd(t, c)
	}
	ask(t, other, ping)
}

// The keys of each answer are those of the contract, no more.
func TestAnswersHaveTheirKeys(t *testing.T) {
	result := device.Result{Tensor: &tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{1}, Data: []byte{1}}}
	c := dial(t, serve(t, newServer(answering(result))))
	for request, want := range map[string]string{
		ping:                          "device_id last_capacity_event_at last_capacity_event_model last_capacity_event_reason loaded_models queue_depth runtime_broken_reason socket_path status total_lru_evictions uptime_seconds",
		`{"action": "device_status"}`: "device last_capacity_event_at last_capacity_event_model last_capacity_event_reason networks queue_depth runtime_broken_reason status total_lru_evictions uptime_seconds",
		`{"action": "load_model", "model_path": "/m"}`: "message model_info model_path model_type status",
		anInfer: "inference_time_ms result status",
		strings.Replace(anInfer, `{`, `{"detail": true, `, 1):    "inference_time_ms result status timing",
		strings.Replace(anInfer, `{`, `{"detail": false, `, 1):   "inference_time_ms result status",
		strings.Replace(anInfer, `{`, `{"detail": "true", `, 1):  "inference_time_ms result status",
		`{"action": "unload_model", "model_path": "/m", "x": 1}`: "message status",
	} {
		var fields map[string]any
		got := ask(t, c, request)
		if err := json.Unmarshal([]byte(got), &fields); err != nil {
			t.Fatalf("%v: %s", err, got)
		}
		var keys []string
		for k := range fields {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		if strings.Join(keys, " ") != want {
			t.Errorf("%s has the keys %v", request, keys)
		}
	}
}
