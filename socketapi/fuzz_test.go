package socketapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"

	"hailo-depth/device"
)

// exchange sends bytes, closes the sending half and returns all answers.
func exchange(t *testing.T, path string, sent []byte) (answers []map[string]any) {
	t.Helper()
	c := dial(t, path)
	defer c.Close()
	// The server may hang up before it has read all: its answer is there then.
	if _, err := c.Write(sent); err == nil {
		_ = c.CloseWrite()
	}
	for {
		body, err := device.ReadFrame(c, device.DefaultMaxMessage)
		var broken net.Error
		switch {
		case err == io.EOF || errors.As(err, &broken) && !broken.Timeout(): // reset: there was more to read
			return answers
		case err != nil:
			t.Fatalf("%q: %v", sent, err)
		}
		answer, err := parse(body)
		if err != nil {
			t.Fatalf("%q is answered %q: %v", sent, body, err)
		}
		text, failed := answer["error"].(string)
		if failed == (answer["status"] == "ok") || failed && text == "" {
			t.Fatalf("%q is answered %q", sent, body)
		}
		answers = append(answers, answer)
	}
}

// parse keeps numbers as they are written.
func parse(text []byte) (fields map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one value")
	}
	return fields, nil
}

// FuzzConnection: whatever a client sends, it gets whole answers, at most one a
// frame, and then the end; the server goes on.
func FuzzConnection(f *testing.F) {
	path := serve(f, newServer(failing(&device.Error{Message: "done"})))
	for _, seed := range []string{
		"", "\x00", frame(""), frame(ping), frame(ping) + frame(anInfer), frame("{"), frame(ping)[:9], "\xff\xff\xff\xff",
		"\x00\x10\x00\x00{", "\x00\x10\x00\x01{", frame(`[]`) + frame(ping), frame(`{"action": "infer"}`) + "\x00\x00\x00",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		answers := exchange(t, path, sent)
		if most := len(sent)/4 + 1; len(answers) > most {
			t.Errorf("%q got %d answers", sent, len(answers))
		}
	})
}

// FuzzRequest: a request gets exactly one answer, with its own identifier.
func FuzzRequest(f *testing.F) {
	path := serve(f, newServer(failing(&device.Error{Message: "done"})))
	for _, seed := range []string{
		ping, anInfer, `{"action": "device_status", "request_id": {"a": 1}}`, `{"action": 5, "request_id": "\u0041"}`, ` null`, `[`,
		`{"action": "load_model", "model_path": "/m", "model_type": ["x"], "model_params": 5, "request_id": 1e999}`,
		`{"action": "unload_model", "model_path": "\ud800", "request_id": 0}`, `{"action": "status", "action": "x", "detail": true}`,
		`{"action": "infer", "model_path": "/m", "input_data": {"input": {"dtype": "u1", "shape": 1, "data_b64": "AA=="}, "crops": [null], "batch_size": 1e99}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, request string) {
		answers := exchange(t, path, []byte(frame(request)))
		if len(answers) != 1 {
			t.Fatalf("%q got %d answers", request, len(answers))
		}
		text, _ := answers[0]["error"].(string)
		fields, err := parse([]byte(request))
		id, given := answers[0]["request_id"]
		switch {
		case strings.HasPrefix(text, "Invalid JSON: ") || strings.HasPrefix(text, "Request must be"):
			if given {
				t.Errorf("%q is answered %v", request, answers[0])
			}
		case err != nil:
			t.Errorf("%q is answered %v, though %v", request, answers[0], err)
		case !reflect.DeepEqual(id, fields["request_id"]):
			t.Errorf("%q is answered with the identifier %v", request, id)
		}
	})
}
