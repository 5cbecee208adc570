package device

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"runtime"
	"testing"
)

// FuzzReadFrame: reading never panics; a frame is exactly what its prefix says,
// and memory follows what arrives.
func FuzzReadFrame(f *testing.F) {
	for _, seed := range []string{
		"", "\x00", "\x00\x00\x00\x00", "\x00\x00\x00\x02{}", "\x00\x00\x00\x03{}", "\xff\xff\xff\xff{", "\x00\x10\x00\x00{",
	} {
		f.Add([]byte(seed), int64(1<<20))
	}
	f.Add([]byte("\x80\x00\x00\x00"), int64(1)<<40)
	f.Add([]byte("\x00\x00\x00\x00"), int64(-1))
	f.Fuzz(func(t *testing.T, text []byte, limit int64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		body, err := ReadFrame(bytes.NewReader(text), limit)
		runtime.ReadMemStats(&after)
		if used, most := after.TotalAlloc-before.TotalAlloc, uint64(4<<20+8*len(text)); used > most {
			t.Errorf("%d bytes took %d bytes of memory", len(text), used)
		}
		var tooLarge *TooLargeError
		switch {
		case len(text) < 4:
			if err == nil || (err == io.EOF) != (len(text) == 0) {
				t.Errorf("%q: %v", text, err)
			}
			return
		case int64(binary.BigEndian.Uint32(text)) > limit:
			if !errors.As(err, &tooLarge) || tooLarge.Bytes != int64(binary.BigEndian.Uint32(text)) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		length := int64(binary.BigEndian.Uint32(text))
		if int64(len(text)-4) < length {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if err != nil || !bytes.Equal(body, text[4:4+length]) {
			t.Errorf("%q: %q, %v", text, body, err)
		}
	})
}

// FuzzAnswer: reading an answer never panics, and a result that is read is
// whole: it can be written, and read again as the same.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"status": "ok", "result": {"dtype": "uint8", "shape": [1], "data_b64": "AA=="}}`,
		`{"status": "ok", "result": [{"dtype": "uint8", "shape": [1], "data_b64": "AA=="}, null]}`,
		`{"status": "ok", "result": {"a": {"dtype": "uint8", "shape": [1], "data_b64": "AA=="}, "b": null}}`,
		`{"status": "ok", "result": "text \ud800"}`, `{"status": "ok", "result": {"segments": [{"id": 0, "start": 1e300, "end": 0, "text": " a"}], "more": 1}}`,
		`{"status": "ok", "result": {}}`, `{"status": "ok", "result": []}`, `{"error": ""}`, `null`, `[`,
		`{"error": "e", "kind": "timeout", "device_status": 4, "retry_after_ms": 9}`,
		`{"status": "ok", "device": null, "networks": {"networks": [{"loaded_at": 1e300}]}, "last_capacity_event_at": -1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := decode(body)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Message == "" || e.Kind == "" {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		_ = a.status()
		r, err := parseResult(a.Result)
		if err != nil {
			return
		}
		text, err := r.AppendJSON(nil)
		if err != nil {
			t.Fatalf("%q was read, but %v", body, err)
		}
		again, err := parseResult(text)
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%q became %+v (%v), was %+v", body, again, err, r)
		}
	})
}

// FuzzInput: an input that is read can be written, and read again as the same.
func FuzzInput(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"prompt": "a", "frames": [], "temperature": 0, "seed": 0, "max_generated_tokens": 5}`, `{"prompt": null, "audio": null, "frames": null}`,
		`{"prompt": [{"role": "user", "content": "x"}, 5, null], "frames": [{"dtype": "uint8", "shape": [1], "data_b64": "AA=="}, null]}`,
		`{"audio": [0, -0.0, 1e-300, 3.4e38], "language": "en", "task": "translate"}`, `{"audio": [1e300]}`, `{"audio": [null]}`, `{"prompt": 5}`, `{"prompt": [], "audio": []}`,
		`{"audio": {"dtype": "float32", "shape": [1], "data_b64": "AAAAAA=="}}`, `{"mode": "image", "timeout_ms": -1}`, `{"prompt": "a", "prompt": ["b"]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := ParseInput(body)
		if err != nil {
			return
		}
		text, err := in.AppendJSON(nil)
		if err != nil { // a null in a list of tensors is only seen by what uses it
			return
		}
		again, err := ParseInput(text)
		if err != nil {
			t.Fatalf("%q became %q: %v", body, text, err)
		}
		if third, err := again.AppendJSON(nil); err != nil || !bytes.Equal(third, text) {
			t.Fatalf("%q became %q, then %q (%v)", body, text, third, err)
		}
	})
}
