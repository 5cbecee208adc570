package oip

import (
	"math"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/tensor"
)

// HeadLength is the header with the number of bytes of a body's JSON head.
const HeadLength = "Inference-Header-Content-Length"

// NoHead is the head length of a body that is JSON altogether.
const NoHead = -1

// The sizes of a message beyond which it is refused.
const (
	maxTensors    = 1024
	maxParameters = 256
)

// Message is an encoded request or response.
type Message struct {
	// Head is the JSON; nil in a raw request.
	Head []byte
	// Tensors are the raw bytes that follow the head, one slice a binary tensor;
	// they are those of the tensors, not a copy. nil: the body is JSON altogether.
	Tensors [][]byte
}

// Size is the length of the body in bytes.
func (m Message) Size() int64 {
	n := int64(len(m.Head))
	for _, t := range m.Tensors {
		n += int64(len(t))
	}
	return n
}

// HeadLength is the value for the header HeadLength, or NoHead where none
// belongs to the body.
func (m Message) HeadLength() int64 {
	if m.Tensors == nil {
		return NoHead
	}
	return int64(len(m.Head))
}

// ContentType is that of the body.
func (m Message) ContentType() string {
	if m.Tensors == nil {
		return "application/json"
	}
	return "application/octet-stream"
}

// wireTensor is a tensor as JSON has it.
type wireTensor struct {
	Name       string         `json:"name"`
	Shape      jsontext.Value `json:"shape"`
	Datatype   Datatype       `json:"datatype"`
	Parameters Parameters     `json:"parameters"`
	Data       jsontext.Value `json:"data"`
}

// cut splits a body into its head and its tensors' bytes.
func cut(body []byte, head int64) (jsontext.Value, []byte, error) {
	switch {
	case head == NoHead:
		return body, nil, nil
	case head < 0 || head > int64(len(body)):
		return nil, nil, errorf("%s is %d; the body has %d bytes", HeadLength, head, len(body))
	}
	return body[:head], body[head:], nil
}

// parse reads a head. Names that the protocol does not have are ignored, as it wants.
func parse(head jsontext.Value, into any) error {
	if !head.IsValid(jsontext.AllowDuplicateNames(true)) {
		err := json.Unmarshal(head, into, jsontext.AllowDuplicateNames(true))
		return errorf("the JSON head of %d bytes is not valid: %s", len(head), reason(err))
	}
	if head.Kind() != '{' {
		return errorf("the JSON head must be an object, got %s", tensor.KindName(head))
	}
	if err := json.Unmarshal(head, into, jsontext.AllowDuplicateNames(true)); err != nil {
		return errorf("the JSON head is not as the protocol says: %s", reason(err))
	}
	return nil
}

// reason says where a head is wrong without the names of Go types.
func reason(err error) string {
	if e, ok := asSemantic(err); ok {
		return strings.TrimPrefix(string(e.JSONPointer), "/") + " does not take " + tensor.KindName(jsontext.Value{byte(e.JSONKind)})
	}
	if err == nil {
		return "it is no JSON"
	}
	return strings.TrimPrefix(err.Error(), "jsontext: ")
}

// tensors takes the bytes of every tensor from its JSON or from tail, which
// must be used up.
func tensors(wire []wireTensor, tail []byte, binary bool) ([]Tensor, error) {
	if len(wire) > maxTensors {
		return nil, errorf("the message has %d tensors; at most %d are taken", len(wire), maxTensors)
	}
	total := len(tail)
	var all []Tensor
	for _, w := range wire {
		t := Tensor{Name: w.Name, Datatype: w.Datatype, Parameters: w.Parameters}
		if err := t.Datatype.check(); err != nil {
			return nil, prefixed(t.Name, err)
		}
		if len(t.Parameters) > maxParameters {
			return nil, errorf("tensor %q has %d parameters; at most %d are taken", clip(t.Name), len(t.Parameters), maxParameters)
		}
		if t.Parameters.Has("shared_memory_region") {
			return nil, errorf("tensor %q: shared memory is not supported; send its bytes", clip(t.Name))
		}
		if err := json.Unmarshal(w.Shape, &t.Shape); err != nil || w.Shape.Kind() != '[' {
			return nil, errorf("tensor %q: shape must be a list of whole numbers, got %q", clip(t.Name), clip(string(w.Shape)))
		}
		size, sized, err := t.Parameters.Int("binary_data_size", 0, math.MaxInt64)
		switch {
		case err != nil:
			return nil, prefixed(t.Name, err)
		case sized && len(w.Data) > 0:
			return nil, errorf("tensor %q has both data and binary_data_size; expected one of them", clip(t.Name))
		case sized && !binary:
			return nil, errorf("tensor %q has binary_data_size, but the header %s is missing", clip(t.Name), HeadLength)
		case sized && size > int64(len(tail)):
			return nil, errorf("tensor %q has the binary_data_size %d; %d of the %d bytes after the head are left", clip(t.Name), size, len(tail), total)
		case sized:
			t.Data, tail = tail[:size:size], tail[size:]
			delete(t.Parameters, "binary_data_size")
		case len(w.Data) == 0:
			return nil, errorf("tensor %q has neither data nor binary_data_size", clip(t.Name))
		default:
			if t.Data, err = parseValues(t, w.Data); err != nil {
				return nil, err
			}
		}
		if err := t.Check(); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	if len(tail) > 0 {
		return nil, errorf("%d of the %d bytes after the head belong to no tensor", len(tail), total)
	}
	return all, nil
}
