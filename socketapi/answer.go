package socketapi

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/device"
)

// begin starts an answer's frame.
func begin() []byte { return device.AppendFrame(nil) }

// appendFailure writes an error as its object without the closing brace. Kind,
// reason and status are only for clients that asked for detail: others get what they
// always got.
func appendFailure(dst []byte, err error, detail bool) []byte {
	dst = appendString(append(dst, `{"error": `...), err.Error())
	if !detail {
		return dst
	}
	dst = appendString(append(dst, `, "kind": `...), string(device.KindOf(err)))
	dst = appendString(append(dst, `, "reason": `...), string(device.ReasonOf(err)))
	if e, ok := errors.AsType[*device.Error](err); ok {
		if e.Status != 0 {
			dst = strconv.AppendInt(append(dst, `, "device_status": `...), int64(e.Status), 10)
		}
		if e.RetryAfter > 0 {
			dst = strconv.AppendInt(append(dst, `, "retry_after_ms": `...), e.RetryAfter.Milliseconds(), 10)
		}
	}
	return dst
}

// appendID echoes the request's identifier, whatever JSON value it is, and
// closes the object.
func appendID(dst []byte, id jsontext.Value) []byte {
	if !absent(id) {
		dst = append(append(dst, `, "request_id": `...), id...)
	}
	return append(dst, '}')
}

func appendString(dst []byte, s string) []byte {
	quoted, err := jsontext.AppendQuote(dst, strings.ToValidUTF8(s, "\uFFFD"))
	if err != nil {
		return append(dst, `""`...) // cannot be: the text is valid UTF-8
	}
	return quoted
}

func finish(frame []byte, limit int64) ([]byte, error) {
	return frame, device.FinishFrame(frame, limit)
}
