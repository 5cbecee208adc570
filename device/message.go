package device

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"hailo-depth/oip"
	"hailo-depth/tensor"
)

// label is what a request calls a model whose file it names: only people read it.
func label(m Model) string {
	if name := ModelName(m.Path); CheckModelName(name) == nil {
		return name
	}
	return "model"
}

func modelParameters(p oip.Parameters, m Model) error {
	err := errors.Join(p.Set("model_path", m.Path), p.Set("model_type", m.Type))
	if len(m.Params) > 0 {
		if !m.Params.IsValid() {
			err = errors.Join(err, errors.New("model_params is no JSON"))
		}
		p["model_params"] = m.Params
	}
	return err
}

// termParameters are on what terms a request waits, as far as ctx states any.
func termParameters(ctx context.Context, p oip.Parameters) error {
	var err error
	terms := TermsOf(ctx)
	if terms.Priority != DefaultPriority {
		err = errors.Join(err, p.Set("priority", terms.Priority))
	}
	if terms.Client != "" {
		err = errors.Join(err, p.Set("client", terms.Client))
	}
	if ms := deadlineMS(ctx); ms != 0 {
		err = errors.Join(err, p.Set("deadline_ms", ms))
	}
	return err
}

// inferRequest writes an inference as a request; see docs/inference-protocol.md.
func inferRequest(ctx context.Context, m Model, in Input) (*oip.Request, error) {
	p := oip.Parameters{}
	err := modelParameters(p, m)
	set := func(name string, given bool, value any) {
		if given {
			err = errors.Join(err, p.Set(name, value))
		}
	}
	err = errors.Join(err, termParameters(ctx, p))
	set("mode", in.Mode != "", in.Mode)
	set("language", in.Language != "", in.Language)
	set("batch_size", in.BatchSize != 0, in.BatchSize)
	set("timeout_ms", in.TimeoutMS != 0, in.TimeoutMS)
	if in.Messages != nil {
		set("prompt", true, in.Messages)
	} else {
		set("prompt", in.Prompt != "", in.Prompt)
	}
	set("temperature", in.Temperature != nil, in.Temperature)
	set("seed", in.Seed != nil, in.Seed)
	set("max_generated_tokens", in.MaxTokens != 0, in.MaxTokens)
	set("task", in.Task != "", in.Task)
	q := &oip.Request{Parameters: p, BinaryOutputs: true}
	add := func(name string, t *tensor.Tensor) {
		if t != nil {
			q.Inputs = append(q.Inputs, oip.FromTensor(name, *t))
		}
	}
	add("input", in.Input)
	add("tensor", in.Tensor)
	add("image", in.Image)
	add("audio", in.Audio)
	for i := range in.Crops {
		add("crop_"+strconv.Itoa(i), &in.Crops[i])
	}
	for i := range in.Frames {
		add("frame_"+strconv.Itoa(i), &in.Frames[i])
	}
	return q, err
}

// inferResult reads what the server makes of a result.
func inferResult(body []byte, head int64) (r Result, err error) {
	a, err := oip.DecodeResponse(body, head)
	if err != nil {
		return r, err
	}
	kind, _, err := a.Parameters.String("result")
	if err != nil {
		return r, err
	}
	switch kind {
	case "text":
		r.Text, err = onlyText(a.Outputs)
	case "speech":
		r.Speech, err = transcript(a.Outputs)
	case "tensor", "list", "named":
		err = r.takeTensors(kind, a.Outputs)
	default:
		err = fmt.Errorf("the parameter result is %q; expected tensor, list, named, text or speech", kind)
	}
	for name, into := range map[string]*time.Duration{"queue_us": &r.Timing.Queue, "load_us": &r.Timing.Load, "infer_us": &r.Timing.Infer, "library_us": &r.Timing.Library} {
		us, _, intErr := a.Parameters.Int(name, 0, math.MaxInt64/1000)
		*into, err = time.Duration(us)*time.Microsecond, errors.Join(err, intErr)
	}
	return r, err
}

func (r *Result) takeTensors(kind string, outputs []oip.Tensor) error {
	r.List = make([]tensor.Tensor, 0, len(outputs))
	for _, o := range outputs {
		t, err := o.Tensor()
		if err != nil {
			return err
		}
		r.List = append(r.List, t)
		r.Named = append(r.Named, Named{Name: o.Name, Tensor: t})
	}
	switch {
	case kind == "list":
		r.Named = nil
	case kind == "named":
		r.List = nil
	case len(outputs) != 1:
		return fmt.Errorf("%d outputs for a result of one", len(outputs))
	default:
		r.Tensor, r.List, r.Named = &r.Named[0].Tensor, nil, nil
	}
	return nil
}

func onlyText(outputs []oip.Tensor) (*string, error) {
	if len(outputs) != 1 {
		return nil, fmt.Errorf("%d outputs for a text", len(outputs))
	}
	texts, err := outputs[0].Strings()
	if err == nil && len(texts) != 1 {
		err = fmt.Errorf("%d texts instead of one", len(texts))
	}
	if err != nil {
		return nil, err
	}
	return &texts[0], nil
}

// transcript reads segments from their columns.
func transcript(outputs []oip.Tensor) (*Transcript, error) {
	columns := map[string]oip.Tensor{}
	for _, o := range outputs {
		columns[o.Name] = o
	}
	texts, err := columns["text"].Strings()
	if err != nil {
		return nil, err
	}
	id, start, end := columns["id"], columns["start"], columns["end"]
	for _, c := range []oip.Tensor{id, start, end} {
		if len(c.Data) != 8*len(texts) {
			return nil, fmt.Errorf("%d texts, but %d bytes of %s", len(texts), len(c.Data), c.Name)
		}
	}
	t := &Transcript{Segments: []Segment{}}
	for i, text := range texts {
		number := func(c oip.Tensor) uint64 { return binary.LittleEndian.Uint64(c.Data[8*i:]) }
		t.Segments = append(t.Segments, Segment{ID: int(number(id)), Start: math.Float64frombits(number(start)), End: math.Float64frombits(number(end)), Text: text})
	}
	return t, nil
}
