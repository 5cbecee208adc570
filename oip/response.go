package oip

// Response is the answer to a Request.
type Response struct {
	ModelName    string
	ModelVersion string
	ID           string
	Parameters   Parameters
	Outputs      []Tensor
}

type wireResponse struct {
	ModelName    string       `json:"model_name"`
	ModelVersion string       `json:"model_version"`
	ID           string       `json:"id"`
	Parameters   Parameters   `json:"parameters"`
	Outputs      []wireTensor `json:"outputs"`
}

// Encode writes the response; binary[i] says whether the bytes of output i
// follow the head. Errors are *Error.
func (r *Response) Encode(binary []bool) (Message, error) {
	var m Message
	h := head{dst: make([]byte, 0, 512)}
	h.open()
	h.key("model_name")
	h.quote(r.ModelName)
	h.text("model_version", r.ModelVersion)
	h.text("id", r.ID)
	h.parameters(r.Parameters)
	h.key("outputs")
	h.dst = append(h.dst, '[')
	for i, t := range r.Outputs {
		h.dst = comma(h.dst, i)
		h.tensor(t, binary[i])
		if binary[i] {
			m.Tensors = append(m.Tensors, t.Data)
		}
	}
	h.dst = append(h.dst, ']')
	h.close()
	m.Head = h.dst
	return m, h.err
}

// DecodeResponse reads a response's body as DecodeRequest does a request's.
func DecodeResponse(body []byte, headLength int64) (*Response, error) {
	head, tail, err := cut(body, headLength)
	if err != nil {
		return nil, err
	}
	var w wireResponse
	if err := parse(head, &w); err != nil {
		return nil, err
	}
	r := &Response{ModelName: w.ModelName, ModelVersion: w.ModelVersion, ID: w.ID, Parameters: w.Parameters}
	if r.Outputs, err = tensors(w.Outputs, tail, headLength != NoHead); err != nil {
		return nil, err
	}
	return r, nil
}
