package manager

import (
	"hailo-depth/device"
	"hailo-depth/worker"
)

// vlmType is a vision-language model that is given what its generator takes:
// {prompt, frames, temperature, seed, max_generated_tokens} to a text.
type vlmType struct{}

func (vlmType) parts(m device.Model, _ params) ([]part, error) {
	return generativePart(m, worker.TaskVLM), nil
}

func (vlmType) check(map[string]worker.Signature) error { return nil }

func (vlmType) infer(in device.Input, _ params, use networks) (device.Result, error) {
	if in.Prompt == "" && len(in.Messages) == 0 {
		return device.Result{}, badInput("input_data.prompt is required for vlm: a text, or a list of messages {role, content}")
	}
	signature, _ := use.signature(mainPart)
	g, err := conversation(in, signature)
	if err != nil {
		return device.Result{}, err
	}
	return asText(use.generate(mainPart, g))
}
