package inferapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/device"
	"hailo-depth/oip"
)

// httpError is an error whose status code is another than its kind's.
type httpError struct {
	status int
	cause  *device.Error
}

func (e *httpError) Error() string { return e.cause.Message }
func (e *httpError) Unwrap() error { return e.cause }

func invalid(format string, args ...any) *device.Error {
	return &device.Error{Kind: device.KindInvalid, Message: fmt.Sprintf(format, args...)}
}

// statusClientClosed is what proxies log for a client that left; nobody reads it.
const statusClientClosed = 499

// asHTTP gives any error its status code.
func asHTTP(err error) (int, *device.Error) {
	var own *httpError
	var protocol *oip.Error
	var d *device.Error
	switch {
	case errors.As(err, &own):
		return own.status, own.cause
	case errors.As(err, &protocol):
		return http.StatusBadRequest, invalid("%s", protocol.Message)
	case errors.As(err, &d) && d.Kind == device.KindCanceled:
		return statusClientClosed, d
	case errors.As(err, &d):
		return d.HTTPStatus(), d
	case errors.Is(err, context.Canceled):
		return statusClientClosed, &device.Error{Kind: device.KindCanceled, Message: "the request was canceled"}
	}
	d = &device.Error{Kind: device.KindInternal, Message: err.Error()}
	return d.HTTPStatus(), d
}

// fail answers with the protocol's error, extended by what a client can act on.
func (s *session) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, d := asHTTP(err)
	if d.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(d.RetryAfter.Seconds()))))
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	s.Log.Debug("refused", "method", r.Method, "path", r.URL.Path, "status", status, "error", d.Message)
	s.write(w, status, device.Refusal{
		Error: strings.ToValidUTF8(d.Message, "\uFFFD"), Kind: d.Kind, Reason: device.ReasonOf(d), Status: d.Status, RetryAfterMS: d.RetryAfter.Milliseconds(),
	})
}

// write answers with JSON.
func (s *session) write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v, jsontext.AllowInvalidUTF8(true)) // file names may be anything
	if err != nil {
		s.Log.Error("writing an answer", "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"error":"internal error","kind":"internal_error"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	s.send(w, status, body)
}

// send writes a body in pieces, for a client that takes it in time. That the
// client has gone is its own affair.
func (s *session) send(w http.ResponseWriter, status int, pieces ...[]byte) {
	size := 0
	for _, p := range pieces {
		size += len(p)
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(bodyTimeout)) // writers of tests have none
	w.Header().Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(status)
	for _, p := range pieces {
		if _, err := w.Write(p); err != nil {
			return
		}
	}
}

// clip keeps a value from outside short enough for a message.
func clip(s string) string {
	const most = 128
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
