package oip

import (
	"bytes"
	"reflect"
	"testing"
)

// FuzzDecodeRequest: whatever comes is refused or is a request whose tensors
// fill their shapes and take no more memory than four times the body, and which
// survives being written and read again.
func FuzzDecodeRequest(f *testing.F) {
	for _, seed := range []string{
		`{"inputs":[{"name":"a","shape":[2,2],"datatype":"FP16","data":[[1,2],[3,4]]}],"outputs":[{"name":"x"}]}`,
		`{"id":"1","parameters":{"binary_data_output":true,"timeout":5},"inputs":[{"name":"a","shape":[1],"datatype":"BYTES","data":["x"]}]}`,
		`{"inputs":[{"name":"a","shape":[],"datatype":"INT64","data":[9223372036854775807]},{"name":"b","shape":[0],"datatype":"BOOL","data":[]}]}`,
	} {
		f.Add([]byte(seed), int64(NoHead))
		f.Add([]byte(seed), int64(len(seed)))
	}
	binary := `{"inputs":[{"name":"a","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}`
	f.Add([]byte(binary+"\x00\x00\xc0\x7f"), int64(len(binary)))
	f.Add([]byte("raw"), int64(0))
	f.Fuzz(func(t *testing.T, body []byte, head int64) {
		q, err := DecodeRequest(body, head)
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		size := 0
		for _, in := range q.Inputs {
			if err := in.Check(); err != nil {
				t.Fatal(err)
			}
			size += len(in.Data)
		}
		if size > 4*len(body) {
			t.Fatalf("%d bytes of tensors of a body of %d", size, len(body))
		}
		m, err := q.Encode(false)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeRequest(bytes.Join(append([][]byte{m.Head}, m.Tensors...), nil), m.HeadLength())
		if err != nil {
			t.Fatalf("%v: %s", err, m.Head)
		}
		if !reflect.DeepEqual(normal(again.Inputs), normal(q.Inputs)) {
			t.Fatalf("%+v\n%+v", again.Inputs, q.Inputs)
		}
	})
}

// FuzzDecodeResponse: a server cannot make a client panic, or hold tensors that
// do not fill their shapes.
func FuzzDecodeResponse(f *testing.F) {
	head := `{"model_name":"m","outputs":[{"name":"a","shape":[1,2],"datatype":"UINT8","parameters":{"binary_data_size":2}}]}`
	f.Add([]byte(head+"12"), int64(len(head)))
	f.Add([]byte(`{"outputs":[{"name":"a","shape":[2],"datatype":"FP32","data":[1e3,2]}]}`), int64(NoHead))
	f.Fuzz(func(t *testing.T, body []byte, head int64) {
		r, err := DecodeResponse(body, head)
		if err != nil {
			return
		}
		for _, out := range r.Outputs {
			if err := out.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
