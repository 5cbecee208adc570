package onnx

import (
	"errors"
	"fmt"
	"runtime"

	ort "github.com/yalue/onnxruntime_go"

	"hailo-depth/worker"
)

// network is one session.
type network struct {
	backend   *Backend
	session   *ort.DynamicAdvancedSession
	signature worker.Signature
	fixed     []bool // per output: its shape does not depend on the data, as far as seen

	// Over the shared memory; an output that ONNX Runtime is to allocate is nil.
	inputs, outputs []ort.Value
}

func (b *Backend) open(spec worker.LoadSpec) (*network, error) {
	options, err := b.options()
	if err != nil {
		return nil, err
	}
	defer func() { _ = options.Destroy() }() // the session has copied them
	inputs, outputs, err := ort.GetInputOutputInfoWithOptions(spec.Path, options)
	if err != nil {
		return nil, broken(spec.Path, err)
	}
	if len(inputs) == 0 || len(outputs) == 0 { // the binding panics on them
		return nil, unsupported("%s has %d inputs and %d outputs; both are needed", spec.Path, len(inputs), len(outputs))
	}
	n := &network{backend: b, fixed: make([]bool, len(outputs))}
	if n.signature.Inputs, err = inputInfo(inputs, spec.InputShapes); err != nil {
		return nil, err
	}
	if n.signature.Outputs, err = outputInfo(outputs); err != nil {
		return nil, err
	}
	session, err := ort.NewDynamicAdvancedSession(spec.Path, names(inputs), names(outputs), options)
	if err != nil {
		return nil, broken(spec.Path, err)
	}
	n.session = session
	if err := n.warmUp(); err != nil {
		return nil, errors.Join(broken(spec.Path, err), n.release())
	}
	return n, nil
}

// broken blames the file, unless err knows better.
func broken(path string, err error) error {
	kind := worker.KindModel
	if e, ok := errors.AsType[*worker.Error](err); ok {
		kind = e.Kind
	}
	return &worker.Error{Kind: kind, Message: fmt.Sprintf("%s: %v", path, err)}
}

func unsupported(format string, args ...any) error {
	return &worker.Error{Kind: worker.KindUnsupported, Message: fmt.Sprintf(format, args...)}
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

// warmUp runs the session once on zeros and takes the outputs' shapes from it.
func (n *network) warmUp() error {
	scratch := &arena{}
	defer scratch.free()
	defer n.unbind()
	var err error
	if n.inputs, err = scratch.values(n.signature.Inputs); err != nil {
		return err
	}
	outputs := n.signature.Outputs
	n.outputs = make([]ort.Value, len(outputs))
	for i, o := range outputs {
		if declared(o.Shape) {
			v, err := scratch.values(outputs[i : i+1])
			if err != nil {
				return err
			}
			n.outputs[i] = v[0]
		}
	}
	changed, err := n.run(nil)
	if err != nil {
		return err
	}
	for i, t := range changed {
		outputs[i].Shape = t.Shape
	}
	for i := range n.fixed {
		n.fixed[i] = true // until an inference shows otherwise
	}
	return nil
}

func (n *network) Signature() worker.Signature { return n.signature }

func (n *network) Close() error {
	err := n.release()
	n.backend.forget(n)
	returnMemory()
	return err
}

func (n *network) release() error {
	n.unbind()
	return n.session.Destroy()
}

func (n *network) unbind() {
	destroy(n.inputs)
	destroy(n.outputs)
	n.inputs, n.outputs = nil, nil
}

func destroy(values []ort.Value) {
	for _, v := range values {
		if v != nil {
			_ = v.Destroy() // never fails for tensors
		}
	}
}
