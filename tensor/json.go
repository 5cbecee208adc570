package tensor

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// missingFields is the wording that existing clients match on.
const missingFields = "tensor must include dtype, shape, and data_b64"

type jsonForm struct {
	DType jsontext.Value `json:"dtype"`
	Shape jsontext.Value `json:"shape"`
	Data  jsontext.Value `json:"data_b64"`
}

// UnmarshalJSONFrom reads {"dtype", "shape", "data_b64"}. A shape may be one
// number, which is a vector of that length. Errors are *Error.
func (t *Tensor) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if raw.Kind() == 'n' {
		*t = Tensor{}
		return nil
	}
	parsed, err := parse(raw)
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

func parse(raw jsontext.Value) (Tensor, error) {
	if raw.Kind() != '{' {
		return Tensor{}, &Error{Kind: KindFormat, Message: fmt.Sprintf("%s, got %s", missingFields, KindName(raw))}
	}
	var form jsonForm
	if err := json.Unmarshal(raw, &form, jsontext.AllowDuplicateNames(true)); err != nil {
		return Tensor{}, &Error{Kind: KindFormat, Message: missingFields}
	}
	if absent(form.DType) || absent(form.Shape) || absent(form.Data) || string(form.Data) == `""` {
		return Tensor{}, &Error{Kind: KindFormat, Message: missingFields}
	}
	var t Tensor
	var name string
	if err := json.Unmarshal(form.DType, &name); err != nil {
		return Tensor{}, &Error{Kind: KindDType, Message: "dtype must be a string, got " + KindName(form.DType)}
	}
	var err error
	if t.DType, err = ParseDType(name); err != nil {
		return Tensor{}, err
	}
	if t.Shape, err = parseShape(form.Shape); err != nil {
		return Tensor{}, err
	}
	if t.Data, err = parseData(form.Data); err != nil {
		return Tensor{}, err
	}
	return t, t.Check()
}

func absent(v jsontext.Value) bool { return len(v) == 0 || v.Kind() == 'n' }

func parseShape(raw jsontext.Value) (Shape, error) {
	if raw.Kind() == '0' {
		var n int
		if err := json.Unmarshal(raw, &n); err == nil {
			return Shape{n}, nil
		}
	}
	var s Shape
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, &Error{Kind: KindShape, Message: "shape must be a list of whole numbers, got " + clip(string(raw))}
	}
	_, err := s.Elements()
	return s, err
}

func parseData(raw jsontext.Value) ([]byte, error) {
	if raw.Kind() != '"' {
		return nil, &Error{Kind: KindFormat, Message: "data_b64 must be a string of base64, got " + KindName(raw)}
	}
	text := raw[1 : len(raw)-1]
	if !plain(text) {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, &Error{Kind: KindFormat, Message: "data_b64 is not a JSON string"}
		}
		text = []byte(s)
	}
	data := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(data, text)
	if err != nil {
		var at base64.CorruptInputError
		if errors.As(err, &at) {
			return nil, &Error{Kind: KindFormat, Message: fmt.Sprintf(
				"data_b64 is not standard base64: illegal data or wrong padding at character %d of %d", int64(at), len(text))}
		}
		return nil, &Error{Kind: KindFormat, Message: "data_b64 is not standard base64: " + err.Error()}
	}
	return data[:n], nil
}

// plain reports whether a string token holds no escapes; base64 never needs one,
// and unescaping would copy a large payload once more.
func plain(text []byte) bool {
	for _, c := range text {
		if c == '\\' {
			return false
		}
	}
	return true
}

// KindName says in words what kind of JSON value raw is.
func KindName(raw jsontext.Value) string {
	switch raw.Kind() {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "a list"
	case '{':
		return "an object"
	}
	return "nothing"
}

// MarshalJSONTo writes the form that UnmarshalJSONFrom reads.
func (t Tensor) MarshalJSONTo(enc *jsontext.Encoder) error {
	text, err := t.AppendJSON(nil)
	if err != nil {
		return err
	}
	return enc.WriteValue(text)
}

// AppendJSON appends the JSON form to dst. Writers of large answers use it
// directly, because an encoder would scan the text again to validate it.
func (t Tensor) AppendJSON(dst []byte) ([]byte, error) {
	if err := t.Check(); err != nil {
		return dst, err
	}
	dst = append(dst, `{"dtype": "`...)
	dst = append(dst, t.DType.String()...)
	dst = append(dst, `", "shape": `...)
	dst = append(dst, t.Shape.String()...)
	dst = append(dst, `, "data_b64": "`...)
	dst = base64.StdEncoding.AppendEncode(dst, t.Data)
	return append(dst, `"}`...), nil
}
