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
