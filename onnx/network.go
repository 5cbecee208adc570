package onnx

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	ort "github.com/yalue/onnxruntime_go"
	"golang.org/x/sys/unix"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// network is one session.
type network struct {
	backend   *Backend
	session   *ort.DynamicAdvancedSession
	signature worker.Signature
	fixed     []bool // per output: its shape does not depend on the data, as far as seen

	inputs, outputs []ort.Value // over the shared memory
}

func (b *Backend) open(spec worker.LoadSpec) (*network, error) {
	options, err := b.options()
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }() // the session has copied them
	inputs, outputs, err := ort.GetInputOutputInfo(spec.Path)
	if err != nil {
		return nil, broken(spec.Path, err)
	}
	n := &network{backend: b}
	if n.signature.Inputs, err = inputInfo(inputs, spec.InputShapes); err != nil {
		return nil, err
	}
	session, err := ort.NewDynamicAdvancedSession(spec.Path, names(inputs), names(outputs), options)
	if err != nil {
		return nil, broken(spec.Path, err)
	}
	n.session = session
	if err := n.warmUp(outputs); err != nil {
		return nil, errors.Join(broken(spec.Path, err), n.release())
	}
	return n, nil
}

func broken(path string, err error) error {
	return &worker.Error{Kind: worker.KindModel, Message: fmt.Sprintf("%s: %v", path, err)}
}

func (b *Backend) options() (*ort.SessionOptions, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	threads := b.config.Threads
	if threads == 0 {
		// One core stays for the pictures: threads that wait for one another at each
		// layer slow down all together when another program takes a core away.
		threads = max(1, runtime.NumCPU()-1)
	}
	spin := "0"
	if b.config.Spin {
		spin = "1"
	}
	err = errors.Join(
		options.SetIntraOpNumThreads(threads),
		options.SetInterOpNumThreads(1),
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", spin),
	)
	if err != nil {
		return nil, errors.Join(err, options.Destroy())
	}
	return options, nil
}

func names(infos []ort.InputOutputInfo) []string {
	var list []string
	for _, info := range infos {
		list = append(list, info.Name)
	}
	return list
}

// inputInfo fixes the dimensions that the file leaves open: those given, else 1
// for an open first dimension, which is the batch.
func inputInfo(inputs []ort.InputOutputInfo, given map[string]tensor.Shape) ([]worker.TensorInfo, error) {
	known := map[string]bool{}
	var infos []worker.TensorInfo
	for _, in := range inputs {
		known[in.Name] = true
		if in.OrtValueType != ort.ONNXTypeTensor {
			return nil, &worker.Error{Kind: worker.KindUnsupported, Message: fmt.Sprintf("input %q is a %s, not a tensor", in.Name, in.OrtValueType)}
		}
		dtype, err := ourType(in.DataType)
		if err != nil {
			return nil, &worker.Error{Kind: worker.KindUnsupported, Message: fmt.Sprintf("input %q: %v", in.Name, err)}
		}
		shape, err := resolve(in.Name, toShape(in.Dimensions), given[in.Name])
		if err != nil {
			return nil, err
		}
		infos = append(infos, worker.TensorInfo{Name: in.Name, DType: dtype, Shape: shape})
	}
	for name := range given {
		if !known[name] {
			return nil, &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("input_shapes names %q; the network's inputs are %q", name, names(inputs))}
		}
	}
	return infos, nil
}

func resolve(name string, declared, given tensor.Shape) (tensor.Shape, error) {
	if given != nil && len(given) != len(declared) {
		return nil, &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("input %q has the shape %v (-1: free); input_shapes gives %v", name, declared, given)}
	}
	for i, d := range declared {
		switch {
		case given != nil && (d <= 0 || d == given[i]) && given[i] > 0:
			declared[i] = given[i]
		case given != nil:
			return nil, &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("input %q has the shape %v (-1: free); input_shapes gives %v", name, declared, given)}
		case d <= 0 && i == 0:
			declared[i] = 1
		case d <= 0:
			return nil, &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf(
				"input %q has the free shape %v: say which to use in model_params.input_shapes or in the model's manifest", name, declared)}
		}
	}
	return declared, nil
}

// warmUp runs the session once on zeros and takes the outputs' shapes from it.
func (n *network) warmUp(outputs []ort.InputOutputInfo) error {
	scratch := &arena{}
	defer scratch.free()
	in, err := scratch.values(n.signature.Inputs)
	defer destroy(in)
	if err != nil {
		return err
	}
	out := make([]ort.Value, len(outputs))
	defer func() { destroy(out) }()
	infos := make([]worker.TensorInfo, len(outputs))
	n.fixed = make([]bool, len(outputs))
	for i, o := range outputs {
		if o.OrtValueType != ort.ONNXTypeTensor {
			return fmt.Errorf("output %q is a %s, not a tensor", o.Name, o.OrtValueType)
		}
		dtype, err := ourType(o.DataType)
		if err != nil {
			return fmt.Errorf("output %q: %w", o.Name, err)
		}
		infos[i] = worker.TensorInfo{Name: o.Name, DType: dtype, Shape: toShape(o.Dimensions)}
		if n.fixed[i] = declared(infos[i].Shape); n.fixed[i] {
			v, err := scratch.values(infos[i : i+1])
			if err != nil {
				return err
			}
			out[i] = v[0]
		}
	}
	if err := n.session.Run(in, out); err != nil {
		return err
	}
	for i := range infos {
		if !n.fixed[i] {
			infos[i].Shape = toShape(out[i].GetShape())
			n.fixed[i] = true // until an inference shows otherwise
		}
	}
	n.signature.Outputs = infos
	return nil
}

func declared(shape tensor.Shape) bool {
	for _, d := range shape {
		if d <= 0 {
			return false
		}
	}
	return true
}

func (n *network) Signature() worker.Signature { return n.signature }

func (n *network) Bind(inputs, outputs [][]byte) error {
	destroy(n.inputs)
	destroy(n.outputs)
	n.inputs, n.outputs = nil, nil
	for i, memory := range inputs {
		v, err := value(n.signature.Inputs[i].Shape, n.signature.Inputs[i].DType, memory)
		if err != nil {
			return fmt.Errorf("input %q: %w", n.signature.Inputs[i].Name, err)
		}
		n.inputs = append(n.inputs, v)
	}
	n.outputs = make([]ort.Value, len(outputs))
	for i, memory := range outputs {
		if !n.fixed[i] {
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

// run runs the session into the bound outputs. When those have other shapes
// this time, every output is left to ONNX Runtime, now and from here on.
func (n *network) run(options *ort.RunOptions) ([]tensor.Tensor, error) {
	out := append([]ort.Value(nil), n.outputs...)
	free := false
	for _, fixed := range n.fixed {
		free = free || !fixed
	}
	if !free {
		err := n.session.RunWithOptions(n.inputs, out, options)
		if err == nil {
			return nil, nil
		}
		for i := range out {
			out[i] = nil
		}
		if n.session.RunWithOptions(n.inputs, out, options) != nil {
			return nil, err
		}
		for i := range n.fixed {
			n.fixed[i] = false
		}
	} else if err := n.session.RunWithOptions(n.inputs, out, options); err != nil {
		return nil, err
	}
	defer destroy(out)
	tensors := make([]tensor.Tensor, len(out))
	for i, v := range out {
		var err error
		if tensors[i], err = copyOut(v); err != nil {
			return nil, fmt.Errorf("output %q: %w", n.signature.Outputs[i].Name, err)
		}
	}
	return tensors, nil
}

func (n *network) Close() error {
	err := n.release()
	n.backend.forget(n)
	returnMemory()
	return err
}

func (n *network) release() error {
	destroy(n.inputs)
	destroy(n.outputs)
	n.inputs, n.outputs = nil, nil
	return n.session.Destroy()
}

func destroy(values []ort.Value) {
	for _, v := range values {
		if v != nil {
			_ = v.Destroy() // never fails for tensors
		}
	}
}

// arena is memory outside Go's heap, which ONNX values may point to.
type arena struct{ blocks [][]byte }

func (a *arena) values(infos []worker.TensorInfo) ([]ort.Value, error) {
	var values []ort.Value
	for _, info := range infos {
		elements, err := info.Shape.Elements()
		if err != nil {
			return values, err
		}
		size := max(1, elements*info.DType.Size())
		block, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			return values, fmt.Errorf("%d bytes for %q: %w", size, info.Name, err)
		}
		a.blocks = append(a.blocks, block)
		v, err := value(info.Shape, info.DType, block)
		if err != nil {
			return values, fmt.Errorf("%q: %w", info.Name, err)
		}
		values = append(values, v)
	}
	return values, nil
}

func (a *arena) free() {
	for _, block := range a.blocks {
		_ = unix.Munmap(block) // it was mapped by values
	}
}
