package depthapi

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"hailo-depth/device"
	"hailo-depth/fetch"
	"hailo-depth/picture"
	"hailo-depth/representation"
)

// httpError is an error with what HTTP makes of it.
type httpError struct {
	status     int
	kind       string        // error.type in the answer
	reason     device.Reason // error.reason; empty: the request was wrong
	message    string
	retryAfter time.Duration
}

func (e *httpError) Error() string { return e.message }

func (e *httpError) why() device.Reason { return cmp.Or(e.reason, device.ReasonRejected) }

func invalid(message string) error {
	return &httpError{status: http.StatusBadRequest, kind: "invalid_request", message: message}
}

func tooLarge(message string) error {
	return &httpError{status: http.StatusRequestEntityTooLarge, kind: "invalid_request", message: message}
}

func unsupportedType(message string) error {
	return &httpError{status: http.StatusUnsupportedMediaType, kind: "invalid_request", message: message}
}

// statusClientClosed is what proxies log for a client that left; nobody reads it.
const statusClientClosed = 499

// asHTTP gives any error its status, type and Retry-After.
func asHTTP(err error) *httpError {
	var ready *httpError
	var bad *picture.Error
	var fetched *fetch.Error
	var refused *representation.Error
	var d *device.Error
	switch {
	case errors.As(err, &ready):
		return ready
	case errors.As(err, &bad):
		status := http.StatusBadRequest
		if bad.Kind == picture.TooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		return &httpError{status: status, kind: "invalid_request", message: bad.Error()}
	case errors.As(err, &fetched):
		status := http.StatusBadRequest
		if fetched.TooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		return &httpError{status: status, kind: "invalid_request", message: fetched.Error()}
	case errors.As(err, &refused):
		return &httpError{status: http.StatusBadRequest, kind: "invalid_request", message: err.Error()}
	case errors.As(err, &d):
		return fromDevice(d)
	}
	return &httpError{status: http.StatusInternalServerError, kind: "internal_error", reason: device.ReasonBackend, message: err.Error()}
}

// fromDevice: what is wrong with a model or its memory is not the caller's
// fault here, other than on the device manager's socket.
func fromDevice(d *device.Error) *httpError {
	e := &httpError{status: http.StatusInternalServerError, kind: "internal_error", reason: device.ReasonOf(d), message: d.Message, retryAfter: d.RetryAfter}
	switch d.Kind {
	case device.KindBusy:
		e.status, e.kind = http.StatusServiceUnavailable, "overloaded"
	case device.KindUnavailable, device.KindMemoryFull:
		e.status, e.kind = http.StatusServiceUnavailable, "unavailable"
	case device.KindTimeout:
		e.status, e.kind = http.StatusGatewayTimeout, "timeout"
	case device.KindCanceled:
		e.status, e.kind = statusClientClosed, "canceled"
	}
	if e.status == http.StatusServiceUnavailable && e.retryAfter == 0 {
		e.retryAfter = time.Second
	}
	return e
}

// expired is a request whose own deadline passed.
func expired(message string) *httpError {
	return &httpError{status: http.StatusGatewayTimeout, kind: "timeout", reason: device.ReasonExpired, message: message}
}

// fail answers with the one error envelope.
func (a *API) fail(w http.ResponseWriter, err error) {
	e := asHTTP(err)
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.retryAfter.Seconds()))))
	}
	type detail struct {
		Message string        `json:"message"`
		Type    string        `json:"type"`
		Reason  device.Reason `json:"reason"`
	}
	a.writeJSON(w, e.status, struct {
		Error detail `json:"error"`
	}{detail{e.message, e.kind, e.why()}})
}

func (a *API) writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v, lenientUTF8())
	if err != nil {
		a.Log.Error("writing an answer", "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"error":{"message":"internal error","type":"internal_error","reason":"backend"}}`)
	}
	writeBody(w, status, "application/json; charset=utf-8", body)
}

func writeBody(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone; that is its affair
}
