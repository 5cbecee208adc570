package device

import (
	"errors"
	"net/http"
	"time"
)

// Kind is the consequence of an error: what a caller can do about it.
type Kind string

// The kinds.
const (
	KindInvalid     Kind = "invalid_request"    // the request is wrong; sending it again will not help
	KindNotFound    Kind = "model_not_found"    // there is no such model file
	KindModel       Kind = "model_failed"       // the file cannot be loaded on this device
	KindUnsupported Kind = "unsupported"        // this backend cannot do that
	KindMemoryFull  Kind = "device_memory_full" // not even eviction made room
	KindBusy        Kind = "queue_full"         // too many requests wait
	KindUnavailable Kind = "device_unavailable" // the manager or its device is away
	KindTimeout     Kind = "timeout"            // it did not end in time
	KindCanceled    Kind = "canceled"           // the caller went away
	KindInternal    Kind = "internal_error"     // anything else
)

// Reason says at which point of its way a request failed. Errors, figures and
// logs use the same words.
type Reason string

// The reasons.
const (
	ReasonRejected  Reason = "rejected"  // it was not admitted: the queue is full, the manager stops, the request is wrong
	ReasonExpired   Reason = "expired"   // its deadline passed
	ReasonCancelled Reason = "cancelled" // whoever asked went away
	ReasonBackend   Reason = "backend"   // the device, its library or its worker failed it
)

// Error is a refusal or failure of the device or its manager.
type Error struct {
	Kind    Kind
	Message string // on the wire, word for word
	Status  int    // the device library's status, 0 where there is none
	// RetryAfter is when it is worth trying again; 0: unknown or never.
	RetryAfter time.Duration
	// Reason is where it failed; empty: as the kind suggests (see ReasonOf).
	Reason Reason
}

// ReasonOf is the reason of err, which is not nil.
func ReasonOf(err error) Reason {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		return ReasonBackend
	case e.Reason != "":
		return e.Reason
	}
	switch e.Kind {
	case KindInvalid, KindNotFound, KindBusy:
		return ReasonRejected
	case KindCanceled:
		return ReasonCancelled
	}
	return ReasonBackend
}

func (e *Error) Error() string { return e.Message }

// HTTPStatus is the status code that suits the error.
func (e *Error) HTTPStatus() int {
	switch e.Kind {
	case KindInvalid:
		return http.StatusBadRequest
	case KindNotFound:
		return http.StatusNotFound
	case KindModel:
		return http.StatusUnprocessableEntity
	case KindUnsupported:
		return http.StatusNotImplemented
	case KindMemoryFull:
		return http.StatusInsufficientStorage
	case KindBusy, KindUnavailable:
		return http.StatusServiceUnavailable
	case KindTimeout:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// KindOf is the kind of err; KindInternal for errors that are no *Error.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}
