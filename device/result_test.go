package device

import (
	"reflect"
	"strings"
	"testing"

	"hailo-depth/tensor"
)

func bytesTensor(shape tensor.Shape, data ...byte) *tensor.Tensor {
	return &tensor.Tensor{DType: tensor.Uint8, Shape: shape, Data: data}
}

func TestResultsComeBack(t *testing.T) {
	text := "line\n\"quoted\" 名"
	one, other := bytesTensor(tensor.Shape{1, 2}, 3, 4), bytesTensor(tensor.Shape{0}, []byte{}...)
	other.Data = []byte{}
	for text, want := range map[string]Result{
		`{"dtype": "uint8", "shape": [1, 2], "data_b64": "AwQ="}`: {Tensor: one},
		`[]`: {List: []tensor.Tensor{}},
		`[{"dtype": "uint8", "shape": [1, 2], "data_b64": "AwQ="}, {"dtype": "uint8", "shape": [0], "data_b64": ""}]`:           {List: []tensor.Tensor{*one, *other}},
		`{"z": {"dtype": "uint8", "shape": [1, 2], "data_b64": "AwQ="}, "a": {"dtype": "uint8", "shape": [0], "data_b64": ""}}`: {Named: []Named{{"z", *one}, {"a", *other}}},
		`{"dtype": {"dtype": "uint8", "shape": [1, 2], "data_b64": "AwQ="}}`:                                                    {Named: []Named{{"dtype", *one}}},
		`{"a \"quoted\" 名": {"dtype": "uint8", "shape": [1, 2], "data_b64": "AwQ="}}`:                                           {Named: []Named{{`a "quoted" 名`, *one}}},
		`"line\n\"quoted\" 名"`: {Text: &text},
		`""`:                   {Text: new(string)},
		`{"segments":[]}`:      {Speech: &Transcript{Segments: []Segment{}}},
		`{"segments":[{"id":0,"start":0,"end":0.00025,"text":" hello"},{"id":1,"start":0.5,"end":2,"text":""}]}`: {Speech: &Transcript{Segments: []Segment{{0, 0, 0.00025, " hello"}, {1, 0.5, 2, ""}}}},
		`{"segments": {"dtype": "uint8", "shape": [1, 2], "data_b64": "AwQ="}}`:                                  {Named: []Named{{"segments", *one}}},
	} {
		written, err := want.AppendJSON(nil)
		if err != nil || string(written) != text {
			t.Errorf("written as %s (%v), want %s", written, err, text)
		}
		got, err := parseResult([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v (%v)", text, got, err)
		}
	}
}

// Whatever is no result is an error that says why, not a result with holes.
func TestResultsThatAreNone(t *testing.T) {
	const good = `{"dtype": "uint8", "shape": [1], "data_b64": "AA=="}`
	for text, part := range map[string]string{
		``:                                       "got nothing",
		`null`:                                   "got null",
		`5`:                                      "got a number",
		`{"segments": [5]}`:                      "segments",
		`{"segments": {}}`:                       "tensor must include",
		`{"segments": [{"id": "x"}]}`:            "segments",
		`true`:                                   "got a boolean",
		`{}`:                                     "tensor must include dtype, shape, and data_b64",
		`{"a": null}`:                            "tensor must include dtype, shape, and data_b64",
		`[5]`:                                    "got a number",
		`[null]`:                                 "item 0: the tensor has no data type",
		`[` + good + `, null]`:                   "item 1: the tensor has no data type",
		`[[` + good + `]]`:                       "got a list",
		`{"a": ` + good + `, "b": 5}`:            "got a number",
		`{"a": ` + good + `, "b": null}`:         `output "b": the tensor has no data type`,
		`{"a": ` + good + `, "a": ` + good + `}`: "duplicate",
		`{"a": {"b": ` + good + `}}`:             "tensor must include",
		`{"dtype": "uint8", "shape": [2], "data_b64": "AA=="}`:     "need 2",
		`{"dtype": "float32", "shape": [1], "data_b64": "AAAA"}`:   "need 4",
		`{"dtype": "uint8", "shape": [-1], "data_b64": "AA=="}`:    "negative dimension",
		`{"dtype": "uint8", "shape": [1], "data_b64": "AA=A"}`:     "not standard base64",
		`{"dtype": "complex64", "shape": [1], "data_b64": "AA=="}`: "complex64",
	} {
		got, err := parseResult([]byte(text))
		if err == nil {
			t.Errorf("%s is read as %+v", text, got)
		} else if !strings.Contains(err.Error(), part) {
			t.Errorf("%s gives %q, without %q", text, err, part)
		}
	}
}

// A tensor that does not hold together is not sent.
func TestBrokenTensorsAreNotWritten(t *testing.T) {
	broken := bytesTensor(tensor.Shape{2}, 1)
	for _, r := range []Result{{Tensor: broken}, {List: []tensor.Tensor{*broken}}, {Named: []Named{{"a", *broken}}}} {
		if text, err := r.AppendJSON(nil); err == nil {
			t.Errorf("written: %s", text)
		}
	}
	for _, in := range []Input{{Input: broken}, {Tensor: broken}, {Image: broken}, {Crops: []tensor.Tensor{*broken}}} {
		if text, err := in.AppendJSON(nil); err == nil {
			t.Errorf("written: %s", text)
		}
	}
}
