package worker

import (
	"context"
	"slices"
	"time"

	"hailo-depth/tensor"
)

// Pending is an inference that the worker has, or soon will.
type Pending interface {
	// Wait returns what Network.Infer does, under the same conditions: calls of
	// both do not overlap.
	Wait(ctx context.Context) ([]Output, time.Duration, error)
	// Drop gives up an inference that nobody will wait for.
	Drop()
}

// Send is the first half of Infer. It may be called while one other inference
// of the network is under way, which the worker finishes first. It is refused,
// with an *Error, where the network has no second set of memory.
func (n *Network) Send(ctx context.Context, timeout time.Duration, inputs []tensor.Tensor) (Pending, error) {
	s, err := n.send(ctx, timeout, inputs, true)
	if err != nil {
		return nil, err // not s: a nil pointer in it would not be a nil Pending
	}
	return s, nil
}

// sent is a Pending.
type sent struct {
	network *Network
	call    *call
	timeout time.Duration
	inputs  []tensor.Tensor
	memory  *memory // of the network, when it was sent
	set     int     // of it
}

// send sends an inference; early ones need a network with two sets, so that none
// takes the only one from the inference that is to be next.
func (n *Network) send(ctx context.Context, timeout time.Duration, inputs []tensor.Tensor, early bool) (*sent, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.memory == nil {
		return nil, invalid("the network is generative, or gone: it has no tensors to infer on")
	}
	if len(inputs) != len(n.signature.Inputs) {
		return nil, invalid("the network takes %d inputs, got %d", len(n.signature.Inputs), len(inputs))
	}
	number := slices.Index(n.taken[:], false)
	set, ok := n.memory.layout.set(number)
	if !ok || early && n.memory.layout.Second == nil {
		return nil, &Error{Kind: KindBusy, Message: "the network has no memory for another inference"}
	}
	for i, view := range n.memory.views(n.signature.Inputs, set.Inputs) {
		if len(inputs[i].Data) != len(view) {
			return nil, invalid("input %q takes %d bytes, got %d", n.signature.Inputs[i].Name, len(view), len(inputs[i].Data))
		}
		copy(view, inputs[i].Data)
	}
	q := request{Verb: verbInfer, Network: n.id, Set: number, Replaced: n.replaced, TimeoutMS: timeout.Milliseconds()}
	c, err := n.process.begin(ctx, q, -1, nil)
	if err != nil {
		return nil, err
	}
	n.taken[number] = true
	return &sent{network: n, call: c, timeout: timeout, inputs: inputs, memory: n.memory, set: number}, nil
}

func (s *sent) Wait(ctx context.Context) ([]Output, time.Duration, error) {
	n := s.network
	var r reply
	var fd int
	var err error
	select {
	case a := <-s.call.waiting:
		r, fd, err = a.open()
	case <-ctx.Done():
		return nil, 0, n.process.abandon(ctx, s.call, verbInfer) // its set stays taken
	}
	if n.memory != s.memory { // the inference before this one has replaced it: the worker refused
		closeDescriptor(fd)
		return n.Infer(ctx, s.timeout, s.inputs)
	}
	defer s.free()
	if err != nil {
		return nil, 0, err
	}
	set, _ := s.memory.layout.set(s.set)
	offsets := set.Outputs
	if fd >= 0 { // the outputs have other shapes than last time
		if err := n.adopt(r, fd); err != nil {
			// The worker goes on with memory that this side does not have.
			return nil, 0, &Error{Kind: KindLost, Message: err.Error()}
		}
		offsets = n.memory.layout.Outputs
	}
	outputs := make([]Output, len(n.signature.Outputs))
	for i, view := range n.memory.views(n.signature.Outputs, offsets) {
		info := n.signature.Outputs[i]
		memory := n.process.outputs.Copy(view)
		outputs[i] = Output{Name: info.Name, Tensor: tensor.Tensor{DType: info.DType, Shape: info.Shape, Data: memory.Bytes}, Memory: memory}
	}
	return outputs, time.Duration(r.DeviceUS) * time.Microsecond, nil
}

// free lets the next inference have the memory of one that is over.
func (s *sent) free() {
	s.network.mu.Lock()
	defer s.network.mu.Unlock()
	if s.network.memory == s.memory {
		s.network.taken[s.set] = false
	}
}

// Drop leaves the memory taken, which the worker may still be using.
func (s *sent) Drop() { s.network.process.forget(s.call) }
