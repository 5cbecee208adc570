package oip

import (
	"math"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/tensor"
)

// Parameters are the named values that a message, an input or an output may
// carry. Getters report whether a value is there (null is not) and give an
// *Error when it is of another kind.
type Parameters map[string]jsontext.Value

// Set adds a value that encoding cannot fail on: a string, number or boolean.
func (p Parameters) Set(name string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return errorf("parameter %s: %v", name, err)
	}
	p[name] = raw
	return nil
}

// Has reports whether there is a value.
func (p Parameters) Has(name string) bool {
	v, ok := p[name]
	return ok && v.Kind() != 'n'
}

// String is a text.
func (p Parameters) String(name string) (value string, ok bool, err error) {
	return get[string](p, name, "a string")
}

// Bool is a boolean.
func (p Parameters) Bool(name string) (value, ok bool, err error) {
	return get[bool](p, name, "a boolean")
}

// Float is a number.
func (p Parameters) Float(name string) (value float64, ok bool, err error) {
	return get[float64](p, name, "a number")
}

// Int is a whole number within low and high.
func (p Parameters) Int(name string, low, high int64) (value int64, ok bool, err error) {
	value, ok, err = get[int64](p, name, "a whole number")
	if err == nil && ok && (value < low || value > high) {
		if high == math.MaxInt64 {
			return 0, false, errorf("parameter %s is %d; expected at least %d", name, value, low)
		}
		return 0, false, errorf("parameter %s is %d; expected %d to %d", name, value, low, high)
	}
	return value, ok, err
}

// JSON is a value of any kind; a string is taken for the JSON text in it,
// because most clients can send texts and numbers only.
func (p Parameters) JSON(name string) (value jsontext.Value, ok bool, err error) {
	v := p[name]
	if !p.Has(name) {
		return nil, false, nil
	}
	if v.Kind() != '"' {
		return v, true, nil
	}
	text, _, err := p.String(name)
	if err != nil {
		return nil, false, err
	}
	if v = jsontext.Value(text); !v.IsValid(jsontext.AllowDuplicateNames(true)) {
		return nil, false, errorf("parameter %s is a string without JSON in it", name)
	}
	return v, true, nil
}

func get[T any](p Parameters, name, want string) (value T, ok bool, err error) {
	if !p.Has(name) {
		return value, false, nil
	}
	if err := json.Unmarshal(p[name], &value); err != nil {
		return value, false, errorf("parameter %s must be %s, got %s", name, want, describe(p[name]))
	}
	return value, true, nil
}

func describe(v jsontext.Value) string {
	if v.Kind() == '0' {
		return clip(string(v))
	}
	return tensor.KindName(v)
}
