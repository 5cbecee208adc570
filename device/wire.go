package device

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/tensor"
)

// AppendJSON appends the input as the protocol's input_data.
func (in Input) AppendJSON(dst []byte) ([]byte, error) {
	o := object{dst: append(dst, '{')}
	o.tensor("input", in.Input)
	o.string("mode", in.Mode)
	o.tensor("tensor", in.Tensor)
	o.tensor("image", in.Image)
	o.string("language", in.Language)
	if in.Crops != nil {
		o.key("crops")
		o.list(in.Crops)
	}
	o.number("batch_size", int64(in.BatchSize))
	o.number("timeout_ms", in.TimeoutMS)
	in.appendGenerative(&o)
	return append(o.dst, '}'), o.err
}

// AppendJSON appends the result as the protocol's result.
func (r Result) AppendJSON(dst []byte) ([]byte, error) {
	switch {
	case r.Tensor != nil:
		return r.Tensor.AppendJSON(dst)
	case r.List != nil:
		o := object{dst: dst}
		o.list(r.List)
		return o.dst, o.err
	case r.Text != nil:
		return appendText(dst, *r.Text)
	case r.Speech != nil:
		return r.Speech.appendJSON(dst)
	}
	o := object{dst: append(dst, '{')}
	for _, n := range r.Named {
		o.tensor(n.Name, &n.Tensor)
	}
	return append(o.dst, '}'), o.err
}

// parseResult reads what Result.AppendJSON writes.
func parseResult(raw jsontext.Value) (Result, error) {
	switch raw.Kind() {
	case '[':
		r := Result{List: []tensor.Tensor{}}
		if err := json.Unmarshal(raw, &r.List); err != nil {
			return Result{}, err
		}
		for i, t := range r.List {
			if err := t.Check(); err != nil { // null
				return Result{}, fmt.Errorf("item %d: %w", i, err)
			}
		}
		return r, nil
	case '"':
		var r Result
		return r, json.Unmarshal(raw, &r.Text)
	case '{':
		if isSpeech(raw) {
			return parseSpeech(raw)
		}
		if holdsTensors(raw) {
			return parseNamed(raw)
		}
		var t tensor.Tensor
		if err := json.Unmarshal(raw, &t); err != nil {
			return Result{}, err
		}
		return Result{Tensor: &t}, nil
	}
	return Result{}, fmt.Errorf("a result must be a tensor, a list of tensors, an object of tensors, a text or {segments}, got %s", tensor.KindName(raw))
}

// holdsTensors tells {output: tensor, ...} from a tensor, whose members are no
// objects, by the first member.
func holdsTensors(raw jsontext.Value) bool {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	return skipTokens(dec, 2) && dec.PeekKind() == '{' // after the brace and the name
}

func skipTokens(dec *jsontext.Decoder, n int) bool {
	for range n {
		if _, err := dec.ReadToken(); err != nil {
			return false
		}
	}
	return true
}

// parseNamed keeps the order of the members, which is the network's.
func parseNamed(raw jsontext.Value) (Result, error) {
	var r Result
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.ReadToken(); err != nil {
		return r, err
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return r, err
		}
		n := Named{Name: name.String()}
		if err := json.UnmarshalDecode(dec, &n.Tensor); err != nil {
			return r, err
		}
		if err := n.Tensor.Check(); err != nil { // null
			return r, fmt.Errorf("output %q: %w", n.Name, err)
		}
		r.Named = append(r.Named, n)
	}
	return r, nil
}

// object writes the members of a JSON object, large tensors without a copy.
type object struct {
	dst []byte
	any bool
	err error
}

func (o *object) key(name string) {
	if o.any {
		o.dst = append(o.dst, ", "...)
	}
	o.any = true
	quoted, err := jsontext.AppendQuote(o.dst, name)
	o.dst, o.err = append(quoted, ": "...), errors.Join(o.err, err)
}

func (o *object) tensor(name string, t *tensor.Tensor) {
	if t == nil {
		return
	}
	o.key(name)
	var err error
	o.dst, err = t.AppendJSON(o.dst)
	o.err = errors.Join(o.err, err)
}

func (o *object) list(tensors []tensor.Tensor) {
	o.dst = append(o.dst, '[')
	for i := range tensors {
		if i > 0 {
			o.dst = append(o.dst, ", "...)
		}
		var err error
		o.dst, err = tensors[i].AppendJSON(o.dst)
		o.err = errors.Join(o.err, err)
	}
	o.dst = append(o.dst, ']')
}

func (o *object) string(name, value string) {
	if value == "" {
		return
	}
	o.key(name)
	var err error
	o.dst, err = jsontext.AppendQuote(o.dst, value)
	o.err = errors.Join(o.err, err)
}

func (o *object) number(name string, value int64) {
	if value != 0 {
		o.key(name)
		o.dst = strconv.AppendInt(o.dst, value, 10)
	}
}

// WireTiming is Timing in an answer to a request with "detail": true.
type WireTiming struct {
	QueueUS   int64 `json:"queue_us"`
	LoadUS    int64 `json:"load_us"`
	InferUS   int64 `json:"infer_us"`
	LibraryUS int64 `json:"library_us"`
}

// Wire converts t.
func (t Timing) Wire() WireTiming {
	return WireTiming{t.Queue.Microseconds(), t.Load.Microseconds(), t.Infer.Microseconds(), t.Library.Microseconds()}
}

func (w WireTiming) timing() Timing {
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	return Timing{Queue: us(w.QueueUS), Load: us(w.LoadUS), Infer: us(w.InferUS), Library: us(w.LibraryUS)}
}
