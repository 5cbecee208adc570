package manager

import (
	"fmt"
	"os"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/device"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// modelType is what the manager knows about one type of model.
type modelType interface {
	// parts names the networks of a model and checks its parameters. Its errors
	// and those of check are what existing clients read after "Failed to load
	// model: ".
	parts(m device.Model, p params) ([]part, error)
	// check looks at the networks once they are loaded.
	check(networks map[string]worker.Signature) error
	// infer runs the networks that the input calls for. Its errors follow
	// "Inference failed: ".
	infer(in device.Input, p params, use networks) (device.Result, error)
}

// part is one network of a model.
type part struct {
	name string
	spec worker.LoadSpec
}

// networks gives a model type the use of its loaded networks.
type networks interface {
	signature(part string) (worker.Signature, bool)
	// run runs one network on inputs that fit its signature.
	run(part string, inputs []tensor.Tensor) ([]worker.Output, error)
	// generate runs one generative network.
	generate(part string, g worker.Generation) (worker.Generated, error)
}

// params is model_params, over all types.
type params struct {
	InputShapes      map[string]tensor.Shape `json:"input_shapes"`       // any type: shapes that an ONNX file leaves free
	DetectionHEFPath string                  `json:"detection_hef_path"` // ocr
	RecognitionHEFs  map[string]string       `json:"recognition_hefs"`   // ocr, by language
	ImageHEFPath     string                  `json:"image_hef_path"`     // clip
	TextHEFPath      string                  `json:"text_hef_path"`      // clip
	TextInputLayer   string                  `json:"text_input_layer"`   // clip
	TextOutputLayer  string                  `json:"text_output_layer"`  // clip
}

func parseParams(raw jsontext.Value) (p params, err error) {
	if len(raw) == 0 || raw.Kind() == 'n' {
		return p, nil
	}
	if raw.Kind() != '{' {
		return p, fmt.Errorf("model_params must be an object, got %s", tensor.KindName(raw))
	}
	if err := json.Unmarshal(raw, &p, jsontext.AllowDuplicateNames(true)); err != nil {
		return p, fmt.Errorf("model_params: %w", err)
	}
	return p, nil
}

// typeOf finds a model type by its name in the protocol.
func typeOf(name string) (modelType, bool) {
	switch name {
	case "depth":
		return depthType{}, true
	case "pose":
		return poseType{}, true
	case "clip":
		return clipType{}, true
	case "ocr":
		return ocrType{}, true
	case "vlm":
		return vlmType{}, true
	case "vlm_chat":
		return chatType{}, true
	case "whisper":
		return whisperType{}, true
	}
	return nil, false
}

// pathIsFile reports whether a type's model_path names a file; clip's is a key.
func pathIsFile(modelType string) bool { return modelType != "clip" }

// needFile checks a file that a model names, as what ("Text HEF").
func needFile(what, path string) error {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return &device.Error{Kind: device.KindNotFound, Message: fmt.Sprintf("%s not found: %s", what, path)}
	case err != nil:
		return &device.Error{Kind: device.KindModel, Message: err.Error()}
	case info.IsDir():
		return &device.Error{Kind: device.KindModel, Message: path + " is a directory, not a model file"}
	}
	return nil
}

func badInput(format string, args ...any) error {
	return &device.Error{Kind: device.KindInvalid, Message: fmt.Sprintf(format, args...)}
}

// runOne runs a network with one input on a tensor that may be in the other layout.
func runOne(use networks, part, field string, t *tensor.Tensor) ([]worker.Output, error) {
	if t == nil || t.DType == tensor.Invalid {
		return nil, badInput("input_data.%s is required: a tensor {dtype, shape, data_b64}", field)
	}
	signature, ok := use.signature(part)
	if !ok {
		return nil, badInput("the model has no %s network", part)
	}
	input := signature.Inputs[0]
	fitted, err := tensor.Fit(*t, input.DType, input.Shape)
	if err != nil {
		return nil, badInput("input_data.%s: %v", field, err)
	}
	return use.run(part, []tensor.Tensor{fitted})
}

// oneInput refuses networks that take several tensors.
func oneInput(part string, s worker.Signature) error {
	if len(s.Inputs) != 1 || len(s.Outputs) == 0 {
		return &device.Error{Kind: device.KindModel, Message: fmt.Sprintf(
			"the %s network must have one input and at least one output; this one has the inputs %s and %d outputs",
			part, inputNames(s), len(s.Outputs))}
	}
	return nil
}

func inputNames(s worker.Signature) string { return tensorNames(s.Inputs) }

func tensorNames(infos []worker.TensorInfo) string {
	list := make([]string, len(infos))
	for i, info := range infos {
		list[i] = info.Name
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// asResult makes a result of all outputs: one tensor, or a name for each.
func asResult(outputs []worker.Output) device.Result {
	if len(outputs) == 1 {
		return device.Result{Tensor: &outputs[0].Tensor}
	}
	var r device.Result
	for _, o := range outputs {
		r.Named = append(r.Named, device.Named{Name: o.Name, Tensor: o.Tensor})
	}
	return r
}

// describe lists the tensors of a model's networks, in the order of its parts.
func describe(parts []part, signatures map[string]worker.Signature) (s device.Signature) {
	for _, p := range parts {
		network := p.name
		if network == mainPart {
			network = ""
		}
		for _, t := range signatures[p.name].Inputs {
			s.Inputs = append(s.Inputs, device.TensorInfo{Network: network, Name: t.Name, DType: t.DType, Shape: t.Shape})
		}
		for _, t := range signatures[p.name].Outputs {
			s.Outputs = append(s.Outputs, device.TensorInfo{Network: network, Name: t.Name, DType: t.DType, Shape: t.Shape})
		}
	}
	return s
}
