package worker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"hailo-depth/internal/buffers"
	"hailo-depth/tensor"
)

// Network is a model file loaded into a worker.
type Network struct {
	process *Process
	id      uint64

	// Only the one who infers, unloads or releases changes the signature and the
	// memory, under mu, because Send may be called beside.
	mu        sync.Mutex
	signature Signature
	memory    *memory
	replaced  int     // how often an inference replaced the memory
	taken     [2]bool // the sets of memory whose inference is not over
}

// Output is one result of a network.
type Output struct {
	Name   string
	Tensor tensor.Tensor
	Memory *buffers.Buffer // of the tensor; may be recycled, or left alone
}

// Load loads a network. When ctx ends first the worker is in an unknown state
// and must be killed.
func (p *Process) Load(ctx context.Context, spec LoadSpec) (*Network, error) {
	p.mu.Lock()
	p.lastID++
	id := p.lastID
	p.mu.Unlock()
	r, fd, err := p.call(ctx, request{Verb: verbLoad, Network: id, Load: &spec})
	if err != nil {
		return nil, err
	}
	n := &Network{process: p, id: id}
	if spec.Task != TaskTensors {
		closeDescriptor(fd)
		if r.Signature == nil || len(r.Signature.Inputs)+len(r.Signature.Outputs) > 0 || fd >= 0 {
			return nil, &Error{Kind: KindInternal, Message: "the worker answered the load of a generative network with tensors or without a signature"}
		}
		n.signature = *r.Signature
		return n, nil
	}
	if err := n.adopt(r, fd); err != nil {
		return nil, err
	}
	return n, nil
}

// adopt takes over the signature and the memory of an answer. That of an
// inference may change the shapes and types of the outputs, nothing else.
func (n *Network) adopt(r reply, fd int) error {
	if r.Signature == nil || r.Region == nil || fd < 0 {
		closeDescriptor(fd)
		return &Error{Kind: KindInternal, Message: "the worker answered a load without signature or shared memory"}
	}
	if n.memory != nil && !sameTensors(n.signature, *r.Signature) {
		closeDescriptor(fd)
		return &Error{Kind: KindInternal, Message: "the worker answered an inference with other inputs or outputs than the network has"}
	}
	m, err := openMemory(fd, *r.Region, *r.Signature)
	if err != nil {
		return &Error{Kind: KindInternal, Message: err.Error()}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.memory != nil {
		err = n.memory.close()
		n.replaced++
	}
	n.signature, n.memory, n.taken = *r.Signature, m, [2]bool{}
	return err
}

func sameTensors(a, b Signature) bool {
	return slices.EqualFunc(a.Inputs, b.Inputs, func(a, b TensorInfo) bool {
		return a.Name == b.Name && a.DType == b.DType && slices.Equal(a.Shape, b.Shape)
	}) && slices.EqualFunc(a.Outputs, b.Outputs, func(a, b TensorInfo) bool { return a.Name == b.Name })
}

// Signature is what goes in and comes out.
func (n *Network) Signature() Signature {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.signature
}

// Infer runs the network once and returns its outputs, in the network's order,
// with the time spent inside the library, which may take at most timeout.
// inputs are in the order of the signature and of exactly its types and sizes
// (see tensor.Fit). The caller sees to it that calls do not overlap. When ctx
// ends first the buffers are still in use and the worker must be killed.
func (n *Network) Infer(ctx context.Context, timeout time.Duration, inputs []tensor.Tensor) ([]Output, time.Duration, error) {
	s, err := n.send(ctx, timeout, inputs, false)
	if err != nil {
		return nil, 0, err
	}
	return s.Wait(ctx)
}

// Unload frees the network in the worker. The Network is unusable afterwards,
// also after an error.
func (n *Network) Unload(ctx context.Context) error {
	_, err := n.process.ask(ctx, request{Verb: verbUnload, Network: n.id})
	return errors.Join(err, n.Release())
}

// Release gives up this side's memory of a network whose worker is gone.
func (n *Network) Release() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.memory == nil {
		return nil
	}
	m := n.memory
	n.memory = nil
	return m.close()
}
