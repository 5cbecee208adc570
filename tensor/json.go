package tensor

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// missingFields is the wording that existing clients match on.
const missingFields = "tensor must include dtype, shape, and data_b64"

// UnmarshalJSONFrom reads {"dtype", "shape", "data_b64"}. A shape may be one
// number, which is a vector of that length. Errors are *Error. The members are
// taken one by one, so that the large one is gone over once.
func (t *Tensor) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if kind := dec.PeekKind(); kind != '{' {
		raw, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if kind == 'n' {
			*t = Tensor{}
			return nil
		}
		return &Error{Kind: KindFormat, Message: fmt.Sprintf("%s, got %s", missingFields, KindName(raw))}
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	var parsed Tensor
	var found struct{ dtype, shape, data bool }
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if absent(value) {
			continue
		}
		switch key {
		case "dtype":
			found.dtype = true
			parsed.DType, err = parseDType(value)
		case "shape":
			found.shape = true
			parsed.Shape, err = parseShape(value)
		case "data_b64":
			found.data = true
			parsed.Data, err = parseData(value)
		}
		if err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil { // the closing brace
		return err
	}
	// No bytes are right for a shape without elements only.
	found.data = found.data && (len(parsed.Data) > 0 || slices.Contains(parsed.Shape, 0))
	if !found.dtype || !found.shape || !found.data {
		return &Error{Kind: KindFormat, Message: missingFields}
	}
	if err := parsed.Check(); err != nil {
		return err
	}
	*t = parsed
	return nil
}

func parseDType(raw jsontext.Value) (DType, error) {
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return Invalid, &Error{Kind: KindDType, Message: "dtype must be a string, got " + KindName(raw)}
	}
	return ParseDType(name)
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
	if bytes.IndexByte(text, '\\') >= 0 { // base64 never needs an escape
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
	// Room for all at once, and for what the caller adds behind it: growing a
	// buffer of this size by another few bytes would copy all of it.
	const around = 512
	dst = slices.Grow(dst, base64.StdEncoding.EncodedLen(len(t.Data))+around)
	dst = append(dst, `{"dtype": "`...)
	dst = append(dst, t.DType.String()...)
	dst = append(dst, `", "shape": `...)
	dst = append(dst, t.Shape.String()...)
	dst = append(dst, `, "data_b64": "`...)
	dst = base64.StdEncoding.AppendEncode(dst, t.Data)
	return append(dst, `"}`...), nil
}
