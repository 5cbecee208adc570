package inferapi

import (
	"math"
	"strings"

	"github.com/go-json-experiment/json"

	"hailo-depth/device"
	"hailo-depth/oip"
	"hailo-depth/tensor"
)

// input maps a request's tensors and parameters to what the model's type takes.
// Tensors count by their order; only generative models look at their names.
func input(modelType string, q *oip.Request) (in device.Input, err error) {
	switch modelType {
	case "depth", "pose":
		in.Input, err = only(modelType, q.Inputs)
	case "clip":
		if in.Mode, err = mode(q); err == nil {
			in.Tensor, err = only(modelType, q.Inputs)
		}
	case "ocr":
		in, err = ocrInput(q)
	case "vlm", "vlm_chat":
		in, err = generativeInput(q)
	case "whisper":
		in, err = whisperInput(q)
	default:
		err = invalid("Unsupported model_type: %s", clip(modelType))
	}
	if err == nil {
		in.TimeoutMS, _, err = q.Parameters.Int("timeout_ms", 0, math.MaxInt64)
	}
	return in, err
}

// only is the single tensor of a request.
func only(modelType string, inputs []oip.Tensor) (*tensor.Tensor, error) {
	if len(inputs) != 1 {
		return nil, invalid("models of the type %s take one input, got %d", modelType, len(inputs))
	}
	t, err := inputs[0].Tensor()
	return &t, err
}

// mode is the parameter, or what the first input's name says of it, as the
// model's metadata does: "image/input".
func mode(q *oip.Request) (string, error) {
	value, given, err := q.Parameters.String("mode")
	if given || err != nil || len(q.Inputs) == 0 {
		return value, err
	}
	network, _, named := strings.Cut(q.Inputs[0].Name, "/")
	if !named {
		return "", nil
	}
	value, _, _ = strings.Cut(network, ":")
	return value, nil
}

func ocrInput(q *oip.Request) (in device.Input, err error) {
	if in.Mode, err = mode(q); err != nil {
		return in, err
	}
	if in.Mode != "recognition" {
		in.Image, err = only("ocr", q.Inputs)
		return in, err
	}
	language, given, err := q.Parameters.String("language")
	if err != nil {
		return in, err
	}
	if in.Language = language; !given && len(q.Inputs) > 0 {
		network, _, _ := strings.Cut(q.Inputs[0].Name, "/")
		_, in.Language, _ = strings.Cut(network, ":")
	}
	batch, _, err := q.Parameters.Int("batch_size", 0, math.MaxInt32)
	if err != nil {
		return in, err
	}
	in.BatchSize = int(batch)
	in.Crops, err = all(q.Inputs)
	return in, err
}

func all(inputs []oip.Tensor) ([]tensor.Tensor, error) {
	list := []tensor.Tensor{}
	for _, i := range inputs {
		t, err := i.Tensor()
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

func whisperInput(q *oip.Request) (in device.Input, err error) {
	if in.Audio, err = only("whisper", q.Inputs); err != nil {
		return in, err
	}
	if in.Language, _, err = q.Parameters.String("language"); err != nil {
		return in, err
	}
	in.Task, _, err = q.Parameters.String("task")
	return in, err
}

// generativeInput takes the prompt from a parameter, where it may be a list of
// messages, or from the BYTES tensor "prompt"; every other tensor is a frame.
func generativeInput(q *oip.Request) (in device.Input, err error) {
	var frames []oip.Tensor
	for _, t := range q.Inputs {
		if t.Datatype != oip.Bytes {
			frames = append(frames, t)
			continue
		}
		texts, err := t.Strings()
		if err != nil {
			return in, err
		}
		if t.Name != "prompt" || len(texts) != 1 {
			return in, invalid("the BYTES tensor %q of %d elements is not understood; expected prompt with one", clip(t.Name), len(texts))
		}
		in.Prompt = texts[0]
	}
	if in.Frames, err = all(frames); err != nil {
		return in, err
	}
	p := q.Parameters
	if p["prompt"].Kind() == '[' {
		err = json.Unmarshal(p["prompt"], &in.Messages)
	} else if p.Has("prompt") {
		in.Prompt, _, err = p.String("prompt")
	}
	if err != nil {
		return in, err
	}
	temperature, given, err := p.Float("temperature")
	if err != nil {
		return in, err
	}
	if given {
		in.Temperature = &temperature
	}
	seed, given, err := p.Int("seed", math.MinInt64, math.MaxInt64)
	if err != nil {
		return in, err
	}
	if given {
		in.Seed = &seed
	}
	tokens, _, err := p.Int("max_generated_tokens", 0, math.MaxInt32)
	in.MaxTokens = int(tokens)
	return in, err
}
