package socketapi

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/device"
	"hailo-depth/tensor"
)

// request is the envelope of every action. Keys that are not listed are ignored,
// as they always were.
type request struct {
	Action    jsontext.Value `json:"action"`
	RequestID jsontext.Value `json:"request_id"`
	ModelPath jsontext.Value `json:"model_path"`
	ModelType jsontext.Value `json:"model_type"`
	Params    jsontext.Value `json:"model_params"`
	InputData jsontext.Value `json:"input_data"`
	// These say how the request waits; see onTerms.
	Priority   jsontext.Value `json:"priority"`
	DeadlineMS jsontext.Value `json:"deadline_ms"`
	Client     jsontext.Value `json:"client"`
	// Detail, when true, asks for error kinds and timings in the answer.
	Detail jsontext.Value `json:"detail"`

	arrived time.Time // at the manager; deadlines count from it
}

func (q *request) detail() bool { return q.Detail.Kind() == 't' }

// options: existing clients may repeat a key, and the last one has always won.
func options() json.Options { return jsontext.AllowDuplicateNames(true) }

func parseRequest(body []byte) (*request, error) {
	q := request{arrived: time.Now()}
	err := json.Unmarshal(body, &q, options())
	switch {
	case err == nil && jsontext.Value(body).Kind() == '{':
		return &q, nil
	case !jsontext.Value(body).IsValid(options()):
		return nil, invalid("Invalid JSON: %v", err)
	}
	return nil, invalid("Request must be a JSON object, got %s", tensor.KindName(body))
}

// cause strips what the JSON package says of Go types, which no client knows.
func cause(err error) error {
	e, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return err
	}
	got := tensor.KindName(jsontext.Value{byte(e.JSONKind)}) // a kind is a value's first byte
	if len(e.JSONValue) > 0 {                                // of the right kind, but out of range
		got = fmt.Sprintf("%.40s", e.JSONValue)
	}
	return fmt.Errorf("%s does not take %s", pointer(e.JSONPointer), got)
}

func pointer(p jsontext.Pointer) string {
	if p == "" {
		return "the request"
	}
	return string(p)[1:]
}

// spoken writes a JSON value as the earlier manager's messages did.
func spoken(raw jsontext.Value) string {
	switch raw.Kind() {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	case 't':
		return "True"
	case 'f':
		return "False"
	case 'n':
		return "None"
	}
	if len(raw) == 0 {
		return "None"
	}
	return string(raw)
}

func absent(raw jsontext.Value) bool { return len(raw) == 0 || raw.Kind() == 'n' }

func invalid(format string, args ...any) error {
	return &device.Error{Kind: device.KindInvalid, Message: fmt.Sprintf(format, args...)}
}

// do carries the request out and returns the answer without request_id and
// without its closing brace.
func (q *request) do(ctx context.Context, m Manager) ([]byte, error) {
	var use func(context.Context, Manager) ([]byte, error)
	switch action := spoken(q.Action); action {
	case "ping", "status":
		return q.status(ctx, m, device.MarshalStatus)
	case "device_status":
		return q.status(ctx, m, device.MarshalDeviceStatus)
	case "load_model":
		use = q.load
	case "infer":
		use = q.infer
	case "unload_model":
		use = q.unload
	default:
		return nil, invalid("Unknown action: %s", action)
	}
	ctx, cancel, err := q.onTerms(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	return use(ctx, m)
}

func (q *request) status(ctx context.Context, m Manager, marshal func(device.Status) ([]byte, error)) ([]byte, error) {
	s, err := m.Status(ctx)
	if err != nil {
		return nil, err
	}
	body, err := marshal(s)
	if err != nil {
		return nil, err
	}
	return append(begin(), body[:len(body)-1]...), nil
}

// model reads the fields that name a model.
func (q *request) model() (device.Model, error) {
	m := device.Model{Type: "vlm", Params: q.Params}
	if absent(q.ModelPath) {
		return m, invalid("model_path required")
	}
	if q.ModelPath.Kind() != '"' {
		return m, invalid("model_path must be a string, got %s", tensor.KindName(q.ModelPath))
	}
	m.Path = spoken(q.ModelPath)
	if len(q.ModelType) > 0 {
		m.Type = spoken(q.ModelType)
	}
	return m, nil
}

func (q *request) load(ctx context.Context, m Manager) ([]byte, error) {
	model, err := q.model()
	if err != nil {
		return nil, err
	}
	loaded, err := m.Load(ctx, model)
	if err != nil {
		return nil, err
	}
	message := "Model loaded"
	if loaded.Already {
		message = "Model already loaded"
	}
	answer := append(begin(), `{"status": "ok", "model_path": `...)
	answer = appendString(answer, model.Path)
	answer = appendString(append(answer, `, "model_type": `...), model.Type)
	answer = appendString(append(answer, `, "message": `...), message)
	if loaded.DetectionInputShape != nil {
		answer = append(answer, `, "model_info": {"detection_input_shape": `...)
		answer = append(answer, loaded.DetectionInputShape.String()...)
		answer = append(answer, '}')
	}
	return answer, nil
}

func (q *request) unload(ctx context.Context, m Manager) ([]byte, error) {
	model, err := q.model()
	if err != nil {
		return nil, err
	}
	was, err := m.Unload(ctx, model)
	if err != nil {
		return nil, err
	}
	message := "Model was not loaded"
	if was {
		message = "Model unloaded"
	}
	return appendString(append(begin(), `{"status": "ok", "message": `...), message), nil
}

func (q *request) infer(ctx context.Context, m Manager) ([]byte, error) {
	if absent(q.ModelPath) || string(q.ModelPath) == `""` || absent(q.InputData) {
		return nil, invalid("model_path and input_data required")
	}
	model, err := q.model()
	if err != nil {
		return nil, err
	}
	if err := m.Check(model); err != nil {
		return nil, err
	}
	in, err := parseInput(q.InputData)
	if err != nil {
		return nil, invalid("Inference failed: %v", err)
	}
	result, err := m.Infer(ctx, model, in)
	if err != nil {
		return nil, err
	}
	answer := append(begin(), `{"status": "ok", "result": `...)
	if answer, err = result.AppendJSON(answer); err != nil {
		return nil, &device.Error{Kind: device.KindInternal, Message: fmt.Sprintf("Inference failed: the network's output: %v", err)}
	}
	result.Recycle() // the answer has a copy
	answer = append(answer, `, "inference_time_ms": `...)
	answer = strconv.AppendInt(answer, result.Timing.Infer.Milliseconds(), 10)
	if q.detail() {
		timing, err := json.Marshal(result.Timing.Wire())
		if err != nil {
			return nil, err
		}
		answer = append(append(answer, `, "timing": `...), timing...)
	}
	return answer, nil
}

func parseInput(raw jsontext.Value) (in device.Input, err error) {
	if raw.Kind() != '{' {
		return in, fmt.Errorf("input_data must be an object, got %s", tensor.KindName(raw))
	}
	in, err = device.ParseInput(raw)
	if e, ok := errors.AsType[*tensor.Error](err); ok {
		return in, e
	}
	if err != nil {
		return in, fmt.Errorf("input_data: %w", cause(err))
	}
	return in, nil
}
