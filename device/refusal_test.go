package device

import (
	"net"
	"testing"

	"hailo-depth/tensor"
)

// A manager that turns a client away answers and hangs up without reading: the
// reason arrives, although the request could not be sent.
func TestTurnedAway(t *testing.T) {
	const reason = `{"error": "too many connections: 1 are open", "kind": "queue_full", "retry_after_ms": 1000}`
	m := listen(t, socketPath(t), func(_ int, c net.Conn) {
		if _, err := c.Write(frame([]byte(reason))); err != nil {
			t.Error(err)
		}
	})
	c := client(t, m.path)
	large := Input{Input: &tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{1 << 20}, Data: make([]byte, 1<<20)}} // more than a socket holds
	for range 3 {
		_, err := c.Infer(t.Context(), theModel(), large)
		if e := expectError(t, err, KindBusy); e.RetryAfter == 0 {
			t.Errorf("%+v", e)
		}
	}
}

// An answer over the limit is an error of its own: asking again would give the
// same, so it is neither asked again nor called an absence of the manager.
func TestAnswerTooLarge(t *testing.T) {
	seen := make(chan string, 10)
	m := listen(t, socketPath(t), func(_ int, c net.Conn) {
		for r := request(c); r != nil; r = request(c) {
			seen <- r["action"].(string)
			answer := []byte(okLoad)
			if r["action"] == "infer" {
				answer = make([]byte, 101)
			}
			if _, err := c.Write(frame(answer)); err != nil {
				return
			}
		}
	})
	c := client(t, m.path)
	c.MaxMessage = 100
	for _, kept := range []bool{false, true} {
		if kept {
			mustLoad(t, c)
		}
		_, err := c.Infer(t.Context(), theModel(), Input{})
		if e := expectError(t, err, KindInternal); e.Message != "the device manager's answer has 101 bytes; at most 100 are taken" || e.RetryAfter != 0 {
			t.Errorf("%+v", e)
		}
	}
	mustLoad(t, c) // the next call has a connection without the rest of that answer
	m.stop()
	if len(seen) != 4 {
		t.Errorf("%d requests were seen, want 4", len(seen))
	}
}

// Answers that make no sense fail the call, name the manager and leave the
// client usable.
func TestOddAnswers(t *testing.T) {
	answers := make(chan string, 1)
	m := listen(t, socketPath(t), func(_ int, c net.Conn) {
		for request(c) != nil {
			if _, err := c.Write(frame([]byte(<-answers))); err != nil {
				return
			}
		}
	})
	c := client(t, m.path)
	for _, text := range []string{
		"", "{", "[]", "null", "{}", `{"status": "ok"}`, `{"status": "ok", "result": null}`, `{"status": "ok", "result": 5}`, `{"status": "ok", "result": {"segments": 5}}`,
		`{"status": "ok", "result": {"dtype": "float32", "shape": [1, 2], "data_b64": "AAAAAA=="}}`,
		`{"status": "ok", "result": [null]}`, `{"status": "ok", "result": {"dtype": "uint8", "shape": [1], "data_b64": "AA=="}} trailing`,
	} {
		answers <- text
		r, err := c.Infer(t.Context(), theModel(), Input{})
		e := expectError(t, err, KindInternal)
		if len(e.Message) < len("the device manager") || e.Message[:len("the device manager")] != "the device manager" {
			t.Errorf("%q gives %+v, %q", text, r, e.Message)
		}
	}
	// No identifier was sent: a connection has one request at a time. One that
	// comes nevertheless changes nothing.
	answers <- `{"status": "ok", "message": "Model loaded", "request_id": "another's"}`
	mustLoad(t, c)
}
