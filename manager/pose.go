package manager

import (
	"hailo-depth/device"
	"hailo-depth/worker"
)

// poseType is a network from a picture to several outputs, whose decoding is
// the client's: {input: tensor} to one tensor, or to {output name: tensor}.
type poseType struct{}

func (poseType) parts(m device.Model, p params) ([]part, error) {
	return []part{{mainPart, worker.LoadSpec{Path: m.Path, InputShapes: p.InputShapes}}}, nil
}

func (poseType) check(networks map[string]worker.Signature) error {
	return oneInput("pose", networks[mainPart])
}

func (poseType) infer(in device.Input, _ params, use networks) (device.Result, error) {
	outputs, err := runOne(use, mainPart, "input", in.Input)
	if err != nil {
		return device.Result{}, err
	}
	return asResult(outputs), nil
}
