package manager

import (
	"fmt"

	"hailo-depth/device"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// clipType is a pair of encoders, of pictures and of texts, into one space:
// {mode: "image"|"text", tensor} to one tensor. The model's path is only a key.
type clipType struct{}

const (
	clipImage = "image"
	clipText  = "text"
)

func (clipType) parts(_ device.Model, p params) ([]part, error) {
	if p.ImageHEFPath == "" || p.TextHEFPath == "" {
		return nil, badInput("image_hef_path and text_hef_path are required for clip")
	}
	if err := needFile("Image HEF", p.ImageHEFPath); err != nil {
		return nil, err
	}
	if err := needFile("Text HEF", p.TextHEFPath); err != nil {
		return nil, err
	}
	return []part{
		{clipImage, worker.LoadSpec{Path: p.ImageHEFPath, InputShapes: p.InputShapes}},
		// Texts come as embeddings, which the device quantises itself.
		{clipText, worker.LoadSpec{Path: p.TextHEFPath, InputType: tensor.Float32}},
	}, nil
}

func (clipType) check(networks map[string]worker.Signature) error {
	for name, s := range networks {
		if err := oneInput(name, s); err != nil {
			return err
		}
	}
	return nil
}

func (clipType) infer(in device.Input, p params, use networks) (device.Result, error) {
	if in.Mode != clipImage && in.Mode != clipText {
		return device.Result{}, badInput("clip mode must be 'image' or 'text'")
	}
	if in.Mode == clipText {
		if err := checkLayers(p, use); err != nil {
			return device.Result{}, err
		}
	}
	outputs, err := runOne(use, in.Mode, "tensor", in.Tensor)
	if err != nil {
		return device.Result{}, err
	}
	chosen := outputs[0]
	for _, o := range outputs {
		if in.Mode == clipText && o.Name == p.TextOutputLayer {
			chosen = o
		}
	}
	return device.Result{Tensor: &chosen.Tensor}, nil
}

// checkLayers refuses layer names that the text network does not have: taking
// another output in silence would give embeddings of the wrong space.
func checkLayers(p params, use networks) error {
	s, _ := use.signature(clipText)
	if p.TextInputLayer != "" && s.Inputs[0].Name != p.TextInputLayer {
		return badInput("text_input_layer %q is not an input of the text network, which has %s", p.TextInputLayer, inputNames(s))
	}
	if p.TextOutputLayer == "" {
		return nil
	}
	for _, o := range s.Outputs {
		if o.Name == p.TextOutputLayer {
			return nil
		}
	}
	return fmt.Errorf("text_output_layer %q is not an output of the text network, which has %s", p.TextOutputLayer, tensorNames(s.Outputs))
}
