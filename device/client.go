package device

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/tensor"
)

// DefaultSocket is the default of HAILO_DEVICE_SOCKET.
const DefaultSocket = "/run/hailo/device.sock"

// Client is a Service over the manager's socket. The zero value uses
// DefaultSocket. It connects when it must and as often as it must: a manager
// that was restarted is found again by the next call.
//
// Calls are safe for concurrent use; each occupies a connection of its own, and
// a call whose context ends closes it, which tells the manager to drop it.
type Client struct {
	Path       string
	MaxMessage int64 // of an answer in bytes; 0: DefaultMaxMessage

	line line
}

var _ Service = (*Client)(nil)

// Close ends the idle connections; calls after it still work, unpooled.
func (c *Client) Close() error { return c.line.close() }

// answer is every field that an answer may have.
type answer struct {
	Status       string         `json:"status"`
	Error        string         `json:"error"`
	Kind         Kind           `json:"kind"`
	Reason       Reason         `json:"reason"`
	DeviceStatus int            `json:"device_status"`
	RetryAfterMS int64          `json:"retry_after_ms"`
	Message      string         `json:"message"`
	Result       jsontext.Value `json:"result"`
	InferenceMS  int64          `json:"inference_time_ms"`
	Timing       *WireTiming    `json:"timing"`
	ModelInfo    struct {
		DetectionInputShape tensor.Shape `json:"detection_input_shape"`
	} `json:"model_info"`
	wireStatus
}

// Load implements Service.
func (c *Client) Load(ctx context.Context, m Model) (Loaded, error) {
	a, err := c.call(ctx, "load_model", m, nil)
	return Loaded{Already: a.Message == "Model already loaded", DetectionInputShape: a.ModelInfo.DetectionInputShape}, err
}

// Unload implements Service.
func (c *Client) Unload(ctx context.Context, m Model) (bool, error) {
	a, err := c.call(ctx, "unload_model", m, nil)
	return a.Message == "Model unloaded", err
}

// Infer implements Service.
func (c *Client) Infer(ctx context.Context, m Model, in Input) (Result, error) {
	a, err := c.call(ctx, "infer", m, &in)
	if err != nil {
		return Result{}, err
	}
	r, err := parseResult(a.Result)
	if err != nil {
		return Result{}, &Error{Kind: KindInternal, Message: "the device manager's result: " + err.Error()}
	}
	if a.Timing != nil {
		r.Timing = a.Timing.timing()
	} else {
		r.Timing.Infer = time.Duration(a.InferenceMS) * time.Millisecond
	}
	return r, nil
}

const statusAction = "device_status"

// Status implements Service.
func (c *Client) Status(ctx context.Context) (Status, error) {
	a, err := c.call(ctx, statusAction, Model{}, nil)
	if err != nil {
		return Status{}, err
	}
	s := a.status()
	s.SocketPath = c.path()
	return s, nil
}

func (c *Client) path() string {
	if c.Path == "" {
		return DefaultSocket
	}
	return c.Path
}

func (c *Client) call(ctx context.Context, action string, m Model, in *Input) (answer, error) {
	frame, err := encode(ctx, action, m, in)
	if err != nil {
		return answer{}, &Error{Kind: KindInvalid, Message: err.Error()}
	}
	var body []byte
	err = c.line.call(ctx, c.path(), func(conn net.Conn) (keep bool, err error) {
		_, writeErr := conn.Write(frame)
		// Read even then: a manager that turns a client away, or refuses a message
		// for its length, says so and hangs up before it has read the request.
		body, err = ReadFrame(conn, maxMessage(c.MaxMessage))
		if tooLarge, ok := errors.AsType[*TooLargeError](err); ok {
			return false, answerTooLarge(tooLarge.Bytes, tooLarge.Limit)
		}
		if err != nil {
			err = errors.Join(writeErr, err)
		}
		return true, err
	})
	if err != nil {
		return answer{}, err
	}
	return decode(body)
}

func maxMessage(limit int64) int64 {
	if limit == 0 {
		return DefaultMaxMessage
	}
	return limit
}

func answerTooLarge(size, limit int64) *Error {
	return &Error{Kind: KindInternal, Message: fmt.Sprintf("the device manager's answer has %d bytes; at most %d are taken", size, limit)}
}

func encode(ctx context.Context, action string, m Model, in *Input) ([]byte, error) {
	// "detail" asks for error kinds and timings; managers that do not know it
	// ignore it.
	o := object{dst: append(AppendFrame(nil), '{')}
	o.string("action", action)
	o.key("detail")
	o.dst = append(o.dst, "true"...)
	if terms := TermsOf(ctx); action != statusAction {
		if terms.Priority != DefaultPriority {
			o.key("priority")
			o.dst = strconv.AppendInt(o.dst, int64(terms.Priority), 10)
		}
		o.string("client", terms.Client)
		o.number("deadline_ms", deadlineMS(ctx))
	}
	o.string("model_path", m.Path)
	o.string("model_type", m.Type)
	if len(m.Params) > 0 {
		if !m.Params.IsValid() {
			o.err = errors.Join(o.err, errors.New("model_params is no JSON"))
		}
		o.key("model_params")
		o.dst = append(o.dst, m.Params...)
	}
	if in != nil {
		o.key("input_data")
		var err error
		o.dst, err = in.AppendJSON(o.dst)
		o.err = errors.Join(o.err, err)
	}
	frame := append(o.dst, '}')
	return frame, errors.Join(o.err, FinishFrame(frame, math.MaxUint32))
}

func decode(body []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(body, &a, jsontext.AllowDuplicateNames(true)); err != nil {
		return answer{}, &Error{Kind: KindInternal, Message: "the device manager's answer: " + err.Error()}
	}
	if a.Status != "ok" {
		kind, message := a.Kind, a.Error
		if kind == "" {
			kind = KindInternal // an earlier manager does not tell
		}
		if message == "" { // as an earlier manager answers some failures
			message = "the device manager gave no reason"
		}
		return answer{}, &Error{Kind: kind, Reason: a.Reason, Message: message, Status: a.DeviceStatus,
			RetryAfter: time.Duration(a.RetryAfterMS) * time.Millisecond}
	}
	return a, nil
}
