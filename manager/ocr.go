package manager

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hailo-depth/device"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// ocrType is a text detector and a recogniser for each language:
// {mode: "detection", image} to the detector's output, {mode: "recognition",
// language, crops} to one tensor a crop.
type ocrType struct{}

const (
	ocrDetection   = "detection"
	ocrRecognition = "recognition"
)

func recogniser(language string) string { return ocrRecognition + ":" + language }

func (ocrType) parts(_ device.Model, p params) ([]part, error) {
	if p.DetectionHEFPath == "" {
		return nil, badInput("detection_hef_path is required for ocr")
	}
	if len(p.RecognitionHEFs) == 0 {
		return nil, badInput("recognition_hefs dict is required for ocr")
	}
	if err := needFile("Detection HEF", p.DetectionHEFPath); err != nil {
		return nil, err
	}
	parts := []part{{ocrDetection, worker.LoadSpec{Path: p.DetectionHEFPath, InputShapes: p.InputShapes}}}
	for _, language := range slices.Sorted(maps.Keys(p.RecognitionHEFs)) {
		path := p.RecognitionHEFs[language]
		if err := needFile("Recognition HEF ("+language+")", path); err != nil {
			return nil, err
		}
		parts = append(parts, part{recogniser(language), worker.LoadSpec{Path: path}})
	}
	return parts, nil
}

func (ocrType) check(networks map[string]worker.Signature) error {
	for name, s := range networks {
		if err := oneInput(name, s); err != nil {
			return err
		}
	}
	return nil
}

func (ocrType) infer(in device.Input, p params, use networks) (device.Result, error) {
	switch in.Mode {
	case ocrDetection:
		outputs, err := runOne(use, ocrDetection, "image", in.Image)
		if err != nil {
			return device.Result{}, err
		}
		return asResult(outputs), nil
	case ocrRecognition:
		return recognise(in, p, use)
	}
	return device.Result{}, badInput("ocr mode must be 'detection' or 'recognition'")
}

// recognise runs crop after crop: networks have a fixed batch of one, so that
// batch_size is only a hint, which the device's own queue does not need.
func recognise(in device.Input, p params, use networks) (device.Result, error) {
	if _, ok := p.RecognitionHEFs[in.Language]; !ok {
		quoted := []string{}
		for _, language := range slices.Sorted(maps.Keys(p.RecognitionHEFs)) {
			quoted = append(quoted, "'"+language+"'")
		}
		return device.Result{}, badInput("Unsupported language: %s. Available: [%s]", in.Language, strings.Join(quoted, ", "))
	}
	r := device.Result{List: []tensor.Tensor{}}
	for i := range in.Crops {
		outputs, err := runOne(use, recogniser(in.Language), fmt.Sprintf("crops[%d]", i), &in.Crops[i])
		if err != nil {
			return device.Result{}, err
		}
		r.List = append(r.List, outputs[0].Tensor)
	}
	return r, nil
}

// detectionShape is the shape [H, W, C] of the pictures that detection takes.
func detectionShape(s worker.Signature) tensor.Shape {
	shape := s.Inputs[0].Shape.Squeeze(3)
	if len(shape) == 3 && shape[0] <= 4 && shape[2] > 4 { // [C, H, W], as most ONNX files have it
		return tensor.Shape{shape[1], shape[2], shape[0]}
	}
	return shape
}
