package oip

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"hailo-depth/tensor"
)

// body is a message as it goes over the wire.
func body(m Message) []byte { return slices.Concat(m.Head, slices.Concat(m.Tensors...)) }

// anyTensor has bytes of any value; those of floats may be no finite numbers.
func anyTensor(r *rand.Rand, name string) Tensor {
	shape := tensor.Shape{}
	for range r.IntN(4) {
		shape = append(shape, r.IntN(4))
	}
	n, _ := shape.Elements()
	if r.IntN(5) == 0 {
		texts := make([]string, n)
		for i := range texts {
			texts[i] = string([]rune{rune(r.IntN(0xd000)), '"', '\\', 'é'}[:r.IntN(5)])
		}
		t := FromStrings(name, texts...)
		t.Shape = shape
		return t
	}
	dtype := tensor.DType(1 + r.IntN(12))
	data := make([]byte, n*dtype.Size())
	for i := range data {
		data[i] = byte(r.Uint32())
		if dtype == tensor.Bool {
			data[i] &= 1
		}
	}
	return FromTensor(name, tensor.Tensor{DType: dtype, Shape: shape, Data: data})
}

func anyParameters(r *rand.Rand) Parameters {
	if r.IntN(2) == 0 {
		return nil
	}
	p := Parameters{}
	for name, value := range map[string]any{"a \"quoted\" name": r.IntN(1000), "text": "\u2028é", "flag": r.IntN(2) == 0, "object": map[string]any{"x": []any{1}}} {
		if err := p.Set(name, value); err != nil {
			panic(err)
		}
	}
	return p
}

// normal has no difference between nothing and an empty one.
func normal(all []Tensor) []Tensor {
	for i := range all {
		if len(all[i].Parameters) == 0 {
			all[i].Parameters = nil
		}
		if len(all[i].Data) == 0 {
			all[i].Data = nil
		}
		if len(all[i].Shape) == 0 {
			all[i].Shape = nil
		}
	}
	return all
}

// A request survives the wire to the bit, as bytes behind the head and, where
// JSON can hold its values, within it.
func TestRequestsComeBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	inJSON := 0
	for range 3000 {
		q := &Request{ID: "request 1", Parameters: anyParameters(r), BinaryOutputs: r.IntN(2) == 0}
		for i := range r.IntN(4) {
			q.Inputs = append(q.Inputs, anyTensor(r, string(rune('a'+i))))
			q.Inputs[i].Parameters = anyParameters(r)
		}
		for i := range r.IntN(3) {
			q.Outputs = append(q.Outputs, Output{Name: string(rune('x' + i)), Binary: r.IntN(2) == 0})
		}
		for _, asJSON := range []bool{false, true} {
			m, err := q.Encode(asJSON)
			if err != nil {
				if !asJSON || !slices.ContainsFunc(q.Inputs, func(t Tensor) bool { return !t.finite() }) {
					t.Fatal(err)
				}
				continue
			}
			text := body(m)
			if int64(len(text)) != m.Size() || asJSON != (m.HeadLength() == NoHead) {
				t.Fatalf("size %d, head %d of %d bytes", m.Size(), m.HeadLength(), len(text))
			}
			got, err := DecodeRequest(text, m.HeadLength())
			if err != nil {
				t.Fatalf("%v: %s", err, m.Head)
			}
			if asJSON {
				inJSON++
			}
			want := *q
			want.Inputs, got.Inputs = normal(slices.Clone(q.Inputs)), normal(got.Inputs)
			delete(got.Parameters, "binary_data_output")
			if len(got.Parameters) == 0 {
				got.Parameters = nil
			}
			for i := range got.Outputs {
				got.Outputs[i].Parameters = nil
			}
			if !reflect.DeepEqual(got, &want) {
				t.Fatalf("got  %+v\nwant %+v\nof   %s", got, &want, m.Head)
			}
		}
	}
	if inJSON < 500 {
		t.Errorf("only %d requests could be JSON", inJSON)
	}
}

func TestResponsesComeBack(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		want := &Response{ModelName: "scdepthv3", ModelVersion: "1", ID: "é", Parameters: anyParameters(r)}
		var binary []bool
		for i := range r.IntN(4) {
			want.Outputs = append(want.Outputs, anyTensor(r, string(rune('a'+i))))
			binary = append(binary, r.IntN(2) == 0 || !want.Outputs[i].finite())
		}
		m, err := want.Encode(binary)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeResponse(body(m), m.HeadLength())
		if err != nil {
			t.Fatalf("%v: %s", err, m.Head)
		}
		got.Outputs, want.Outputs = normal(got.Outputs), normal(want.Outputs)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v\nof   %s", got, want, m.Head)
		}
	}
}

// The tensors of a message are the body's own bytes.
func TestTensorsShareTheBody(t *testing.T) {
	q := &Request{Inputs: []Tensor{FromTensor("a", tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{3}, Data: []byte{1, 2, 3}})}}
	m, err := q.Encode(false)
	if err != nil {
		t.Fatal(err)
	}
	if &m.Tensors[0][0] != &q.Inputs[0].Data[0] {
		t.Error("encoding copied a tensor")
	}
	text := body(m)
	got, err := DecodeRequest(text, m.HeadLength())
	if err != nil {
		t.Fatal(err)
	}
	if &got.Inputs[0].Data[2] != &text[len(text)-1] {
		t.Error("decoding copied a tensor")
	}
	if got, err := DecodeRequest(text, 0); err != nil || !bytes.Equal(got.Raw, text) {
		t.Errorf("a raw request: %+v, %v", got, err)
	}
}

// Requests as other clients write them.
func TestRequestsOfOtherClients(t *testing.T) {
	for name, c := range map[string]struct {
		head, tail string
		want       []Tensor
	}{
		"flat":             {`{"inputs":[{"name":"a","shape":[2,2],"datatype":"UINT8","data":[1,2,3,4]}]}`, "", []Tensor{{Name: "a", Datatype: "UINT8", Shape: tensor.Shape{2, 2}, Data: []byte{1, 2, 3, 4}}}},
		"nested, reversed": {`{"inputs":[{"data":[[1,2],[3,4]],"datatype":"UINT8","shape":[2,2],"name":"a"}],"more":{}}`, "", []Tensor{{Name: "a", Datatype: "UINT8", Shape: tensor.Shape{2, 2}, Data: []byte{1, 2, 3, 4}}}},
		"two binary":       {`{"id":"7","inputs":[{"name":"a","shape":[1],"datatype":"INT16","parameters":{"binary_data_size":2}},{"name":"b","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":9}}]}`, "\x01\x02\x00\x00\x00\x00\x01\x00\x00\x00x", []Tensor{{Name: "a", Datatype: "INT16", Shape: tensor.Shape{1}, Data: []byte{1, 2}}, {Name: "b", Datatype: "BYTES", Shape: tensor.Shape{2}, Data: []byte("\x00\x00\x00\x00\x01\x00\x00\x00x")}}},
		"booleans":         {`{"inputs":[{"name":"a","shape":[2],"datatype":"BOOL","data":[true,false]}]}`, "", []Tensor{{Name: "a", Datatype: "BOOL", Shape: tensor.Shape{2}, Data: []byte{1, 0}}}},
		"whole floats":     {`{"inputs":[{"name":"a","shape":[2],"datatype":"FP32","data":[1, -2e0]}]}`, "", []Tensor{{Name: "a", Datatype: "FP32", Shape: tensor.Shape{2}, Data: []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}}}},
	} {
		length := int64(NoHead)
		if c.tail != "" {
			length = int64(len(c.head))
		}
		q, err := DecodeRequest([]byte(c.head+c.tail), length)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(normal(q.Inputs), c.want) {
			t.Errorf("%s: %+v", name, q.Inputs)
		}
	}
}
