package device

import "time"

// Refusal is the body of every error answer over HTTP: the Open Inference
// Protocol's "error", and what a client can act on.
type Refusal struct {
	Error        string `json:"error"`
	Kind         Kind   `json:"kind"`
	Reason       Reason `json:"reason"`
	Status       int    `json:"status,omitzero"` // the device library's
	RetryAfterMS int64  `json:"retry_after_ms,omitzero"`
}

// Err is the refusal as an error.
func (r Refusal) Err() *Error {
	kind, message := r.Kind, r.Error
	if kind == "" {
		kind = KindInternal // another server's answer
	}
	if message == "" {
		message = "the device manager gave no reason"
	}
	return &Error{Kind: kind, Message: message, Status: r.Status, Reason: r.Reason,
		RetryAfter: time.Duration(r.RetryAfterMS) * time.Millisecond}
}
