package inferapi

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"hailo-depth/device"
	"hailo-depth/oip"
	"hailo-depth/tensor"
)

// outputs are those of a model as its answers have them: depth models answer
// with float32 whatever the network gives.
func outputs(modelType string, s device.Signature) []device.TensorInfo {
	if modelType != "depth" {
		return s.Outputs
	}
	all := slices.Clone(s.Outputs)
	for i := range all {
		all[i].DType = tensor.Float32
	}
	return all
}

// resultParameter tells clients that know device.Result which of its fields the
// outputs are.
const resultParameter = "result"

// named makes outputs of a result.
func named(infos []device.TensorInfo, r device.Result) (kind string, list []oip.Tensor) {
	switch {
	case r.Tensor != nil:
		name := "output"
		if len(infos) == 1 {
			name = infos[0].Name
		}
		return "tensor", []oip.Tensor{oip.FromTensor(name, *r.Tensor)}
	case r.List != nil:
		for i, t := range r.List {
			list = append(list, oip.FromTensor("output_"+strconv.Itoa(i), t))
		}
		return "list", list
	case r.Text != nil:
		return "text", []oip.Tensor{oip.FromStrings("text", readable(*r.Text))}
	case r.Speech != nil:
		return "speech", speech(r.Speech.Segments)
	}
	for _, n := range r.Named {
		list = append(list, oip.FromTensor(n.Name, n.Tensor))
	}
	return "named", list
}

// readable is what a model wrote as text: JSON and most clients take UTF-8 only.
func readable(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// speech is a transcript in columns, one element a segment.
func speech(segments []device.Segment) []oip.Tensor {
	var texts []string
	ids, starts, ends := []byte{}, []byte{}, []byte{}
	for _, s := range segments {
		texts = append(texts, readable(s.Text))
		ids = binary.LittleEndian.AppendUint64(ids, uint64(s.ID))
		starts = binary.LittleEndian.AppendUint64(starts, math.Float64bits(s.Start))
		ends = binary.LittleEndian.AppendUint64(ends, math.Float64bits(s.End))
	}
	shape := tensor.Shape{len(segments)}
	return []oip.Tensor{
		oip.FromStrings("text", texts...),
		{Name: "id", Datatype: "INT64", Shape: shape, Data: ids},
		{Name: "start", Datatype: "FP64", Shape: shape, Data: starts},
		{Name: "end", Datatype: "FP64", Shape: shape, Data: ends},
	}
}

// answer makes the response to q.
func (s *session) answer(q *oip.Request, name string, infos []device.TensorInfo, r device.Result) (oip.Message, error) {
	kind, list := named(infos, r)
	response := oip.Response{ModelName: name, ModelVersion: version, ID: q.ID, Outputs: list}
	binary := make([]bool, len(list))
	for i := range binary {
		binary[i] = q.BinaryOutputs
	}
	if len(q.Outputs) > 0 {
		response.Outputs, binary = nil, nil
		for _, o := range q.Outputs {
			i := slices.IndexFunc(list, func(t oip.Tensor) bool { return t.Name == o.Name })
			if i < 0 && o.Name == "output" && len(list) == 1 {
				i = 0
			}
			if i < 0 {
				return oip.Message{}, invalid("there is no output %q; there are %s", clip(o.Name), names(list))
			}
			response.Outputs, binary = append(response.Outputs, list[i]), append(binary, o.Binary)
		}
	}
	t := r.Timing.Wire()
	response.Parameters = oip.Parameters{resultParameter: strconv.AppendQuote(nil, kind)}
	for name, us := range map[string]int64{"queue_us": t.QueueUS, "load_us": t.LoadUS, "infer_us": t.InferUS, "library_us": t.LibraryUS} {
		response.Parameters[name] = strconv.AppendInt(nil, us, 10)
	}
	m, err := response.Encode(binary)
	if err != nil {
		return m, fmt.Errorf("the network's output: %w", err)
	}
	return m, nil
}

func names(list []oip.Tensor) string {
	all := make([]string, len(list))
	for i, t := range list {
		all[i] = t.Name
	}
	return fmt.Sprintf("%q", all)
}
