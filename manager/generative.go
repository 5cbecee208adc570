package manager

import (
	"fmt"
	"math"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/device"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// Bounds of what a generation may be asked.
const (
	maxPrompt = 48 << 10 // bytes: it travels in one message to the worker
	maxFrames = 64
	maxTokens = worker.MaxPieces
)

// generativePart is the one network of a generative model.
func generativePart(m device.Model, task worker.Task) []part {
	return []part{{mainPart, worker.LoadSpec{Path: m.Path, Task: task}}}
}

// rivals lists the loaded models that must leave before one of modelType can be
// loaded: the chip has a single cache for conversations, and refuses a second
// vision-language model with a status that looks like the loss of the device.
func rivals(modelType string, loaded []candidate) []key {
	if !conversational(modelType) {
		return nil
	}
	var list []key
	for _, c := range loaded {
		if conversational(c.key.modelType) {
			list = append(list, c.key)
		}
	}
	return list
}

func conversational(modelType string) bool { return modelType == "vlm" || modelType == "vlm_chat" }

// conversation makes a vlm's generation of an input.
func conversation(in device.Input, s worker.Signature) (g worker.Generation, err error) {
	g = worker.Generation{Prompt: in.Prompt, Temperature: in.Temperature, MaxTokens: in.MaxTokens}
	size := len(in.Prompt)
	images := 0
	for i, raw := range in.Messages {
		n, err := imagesIn(raw)
		if err != nil {
			return g, badInput("input_data.prompt[%d]: %v", i, err)
		}
		images += n
		size += len(raw)
		g.Messages = append(g.Messages, string(raw))
	}
	switch {
	case size > maxPrompt:
		return g, badInput("input_data.prompt has %d bytes; at most %d are taken", size, maxPrompt)
	case len(in.Frames) > maxFrames:
		return g, badInput("input_data.frames has %d pictures; at most %d are taken", len(in.Frames), maxFrames)
	case in.Messages != nil && images != len(in.Frames):
		return g, badInput("input_data.prompt has %d entries {\"type\": \"image\"} and input_data.frames has %d pictures; each picture needs its entry", images, len(in.Frames))
	case in.MaxTokens < 0 || in.MaxTokens > maxTokens:
		return g, badInput("input_data.max_generated_tokens must be 1 to %d, got %d", maxTokens, in.MaxTokens)
	case in.Temperature != nil && !(*in.Temperature >= 0 && *in.Temperature <= math.MaxFloat32):
		return g, badInput("input_data.temperature must be 0 or more, got %g", *in.Temperature)
	case in.Seed != nil && (*in.Seed < 0 || *in.Seed > math.MaxUint32):
		return g, badInput("input_data.seed must be 0 to %d, got %d", uint32(math.MaxUint32), *in.Seed)
	}
	if in.Seed != nil {
		seed := uint32(*in.Seed)
		g.Seed = &seed
	}
	for i, f := range in.Frames {
		f.Shape = f.Shape.Squeeze(3)
		if f.DType != tensor.Uint8 || len(f.Shape) != 3 || f.Shape[2] != 3 {
			return g, badInput("input_data.frames[%d] must be a picture, uint8 [height, width, 3], got %s", i, f.Describe())
		}
		if len(s.FrameShape) > 0 && !slices.Equal(f.Shape, s.FrameShape) {
			return g, badInput("input_data.frames[%d]: the model takes pictures of shape %v, got %v; resize them before they are sent", i, s.FrameShape, f.Shape)
		}
		g.Tensors = append(g.Tensors, f)
	}
	return g, nil
}

// imagesIn checks a message and counts its pictures.
func imagesIn(raw jsontext.Value) (int, error) {
	var message struct {
		Role    string         `json:"role"`
		Content jsontext.Value `json:"content"`
	}
	if err := json.Unmarshal(raw, &message); err != nil || message.Role == "" {
		return 0, fmt.Errorf("a message is an object {\"role\": \"user\", \"content\": ...}, got %.60s", raw)
	}
	switch message.Content.Kind() {
	case '"':
		return 0, nil
	case '[':
		var entries []struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(message.Content, &entries); err != nil {
			return 0, fmt.Errorf("the entries of content are objects with a type, got %.60s", message.Content)
		}
		n := 0
		for _, e := range entries {
			if e.Type == "image" {
				n++
			}
		}
		return n, nil
	}
	return 0, fmt.Errorf("content is a string or a list of {\"type\": \"text\", \"text\": ...} and {\"type\": \"image\"}, got %s", tensor.KindName(message.Content))
}

// asText makes a vlm's result.
func asText(g worker.Generated, err error) (device.Result, error) {
	if err != nil {
		return device.Result{}, err
	}
	return device.Result{Text: &g.Text}, nil
}
