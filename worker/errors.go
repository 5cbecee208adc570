package worker

import (
	"errors"
	"fmt"
)

// Kind is the consequence of a worker's error.
type Kind string

// The kinds. Policy hangs on these, never on message texts.
const (
	KindInvalid     Kind = "invalid"            // the request is at fault: names, sizes
	KindModel       Kind = "invalid_model"      // the file is missing, broken or made for another device
	KindUnsupported Kind = "unsupported"        // this backend cannot do that
	KindMemoryFull  Kind = "device_memory_full" // evicting another model may help
	KindBusy        Kind = "busy"               // a generation was refused before it began; it may be asked for again
	KindTimeout     Kind = "timeout"            // the library gave up waiting
	KindLost        Kind = "device_lost"        // the device or its handle is gone; a new worker may help
	KindHeld        Kind = "device_held"        // another program has the device, or there is none; waiting may help
	KindVersion     Kind = "version_mismatch"   // library, driver or firmware must be upgraded
	KindAborted     Kind = "aborted"            // the model was shut down; loading it again may help
	KindTransient   Kind = "transient"          // the same call may succeed in a moment
	KindInternal    Kind = "internal"           // anything else
)

// Error is a worker's refusal, or the loss of a worker.
type Error struct {
	Kind    Kind   `json:"kind"`
	Status  int    `json:"status,omitzero"` // the library's integer status, 0 where there is none
	Message string `json:"message"`
	// NeededBytes and TotalBytes say, with KindMemoryFull and where known, how
	// much the network needs and how much the device has at all.
	NeededBytes int64 `json:"needed_bytes,omitzero"`
	TotalBytes  int64 `json:"total_bytes,omitzero"`
}

func (e *Error) Error() string { return e.Message }

// NeverFits reports whether the device is too small for the network even when empty.
func (e *Error) NeverFits() bool {
	return e.Kind == KindMemoryFull && e.TotalBytes > 0 && e.NeededBytes > e.TotalBytes
}

// KindOf is the kind of err; KindInternal for errors that are no *Error.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

// errDied is the loss of the process while a request was running.
func errDied(why string) *Error {
	return &Error{Kind: KindLost, Message: "the worker process died: " + why}
}

func invalid(format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Message: fmt.Sprintf(format, args...)}
}
