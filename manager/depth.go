package manager

import (
	"fmt"

	"hailo-depth/device"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

const mainPart = "model"

// depthType is a network from a picture to a map: {input: tensor} to one
// float32 tensor in the network's own shape.
type depthType struct{}

func (depthType) parts(m device.Model, p params) ([]part, error) {
	return []part{{mainPart, worker.LoadSpec{Path: m.Path, InputShapes: p.InputShapes}}}, nil
}

func (depthType) check(networks map[string]worker.Signature) error {
	s := networks[mainPart]
	if err := oneInput("depth", s); err != nil {
		return err
	}
	if len(s.Outputs) != 1 {
		return &device.Error{Kind: device.KindModel, Message: fmt.Sprintf(
			"a depth network has one output; this one has %s", tensorNames(s.Outputs))}
	}
	return nil
}

func (depthType) infer(in device.Input, _ params, use networks) (device.Result, error) {
	outputs, err := runOne(use, mainPart, "input", in.Input)
	if err != nil {
		return device.Result{}, err
	}
	values, err := tensor.Convert(outputs[0].Tensor, tensor.Float32)
	return device.Result{Tensor: &values}, err
}
