package device

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/tensor"
)

// appendGenerative appends what only generative models take.
func (in Input) appendGenerative(o *object) {
	switch {
	case in.Messages != nil:
		o.key("prompt")
		o.dst = append(o.dst, '[')
		for i, m := range in.Messages {
			if i > 0 {
				o.dst = append(o.dst, ", "...)
			}
			if !m.IsValid() {
				o.err = errors.Join(o.err, fmt.Errorf("message %d is no JSON", i))
			}
			o.dst = append(o.dst, m...)
		}
		o.dst = append(o.dst, ']')
	default:
		o.string("prompt", in.Prompt)
	}
	if in.Frames != nil {
		o.key("frames")
		o.list(in.Frames)
	}
	if in.Temperature != nil {
		o.key("temperature")
		text, err := json.Marshal(*in.Temperature)
		o.dst, o.err = append(o.dst, text...), errors.Join(o.err, err)
	}
	if in.Seed != nil {
		o.key("seed")
		o.dst = strconv.AppendInt(o.dst, *in.Seed, 10)
	}
	o.number("max_generated_tokens", int64(in.MaxTokens))
	o.tensor("audio", in.Audio)
	o.string("task", in.Task)
}

// ParseInput reads the protocol's input_data, an object. A prompt may be a
// string or a list of messages, audio a tensor or a list of numbers. Of a
// repeated member the last one counts.
func ParseInput(raw jsontext.Value) (Input, error) {
	var wire struct {
		Input
		Prompt jsontext.Value `json:"prompt"` // these two instead of the embedded ones
		Audio  jsontext.Value `json:"audio"`
	}
	repeated := jsontext.AllowDuplicateNames(true)
	if err := json.Unmarshal(raw, &wire, repeated); err != nil {
		return Input{}, err
	}
	in := wire.Input
	switch wire.Prompt.Kind() {
	case '"':
		if err := json.Unmarshal(wire.Prompt, &in.Prompt); err != nil {
			return Input{}, err
		}
	case '[':
		if err := json.Unmarshal(wire.Prompt, &in.Messages, repeated); err != nil {
			return Input{}, err
		}
	case 0, 'n':
	default:
		return Input{}, fmt.Errorf("prompt must be a string or a list of messages {role, content}, got %s", tensor.KindName(wire.Prompt))
	}
	switch wire.Audio.Kind() {
	case '[':
		var values []float32
		if err := json.Unmarshal(wire.Audio, &values); err != nil {
			at := ""
			if e, ok := errors.AsType[*json.SemanticError](err); ok {
				at = "; element " + strings.TrimPrefix(string(e.JSONPointer), "/") + " is none"
			}
			return Input{}, errors.New("audio must be a tensor or a list of float32 numbers" + at)
		}
		t, err := tensor.FromFloat32(values, len(values))
		if err != nil {
			return Input{}, err
		}
		in.Audio = &t
	case 0, 'n':
	default:
		if err := json.Unmarshal(wire.Audio, &in.Audio, repeated); err != nil {
			return Input{}, err
		}
	}
	return in, nil
}

func appendText(dst []byte, text string) ([]byte, error) {
	return jsontext.AppendQuote(dst, strings.ToValidUTF8(text, "\uFFFD"))
}

func (t Transcript) appendJSON(dst []byte) ([]byte, error) {
	if t.Segments == nil {
		t.Segments = []Segment{}
	}
	body, err := json.Marshal(t, jsontext.AllowInvalidUTF8(true))
	return append(dst, body...), err
}

// isSpeech tells {segments: [...]} from objects of tensors.
func isSpeech(raw jsontext.Value) bool {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	if !skipTokens(dec, 1) || dec.PeekKind() != '"' {
		return false
	}
	name, err := dec.ReadToken()
	return err == nil && name.String() == "segments" && dec.PeekKind() == '['
}

func parseSpeech(raw jsontext.Value) (Result, error) {
	r := Result{Speech: &Transcript{}}
	return r, json.Unmarshal(raw, r.Speech)
}
