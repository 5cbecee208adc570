package oip

import "github.com/go-json-experiment/json/jsontext"

// Request asks for an inference.
type Request struct {
	ID         string // echoed in the response; may be empty
	Parameters Parameters
	Inputs     []Tensor
	// Outputs are those asked for; none: all.
	Outputs []Output
	// BinaryOutputs is what outputs that say nothing of it come as.
	BinaryOutputs bool
	// Raw is the whole body of a request without a head: the bytes of the only
	// input, whose type and shape are the network's. Nothing else is set then.
	Raw []byte
}

// Output is an output that a request asks for.
type Output struct {
	Name       string
	Parameters Parameters
	Binary     bool // its bytes follow the head
}

type wireRequest struct {
	ID         string       `json:"id"`
	Parameters Parameters   `json:"parameters"`
	Inputs     []wireTensor `json:"inputs"`
	Outputs    []struct {
		Name       string     `json:"name"`
		Parameters Parameters `json:"parameters"`
	} `json:"outputs"`
}

// DecodeRequest reads a request's body; headLength is the value of the header
// HeadLength, or NoHead where it is missing. Every tensor fills its shape. The
// request shares body's memory. Errors are *Error.
func DecodeRequest(body []byte, headLength int64) (*Request, error) {
	head, tail, err := cut(body, headLength)
	if err != nil {
		return nil, err
	}
	if headLength == 0 {
		return &Request{Raw: tail, BinaryOutputs: true}, nil
	}
	var w wireRequest
	if err := parse(head, &w); err != nil {
		return nil, err
	}
	q := &Request{ID: w.ID, Parameters: w.Parameters}
	if q.BinaryOutputs, _, err = q.Parameters.Bool("binary_data_output"); err != nil {
		return nil, err
	}
	if len(w.Outputs) > maxTensors || len(w.Parameters) > maxParameters {
		return nil, errorf("the request has %d outputs and %d parameters; at most %d and %d are taken", len(w.Outputs), len(w.Parameters), maxTensors, maxParameters)
	}
	for _, o := range w.Outputs {
		binary, given, err := o.Parameters.Bool("binary_data")
		if err != nil {
			return nil, prefixed(o.Name, err)
		}
		if !given {
			binary = q.BinaryOutputs
		}
		for _, unknown := range []string{"classification", "shared_memory_region"} {
			if o.Parameters.Has(unknown) {
				return nil, errorf("output %q: the parameter %s is not supported", clip(o.Name), unknown)
			}
		}
		q.Outputs = append(q.Outputs, Output{Name: o.Name, Parameters: o.Parameters, Binary: binary})
	}
	if q.Inputs, err = tensors(w.Inputs, tail, headLength != NoHead); err != nil {
		return nil, err
	}
	return q, nil
}

// Encode writes the request with its tensors' bytes behind the head, or, when
// asJSON, within it. Errors are *Error.
func (q *Request) Encode(asJSON bool) (Message, error) {
	if q.Raw != nil {
		return Message{Tensors: [][]byte{q.Raw}}, nil
	}
	var m Message
	if !asJSON {
		m.Tensors = [][]byte{}
	}
	h := head{dst: make([]byte, 0, 512)}
	h.open()
	h.text("id", q.ID)
	p := q.Parameters
	if q.BinaryOutputs && !p.Has("binary_data_output") {
		h.parameters(p, parameter{"binary_data_output", "true"})
	} else {
		h.parameters(p)
	}
	h.key("inputs")
	h.dst = append(h.dst, '[')
	for i, t := range q.Inputs {
		h.dst = comma(h.dst, i)
		h.tensor(t, !asJSON)
		if !asJSON {
			m.Tensors = append(m.Tensors, t.Data)
		}
	}
	h.dst = append(h.dst, ']')
	if len(q.Outputs) > 0 {
		h.key("outputs")
		h.dst = append(h.dst, '[')
		for i, o := range q.Outputs {
			h.dst = comma(h.dst, i)
			h.output(o)
		}
		h.dst = append(h.dst, ']')
	}
	h.close()
	m.Head = h.dst
	return m, h.err
}

func (h *head) output(o Output) {
	h.open()
	h.key("name")
	h.quote(o.Name)
	if o.Parameters.Has("binary_data") {
		h.parameters(o.Parameters)
	} else {
		value := jsontext.False
		if o.Binary {
			value = jsontext.True
		}
		h.parameters(o.Parameters, parameter{"binary_data", value.String()})
	}
	h.close()
}
