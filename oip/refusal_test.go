package oip

import (
	"errors"
	"math"
	"strings"
	"testing"

	"hailo-depth/tensor"
)

// What is no request is refused with the reason.
func TestRefusals(t *testing.T) {
	input := func(members string) string { return `{"inputs":[{"name":"a",` + members + `}]}` }
	for text, want := range map[string]string{
		``:              "not valid",
		`{`:             "not valid",
		`[]`:            "must be an object, got a list",
		`{"inputs":{}}`: "inputs does not take an object",
		`{"id":1}`:      "id does not take a number",
		`{"outputs":[{"name":"x","parameters":{"binary_data":1}}]}`:                                 "binary_data must be a boolean, got 1",
		`{"outputs":[{"name":"x","parameters":{"classification":3}}]}`:                              `output "x": the parameter classification is not supported`,
		`{"outputs":[{"name":"x","parameters":{"shared_memory_region":"r"}}]}`:                      "shared_memory_region is not supported",
		`{"parameters":{"binary_data_output":"yes"}}`:                                               "binary_data_output must be a boolean, got a string",
		input(`"shape":[1],"data":[1]`):                                                             `datatype ""`,
		input(`"shape":[1],"datatype":"FP33","data":[1]`):                                           `datatype "FP33" is not understood`,
		input(`"shape":1,"datatype":"FP32","data":[1]`):                                             "shape must be a list",
		input(`"datatype":"FP32","data":[1]`):                                                       "shape must be a list",
		input(`"shape":[-1],"datatype":"FP32","data":[1]`):                                          "negative dimension",
		input(`"shape":[1099511627776,1099511627776],"datatype":"FP32","data":[1]`):                 "too many elements",
		input(`"shape":[1000000000],"datatype":"FP32","data":[1]`):                                  "needs 1000000000 elements; data has at most",
		input(`"shape":[2],"datatype":"FP32"`):                                                      "neither data nor binary_data_size",
		input(`"shape":[2],"datatype":"FP32","data":5`):                                             "data must be an array, got a number",
		input(`"shape":[2],"datatype":"FP32","data":[1   ]`):                                        "fewer elements",
		input(`"shape":[1],"datatype":"FP32","data":[1,2]`):                                         "more elements",
		input(`"shape":[2,1],"datatype":"FP32","data":[[1],2]`):                                     "not nested as shape",
		input(`"shape":[2],"datatype":"FP32","data":[[1],[2]]`):                                     "is no FP32",
		input(`"shape":[1],"datatype":"UINT8","data":[256]`):                                        "256 is no UINT8",
		input(`"shape":[1],"datatype":"UINT8","data":[1.5]`):                                        "1.5 is no UINT8",
		input(`"shape":[1],"datatype":"INT8","data":[-129]`):                                        "-129 is no INT8",
		input(`"shape":[1],"datatype":"FP16","data":[65520]`):                                       "65520 is no FP16",
		input(`"shape":[1],"datatype":"FP32","data":[1e39]`):                                        "1e39 is no FP32",
		input(`"shape":[1],"datatype":"BOOL","data":[1]`):                                           "1 is no BOOL",
		input(`"shape":[1],"datatype":"BYTES","data":[1]`):                                          "1 is no BYTES",
		input(`"shape":[1],"datatype":"FP32","data":["1"]`):                                         "is no FP32",
		input(`"shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}`):                  "header Inference-Header-Content-Length is missing",
		input(`"shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4},"data":[1]`):       "both data and binary_data_size",
		input(`"shape":[1],"datatype":"FP32","parameters":{"shared_memory_region":"r"},"data":[1]`): "shared memory is not supported",
		`{"inputs":[` + strings.Repeat(`{},`, maxTensors) + `{}]}`:                                  "1025 tensors",
		input(`"shape":[1],"datatype":"FP32","parameters":{"binary_data_size":"4"}`):                "must be a whole number, got a string",
		input(`"shape":[1],"datatype":"FP32","parameters":{"binary_data_size":-4}`):                 "binary_data_size is -4",
	} {
		expect(t, text, "", NoHead, want)
	}
	binary := `{"inputs":[{"name":"a","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}`
	expect(t, binary, "123", int64(len(binary)), "binary_data_size 4; 3 of the 3 bytes")
	expect(t, binary, "12345", int64(len(binary)), "1 of the 5 bytes after the head belong to no tensor")
	expect(t, binary, "1234", int64(len(binary))+5, "is 96; the body has 95 bytes")
	expect(t, binary, "1234", -2, "is -2")
	short := strings.Replace(binary, "[1]", "[2]", 1)
	expect(t, short, "1234", int64(len(short)), "has 4 bytes; dtype float32 and shape [2] need 8")
	strs := strings.Replace(binary, "FP32", "BYTES", 1)
	expect(t, strs, "\x05\x00\x00\x00", int64(len(strs)), "element 0 of BYTES is cut off")
}

func expect(t *testing.T, head, tail string, length int64, want string) {
	t.Helper()
	q, err := DecodeRequest([]byte(head+tail), length)
	if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), want) {
		t.Errorf("%.100s: got %v, %v; want %q", head, q, err, want)
	}
}

// What JSON cannot hold is refused, never written otherwise.
func TestValuesThatJSONCannotHold(t *testing.T) {
	nan, err := tensor.FromFloat32([]float32{1, float32(math.NaN())}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []Tensor{FromTensor("a", nan), FromStrings("a", "\xff"), FromStrings("\xff", "a"), {Name: "a"}, {Name: "a", Datatype: "FP32", Shape: tensor.Shape{2}, Data: []byte{1}}} {
		r := Response{Outputs: []Tensor{bad}}
		if m, err := r.Encode([]bool{false}); err == nil {
			t.Errorf("%+v is written %s", bad, m.Head)
		}
	}
}

// Getters tell absence from a wrong kind.
func TestParameters(t *testing.T) {
	p := Parameters{"s": []byte(`"text"`), "n": []byte(`7`), "x": []byte(`0.5`), "null": []byte(`null`), "o": []byte(`{"a":1}`), "so": []byte(`"{\"a\":1}"`), "bad": []byte(`"{"`)}
	if s, ok, err := p.String("s"); s != "text" || !ok || err != nil {
		t.Error(s, ok, err)
	}
	if _, ok, err := p.String("null"); ok || err != nil {
		t.Error(ok, err)
	}
	if _, _, err := p.String("n"); err == nil || err.Error() != "parameter n must be a string, got 7" {
		t.Error(err)
	}
	if n, ok, err := p.Int("n", 0, 9); n != 7 || !ok || err != nil {
		t.Error(n, ok, err)
	}
	if _, _, err := p.Int("n", 8, 9); err == nil || err.Error() != "parameter n is 7; expected 8 to 9" {
		t.Error(err)
	}
	if _, _, err := p.Int("x", 0, 9); err == nil {
		t.Error("0.5 is a whole number")
	}
	for _, name := range []string{"o", "so"} {
		if v, ok, err := p.JSON(name); string(v) != `{"a":1}` || !ok || err != nil {
			t.Error(string(v), ok, err)
		}
	}
	if _, _, err := p.JSON("bad"); err == nil {
		t.Error("half an object was taken")
	}
}
