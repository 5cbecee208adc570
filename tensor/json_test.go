package tensor

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
)

// randomTensor has a shape of up to five dimensions, some of them 0 or 1.
func randomTensor(r *rand.Rand) Tensor {
	t := Tensor{DType: Bool + DType(r.IntN(int(Float64))), Shape: Shape{}}
	n := 1
	for range r.IntN(6) {
		d := r.IntN(7)
		t.Shape = append(t.Shape, d)
		n *= d
	}
	t.Data = make([]byte, n*t.DType.Size())
	for i := range t.Data {
		t.Data[i] = byte(r.Uint32())
	}
	return t
}

func TestJSONGivesTheTensorBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		want := randomTensor(r)
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatalf("%s: %v", want.Describe(), err)
		}
		var got Tensor
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", want.Describe(), err)
		}
		if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) || !bytes.Equal(got.Data, want.Data) {
			t.Fatalf("%s came back as %s, bytes equal: %v", want.Describe(), got.Describe(), bytes.Equal(got.Data, want.Data))
		}
	}
}

func TestJSONIsWhatClientsRead(t *testing.T) {
	// numpy: base64.b64encode(np.array([[1, -2]], "<i2").tobytes())
	const want = `{"dtype": "int16", "shape": [1, 2], "data_b64": "AQD+/w=="}`
	got, err := Tensor{DType: Int16, Shape: Shape{1, 2}, Data: []byte{1, 0, 0xfe, 0xff}}.AppendJSON([]byte("before "))
	if err != nil || string(got) != "before "+want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestJSONForms(t *testing.T) {
	for text, want := range map[string]Tensor{
		`{"dtype":"uint8","shape":3,"data_b64":"AQID"}`:               {Uint8, Shape{3}, []byte{1, 2, 3}},
		`{"data_b64":"AQID","shape":[3],"dtype":"|u1"}`:               {Uint8, Shape{3}, []byte{1, 2, 3}},
		`{"dtype":"u1","shape":[3],"data_b64":"AQID","strides":[{}]}`: {Uint8, Shape{3}, []byte{1, 2, 3}},
		`{"dtype":"uint8","shape":[],"data_b64":"Bw=="}`:              {Uint8, Shape{}, []byte{7}},
		`{"dtype":"uint8","shape":[3],"data_b64":"\u0041QID"}`:        {Uint8, Shape{3}, []byte{1, 2, 3}},
		`{"dtype":"uint8","shape":[1],"data_b64":"\/w=="}`:            {Uint8, Shape{1}, []byte{0xff}},
		`{"dtype":"float32","shape":[2,0],"data_b64":""}`:             {Float32, Shape{2, 0}, nil},
		` null `: {},
	} {
		got := Tensor{DType: Bool}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%s: got %s %v", text, got.Describe(), got.Data)
		}
	}
}

func TestJSONRefusals(t *testing.T) {
	long := strings.Repeat("é", 100)
	for text, want := range map[string]struct {
		kind Kind
		says string
	}{
		`5`:                             {KindFormat, missingFields + ", got a number"},
		`[]`:                            {KindFormat, "got a list"},
		`"x"`:                           {KindFormat, "got a string"},
		`true`:                          {KindFormat, "got a boolean"},
		`{}`:                            {KindFormat, missingFields},
		`{"dtype":"uint8","shape":[1]}`: {KindFormat, missingFields},
		`{"dtype":null,"shape":[1],"data_b64":"AA=="}`:                                    {KindFormat, missingFields},
		`{"dtype":"uint8","shape":[1],"data_b64":""}`:                                     {KindFormat, missingFields},
		`{"dtype":5,"shape":[1],"data_b64":"AA=="}`:                                       {KindDType, "dtype must be a string, got a number"},
		`{"dtype":"` + long + `","shape":[1],"data_b64":"AA=="}`:                          {KindDType, "is not understood; expected one of bool, int8"},
		`{"dtype":"uint8","shape":{},"data_b64":"AA=="}`:                                  {KindShape, "shape must be a list of whole numbers, got {}"},
		`{"dtype":"uint8","shape":[1.5],"data_b64":"AA=="}`:                               {KindShape, "got [1.5]"},
		`{"dtype":"uint8","shape":1.5,"data_b64":"AA=="}`:                                 {KindShape, "got 1.5"},
		`{"dtype":"uint8","shape":["` + long + `"],"data_b64":"AA=="}`:                    {KindShape, "whole numbers"},
		`{"dtype":"uint8","shape":["1` + long + `"],"data_b64":"AA=="}`:                   {KindShape, "whole numbers"},
		`{"dtype":"uint8","shape":-3,"data_b64":"AA=="}`:                                  {KindShape, "negative dimension -3"},
		`{"dtype":"uint8","shape":[2,-3],"data_b64":"AA=="}`:                              {KindShape, "shape [2, -3] has the negative dimension -3"},
		`{"dtype":"uint8","shape":[1099511627776,2],"data_b64":"AA=="}`:                   {KindShape, "too many elements"},
		`{"dtype":"uint8","shape":[` + strings.Repeat("1,", 64) + `1],"data_b64":"AA=="}`: {KindShape, "65 dimensions"},
		`{"dtype":"uint8","shape":[2],"data_b64":"AA=="}`:                                 {KindLength, "the tensor has 1 bytes; dtype uint8 and shape [2] need 2"},
		`{"dtype":"uint8","shape":[1],"data_b64":["AA=="]}`:                               {KindFormat, "data_b64 must be a string of base64, got a list"},
		`{"dtype":"uint8","shape":[1],"data_b64":"A*=="}`:                                 {KindFormat, "at character 1 of 4"},
		`{"dtype":"uint8","shape":[1],"data_b64":"AA"}`:                                   {KindFormat, "not standard base64"},
		`{"dtype":"uint8","shape":[2],"data_b64":"__8="}`:                                 {KindFormat, "not standard base64"},
	} {
		before := Tensor{DType: Int64, Shape: Shape{}, Data: make([]byte, 8)}
		got := before
		err := json.Unmarshal([]byte(text), &got)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v, want an *Error", text, err)
			continue
		}
		if e.Kind != want.kind || !strings.Contains(e.Message, want.says) {
			t.Errorf("%s: %s %q, want %s %q", text, e.Kind, e.Message, want.kind, want.says)
		}
		if !utf8.ValidString(e.Message) || len(e.Message) > 400 {
			t.Errorf("%s: a message of %d bytes, valid UTF-8: %v", text, len(e.Message), utf8.ValidString(e.Message))
		}
		if got.DType != before.DType {
			t.Errorf("%s: the refused tensor is there all the same: %s", text, got.Describe())
		}
	}
}

func TestBrokenJSONIsAnError(t *testing.T) {
	for _, text := range []string{``, `{`, `{"dtype"`, `{"dtype":"uint8"`, `{"dtype":"uint8","shape":[1],"data_b64":"AA==`, `{"dtype":"uint8",}`, `{1:2}`, `{"dtype":"uint8","dtype":"int8"}`} {
		var got Tensor
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s: read as %s", text, got.Describe())
		}
	}
}

func TestAnIncompleteTensorIsNotWritten(t *testing.T) {
	for _, bad := range []Tensor{{}, {DType: Uint8, Shape: Shape{2}, Data: []byte{1}}, {DType: Uint8, Shape: Shape{1}, Data: []byte{1, 2}}, {DType: 99, Shape: Shape{}}} {
		if text, err := json.Marshal(bad); err == nil {
			t.Errorf("%s is written as %s", bad.Describe(), text)
		}
	}
}
