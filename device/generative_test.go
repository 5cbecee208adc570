package device

import (
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/tensor"
)

func TestGenerativeInputs(t *testing.T) {
	half, seed := 0.5, int64(0)
	audio, err := tensor.FromFloat32([]float32{0, 0.5, -1}, 3)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Input{
		`{"prompt": "say \"x\"", "frames": [{"dtype": "uint8", "shape": [1], "data_b64": "Bw=="}], "temperature": 0.5, "seed": 0, "max_generated_tokens": 9}`: {
			Prompt: `say "x"`, Frames: []tensor.Tensor{*bytesTensor(tensor.Shape{1}, 7)}, Temperature: &half, Seed: &seed, MaxTokens: 9},
		`{"prompt": [{"role": "user", "content": "x"}, {"role": "b"}], "frames": []}`: {
			Messages: []jsontext.Value{jsontext.Value(`{"role": "user", "content": "x"}`), jsontext.Value(`{"role": "b"}`)}, Frames: []tensor.Tensor{}},
		`{"language": "de", "audio": {"dtype": "float32", "shape": [3], "data_b64": "AAAAAAAAAD8AAIC/"}, "task": "translate"}`: {Audio: &audio, Language: "de", Task: "translate"},
	} {
		got, err := ParseInput([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v (%v)", text, got, err)
		}
		if written, err := want.AppendJSON(nil); err != nil || string(written) != text {
			t.Errorf("written as %s (%v), want %s", written, err, text)
		}
	}
	got, err := ParseInput([]byte(`{"audio": [0.0, 0.5, -1], "prompt": "first", "prompt": null}`))
	if err != nil || !reflect.DeepEqual(got, Input{Audio: &audio}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestGenerativeInputsThatAreNone(t *testing.T) {
	for text, part := range map[string]string{
		`{"prompt": 5}`:             "prompt must be a string or a list of messages {role, content}, got a number",
		`{"audio": [0, "x"]}`:       "audio must be a tensor or a list of float32 numbers; element 1 is none",
		`{"audio": [0, 1, 1e39]}`:   "element 2 is none",
		`{"audio": "x"}`:            "tensor must include dtype, shape, and data_b64, got a string",
		`{"audio": {"shape": [1]}}`: "tensor must include",
		`{"temperature": "warm"}`:   "temperature",
		`{"seed": 0.5}`:             "seed",
	} {
		in, err := ParseInput([]byte(text))
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %+v, %v; want %q", text, in, err, part)
		}
	}
	broken := bytesTensor(tensor.Shape{2}, 1)
	for _, in := range []Input{{Audio: broken}, {Frames: []tensor.Tensor{*broken}}, {Messages: []jsontext.Value{jsontext.Value(`{`)}}} {
		if text, err := in.AppendJSON(nil); err == nil {
			t.Errorf("written: %s", text)
		}
	}
}
