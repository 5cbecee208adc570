package device

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestKindsAndTheirHTTPStatus(t *testing.T) {
	for kind, want := range map[Kind]int{
		KindInvalid: 400, KindNotFound: 404, KindModel: 422, KindUnsupported: 501, KindMemoryFull: 507,
		KindBusy: 503, KindUnavailable: 503, KindTimeout: 504, KindCanceled: 500, KindInternal: 500, "of a later manager": 500,
	} {
		e := &Error{Kind: kind, Message: "text"}
		if got := e.HTTPStatus(); got != want {
			t.Errorf("%s is %d, want %d", kind, got, want)
		}
		if got := KindOf(fmt.Errorf("around: %w", e)); got != kind {
			t.Errorf("%s is %s when it is wrapped", kind, got)
		}
	}
	if got := KindOf(errors.New("another")); got != KindInternal {
		t.Errorf("another error is %s", got)
	}
}

func TestFailuresOnTheWire(t *testing.T) {
	for body, want := range map[string]Error{
		`{"error": "text"}`: {Kind: KindInternal, Message: "text"},
		`{"error": "text", "kind": "queue_full", "retry_after_ms": 1500}`:                   {Kind: KindBusy, Message: "text", RetryAfter: 1500 * time.Millisecond},
		`{"error": "text", "kind": "device_memory_full", "device_status": 81, "more": [1]}`: {Kind: KindMemoryFull, Message: "text", Status: 81},
		`{"error": "text", "kind": "of a later manager", "request_id": "x"}`:                {Kind: "of a later manager", Message: "text"},
		// An exception without a text was no success on the earlier manager either.
		`{"error": ""}`:                    {Kind: KindInternal, Message: "the device manager gave no reason"},
		`{"error": "", "kind": "timeout"}`: {Kind: KindTimeout, Message: "the device manager gave no reason"},
		`{}`:                               {Kind: KindInternal, Message: "the device manager gave no reason"},
		`null`:                             {Kind: KindInternal, Message: "the device manager gave no reason"},
		`{"status": "error", "message": "Model loaded"}`: {Kind: KindInternal, Message: "the device manager gave no reason"},
	} {
		_, err := decode([]byte(body))
		got, ok := errors.AsType[*Error](err)
		if !ok || *got != want {
			t.Errorf("%s is %+v, want %+v", body, err, want)
		}
	}
}

func TestAnswersThatAreNoJSON(t *testing.T) {
	for _, body := range []string{"", "{", "ok", "[]", `"ok"`, "\xff", `{"status": 5}`, `{"status": "ok"} {}`, `{"status": "ok", "retry_after_ms": 1.5}`} {
		a, err := decode([]byte(body))
		if KindOf(err) != KindInternal || err == nil {
			t.Errorf("%q is %+v, %v", body, a, err)
		}
	}
}
