package socketapi_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/tensor"
)

// Who asks for detail gets it, everybody else what they always got.
func TestErrorDetail(t *testing.T) {
	for _, c := range []struct {
		err           error
		plain, detail string
	}{
		{&device.Error{Kind: device.KindInvalid, Message: "wrong"}, `{"error": "wrong"`, `, "kind": "invalid_request", "reason": "rejected"`},
		{&device.Error{Kind: device.KindMemoryFull, Message: "full", Status: 81}, `{"error": "full"`, `, "kind": "device_memory_full", "reason": "backend", "device_status": 81`},
		{&device.Error{Kind: device.KindUnavailable, Message: "away", Status: 62, RetryAfter: 2500 * time.Millisecond}, `{"error": "away"`, `, "kind": "device_unavailable", "reason": "backend", "device_status": 62, "retry_after_ms": 2500`},
		{fmt.Errorf("around: %w", &device.Error{Kind: device.KindBusy, Message: "busy", RetryAfter: time.Second}), `{"error": "around: busy"`, `, "kind": "queue_full", "reason": "rejected", "retry_after_ms": 1000`},
		{errors.New("any \"other\"\n\xff"), `{"error": "any \"other\"\n` + "\uFFFD" + `"`, `, "kind": "internal_error", "reason": "backend"`},
	} {
		conn := dial(t, serve(t, newServer(failing(c.err))))
		for field, want := range map[string]string{
			``: c.plain + `}`, `"detail": true, `: c.plain + c.detail + `}`,
			`"detail": false, `: c.plain + `}`, `"detail": null, `: c.plain + `}`, `"detail": 1, `: c.plain + `}`,
			`"detail": true, "request_id": 7, `: c.plain + c.detail + `, "request_id": 7}`,
		} {
			if got := ask(t, conn, strings.Replace(anInfer, `{`, `{`+field, 1)); got != want {
				t.Errorf("%v with %s is %s, want %s", c.err, field, got, want)
			}
		}
	}
}

// What the server itself refuses has its kind, too.
func TestRefusalsOfTheServer(t *testing.T) {
	c := dial(t, serve(t, newServer(fakeManager{})))
	for request, want := range map[string]string{
		`"action": "dance"`:      "Unknown action: dance",
		`"action": null`:         "Unknown action: None",
		`"action": true`:         "Unknown action: True",
		`"action": 5`:            "Unknown action: 5",
		`"model_path": "/m"`:     "Unknown action: None",
		`"action": "load_model"`: "model_path required",
		`"action": "load_model", "model_path": ["/m"]`:                                   "model_path must be a string, got a list",
		`"action": "unload_model", "model_path": null`:                                   "model_path required",
		`"action": "infer", "model_path": "/m"`:                                          "model_path and input_data required",
		`"action": "infer", "model_path": "", "input_data": {}`:                          "model_path and input_data required",
		`"action": "infer", "model_path": "/m", "input_data": []`:                        "Inference failed: input_data must be an object, got a list",
		`"action": "infer", "model_path": "/m", "input_data": {"mode": 5}`:               "Inference failed: input_data: mode does not take a number",
		`"action": "infer", "model_path": "/m", "input_data": {"batch_size": 1.5}`:       "Inference failed: input_data: batch_size does not take 1.5",
		`"action": "infer", "model_path": "/m", "input_data": {"input": {"shape": [1]}}`: "Inference failed: tensor must include dtype, shape, and data_b64",
		`"action": "infer", "model_path": "/m", "input_data": {"crops": [5]}`:            "Inference failed: tensor must include dtype, shape, and data_b64, got a number",
	} {
		got := ask(t, c, `{"detail": true, `+request+`}`)
		if got != `{"error": "`+want+`", "kind": "invalid_request", "reason": "rejected"}` {
			t.Errorf("%s is answered %s", request, got)
		}
	}
}

// A model that is refused is refused before its input is looked at.
func TestCheckComesFirst(t *testing.T) {
	c := dial(t, serve(t, newServer(fakeManager{check: errors.New("no such model")})))
	if got := ask(t, c, `{"action": "infer", "model_path": "/m", "input_data": 5}`); got != `{"error": "no such model"}` {
		t.Errorf("answered %s", got)
	}
}

// A network whose output does not hold together is no fault of the client's.
func TestBrokenResult(t *testing.T) {
	broken := device.Result{Tensor: &tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{2}, Data: []byte{1}}}
	c := dial(t, serve(t, newServer(answering(broken))))
	got := ask(t, c, strings.Replace(anInfer, `{`, `{"detail": true, `, 1))
	if !strings.HasPrefix(got, `{"error": "Inference failed: the network's output: `) || !strings.HasSuffix(got, `, "kind": "internal_error", "reason": "backend"}`) {
		t.Errorf("answered %s", got)
	}
}
