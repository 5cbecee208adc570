package manager

import (
	"fmt"

	"hailo-depth/device"
	"hailo-depth/worker"
)

// generativeType stands for vlm, vlm_chat and whisper, which are more than
// tensors in and out: HailoRT's own generators run them.
type generativeType struct{ name string }

func (g generativeType) refuse() error {
	return &device.Error{Kind: device.KindUnsupported, Message: fmt.Sprintf(
		"model type %s needs the backend hailort, whose worker runs generative models; this manager's worker does not", g.name)}
}

func (g generativeType) parts(device.Model, params) ([]part, error) { return nil, g.refuse() }

func (g generativeType) check(map[string]worker.Signature) error { return g.refuse() }

func (g generativeType) infer(device.Input, params, networks) (device.Result, error) {
	return device.Result{}, g.refuse()
}
