package oip

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/tensor"
)

// parseValues reads the elements of a tensor from a JSON array: nested as the
// shape says, or flat. Memory is taken for no more elements than the text can
// hold.
func parseValues(t Tensor, raw jsontext.Value) ([]byte, error) {
	if raw.Kind() != '[' {
		return nil, errorf("tensor %q: data must be an array, got %s", t.Name, tensor.KindName(raw))
	}
	n, err := t.Shape.Elements()
	if err != nil {
		return nil, prefixed(t.Name, err)
	}
	if most := len(raw) / 2; n > most { // an element takes a character and a comma
		return nil, errorf("tensor %q: shape %v needs %d elements; data has at most %d", t.Name, t.Shape, n, most)
	}
	v := values{dec: jsontext.NewDecoder(bytes.NewReader(raw)), tensor: t}
	v.data = make([]byte, 0, n*max(1, t.Datatype.DType().Size())) // BYTES grows
	shape := t.Shape
	if inner := bytes.TrimLeft(raw[1:], " \t\r\n"); inner[0] != '[' {
		shape = tensor.Shape{n} // flat
	}
	if err := v.list(shape); err != nil {
		return nil, err
	}
	return v.data, nil
}

// values reads one array.
type values struct {
	dec    *jsontext.Decoder
	tensor Tensor
	data   []byte
}

func (v *values) list(shape tensor.Shape) error {
	if len(shape) == 0 {
		return errorf("tensor %q: data is nested deeper than shape %v", v.tensor.Name, v.tensor.Shape)
	}
	if kind := v.dec.PeekKind(); kind != '[' {
		return errorf("tensor %q: data is not nested as shape %v says", v.tensor.Name, v.tensor.Shape)
	}
	if _, err := v.dec.ReadToken(); err != nil {
		return prefixed(v.tensor.Name, err)
	}
	count := 0
	for ; v.dec.PeekKind() != ']'; count++ {
		if count == shape[0] {
			return errorf("tensor %q: data has more elements than shape %v", v.tensor.Name, v.tensor.Shape)
		}
		if len(shape) > 1 {
			if err := v.list(shape[1:]); err != nil {
				return err
			}
			continue
		}
		token, err := v.dec.ReadToken()
		if err != nil {
			return prefixed(v.tensor.Name, err)
		}
		if v.data, err = appendValue(v.data, v.tensor.Datatype, token); err != nil {
			return prefixed(v.tensor.Name, err)
		}
	}
	if count < shape[0] {
		return errorf("tensor %q: data has fewer elements than shape %v", v.tensor.Name, v.tensor.Shape)
	}
	_, err := v.dec.ReadToken()
	return err
}

// appendValue appends one element in its raw form.
func appendValue(dst []byte, d Datatype, token jsontext.Token) ([]byte, error) {
	text, kind := token.String(), token.Kind()
	dtype := d.DType()
	switch {
	case d == Bytes && kind == '"':
		return appendString(dst, text), nil
	case dtype == tensor.Bool && kind == 't':
		return append(dst, 1), nil
	case dtype == tensor.Bool && kind == 'f':
		return append(dst, 0), nil
	case kind != '0' || d == Bytes || dtype == tensor.Bool:
		return nil, errorf("%s is no %s", clip(text), d)
	}
	bits := 8 * dtype.Size()
	var value uint64
	var err error
	switch dtype {
	case tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64:
		var signed int64
		signed, err = strconv.ParseInt(text, 10, bits)
		value = uint64(signed)
	case tensor.Float16:
		return appendFloat16(dst, text)
	case tensor.Float32:
		var f float64
		f, err = strconv.ParseFloat(text, 32)
		value = uint64(math.Float32bits(float32(f)))
	case tensor.Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		value = math.Float64bits(f)
	default:
		value, err = strconv.ParseUint(text, 10, bits)
	}
	if err != nil {
		return nil, errorf("%s is no %s", clip(text), d)
	}
	var little [8]byte
	binary.LittleEndian.PutUint64(little[:], value)
	return append(dst, little[:dtype.Size()]...), nil
}

func appendFloat16(dst []byte, text string) ([]byte, error) {
	f, err := strconv.ParseFloat(text, 32)
	if err == nil && math.Abs(f) < 65520 { // what rounds to a finite one
		wide, err := tensor.FromFloat32([]float32{float32(f)}, 1)
		if err != nil {
			return nil, err
		}
		half, err := tensor.Convert(wide, tensor.Float16)
		return append(dst, half.Data...), err
	}
	return nil, errorf("%s is no FP16", clip(text))
}

// appendValues writes the elements of t as a flat JSON array. It fails on what
// JSON cannot hold.
func appendValues(dst []byte, t Tensor) ([]byte, error) {
	if !t.finite() {
		return nil, errorf("tensor %q has values that JSON cannot hold (NaN or infinite); ask for binary_data", t.Name)
	}
	dst = append(dst, '[')
	if t.Datatype == Bytes {
		texts, err := t.Strings()
		if err != nil {
			return nil, err
		}
		for i, text := range texts {
			dst = comma(dst, i)
			if dst, err = jsontext.AppendQuote(dst, text); err != nil {
				return nil, errorf("tensor %q: element %d is not UTF-8, which JSON cannot hold; ask for binary_data", t.Name, i)
			}
		}
		return append(dst, ']'), nil
	}
	plain, err := t.Tensor()
	if err == nil && plain.DType == tensor.Float16 {
		plain, err = tensor.Convert(plain, tensor.Float32)
	}
	if err != nil {
		return nil, prefixed(t.Name, err)
	}
	size := plain.DType.Size()
	for i := range len(plain.Data) / size {
		dst = appendNumber(comma(dst, i), plain.DType, plain.Data[i*size:(i+1)*size])
	}
	return append(dst, ']'), nil
}

func comma(dst []byte, i int) []byte {
	if i > 0 {
		return append(dst, ',')
	}
	return dst
}

func appendNumber(dst []byte, d tensor.DType, raw []byte) []byte {
	value := element(raw)
	switch d {
	case tensor.Bool:
		return strconv.AppendBool(dst, value != 0)
	case tensor.Int8:
		return strconv.AppendInt(dst, int64(int8(value)), 10)
	case tensor.Int16:
		return strconv.AppendInt(dst, int64(int16(value)), 10)
	case tensor.Int32:
		return strconv.AppendInt(dst, int64(int32(value)), 10)
	case tensor.Int64:
		return strconv.AppendInt(dst, int64(value), 10)
	case tensor.Float32:
		return strconv.AppendFloat(dst, float64(math.Float32frombits(uint32(value))), 'g', -1, 32)
	case tensor.Float64:
		return strconv.AppendFloat(dst, math.Float64frombits(value), 'g', -1, 64)
	}
	return strconv.AppendUint(dst, value, 10)
}
