package onnx

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

func (n *network) Bind(inputs, outputs [][]byte) error {
	n.unbind()
	n.outputs = make([]ort.Value, len(outputs)) // run counts on it, also after an error
	for i, memory := range inputs {
		v, err := value(n.signature.Inputs[i].Shape, n.signature.Inputs[i].DType, memory)
		if err != nil {
			return fmt.Errorf("input %q: %w", n.signature.Inputs[i].Name, err)
		}
		n.inputs = append(n.inputs, v)
	}
	for i, memory := range outputs {
		if !n.fixed[i] || len(memory) == 0 {
			continue // ONNX Runtime allocates it at each inference
		}
		v, err := value(n.signature.Outputs[i].Shape, n.signature.Outputs[i].DType, memory)
		if err != nil {
			return fmt.Errorf("output %q: %w", n.signature.Outputs[i].Name, err)
		}
		n.outputs[i] = v
	}
	return nil
}

func (n *network) Infer(timeout time.Duration) ([]tensor.Tensor, error) {
	options, err := ort.NewRunOptions()
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }()
	late := make(chan struct{})
	if timeout > 0 {
		stopped := make(chan struct{})
		alarm := time.AfterFunc(timeout, func() {
			close(late)
			_ = options.Terminate()
			close(stopped)
		})
		defer func() {
			if !alarm.Stop() {
				<-stopped // options must outlive the call on them
			}
		}()
	}
	changed, err := n.run(options)
	select {
	case <-late:
		return nil, &worker.Error{Kind: worker.KindTimeout, Message: fmt.Sprintf("the inference did not end within %v", timeout)}
	default:
		return changed, err
	}
}

// run runs the session into the bound outputs. When some are not bound, or have
// other shapes this time, which leaves them to ONNX Runtime from here on, it
// returns all of them.
func (n *network) run(options *ort.RunOptions) ([]tensor.Tensor, error) {
	out, err := n.attempt(n.outputs, options)
	if err != nil {
		free := make([]ort.Value, len(n.outputs))
		for i, info := range n.signature.Outputs {
			if info.DType == tensor.Float16 { // the binding cannot take over one that ONNX Runtime allocates
				free[i] = n.outputs[i]
			}
		}
		if slices.Equal(free, n.outputs) {
			return nil, err
		}
		if out, err = n.attempt(free, options); err != nil {
			return nil, err
		}
		for i := range free {
			n.fixed[i] = free[i] != nil
		}
	}
	if slices.Equal(out, n.outputs) {
		return nil, nil
	}
	defer n.discard(out)
	tensors := make([]tensor.Tensor, len(out))
	for i, v := range out {
		if tensors[i], err = copyOut(v); err != nil {
			return nil, fmt.Errorf("output %q: %w", n.signature.Outputs[i].Name, err)
		}
	}
	return tensors, nil
}

// attempt runs the session once and returns outputs with new values for nil.
func (n *network) attempt(outputs []ort.Value, options *ort.RunOptions) ([]ort.Value, error) {
	out := slices.Clone(outputs)
	err := n.session.RunWithOptions(n.inputs, out, options)
	if err == nil {
		return out, nil
	}
	n.discard(out)
	if errors.Is(err, ort.ZeroShapeLengthError) {
		err = unsupported("an output is a single number without dimensions, which cannot be read here; give it the shape [1]")
	}
	return nil, err
}

// discard frees what is not bound. Where the binding failed it leaves a nil
// pointer that is no nil ort.Value.
func (n *network) discard(out []ort.Value) {
	for i, v := range out {
		if v != nil && v != n.outputs[i] && !reflect.ValueOf(v).IsNil() {
			_ = v.Destroy() // never fails for tensors
		}
	}
}
