//go:build hailort

package hailort

import (
	"fmt"
	"slices"

	"hailo-depth/hailort/stream"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// maxFrames bounds the batch that input_shapes may ask for.
const maxFrames = 64

// sign makes the signature. HailoRT's networks take one frame at a time;
// wanted, shapes by input, may put a number of frames before the file's own
// shape, which then is how many go into one inference.
func (n *network) sign(wanted map[string]tensor.Shape) error {
	n.signature = worker.Signature{}
	seen := 0
	for _, s := range n.inputs {
		shape, err := s.Shape()
		if err != nil {
			return n.unreadable(err)
		}
		frames, given := 1, false
		if w, ok := wanted[s.Name]; ok {
			seen++
			if frames, given, err = batch(w, shape); err != nil {
				return &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("%s: input %q: %v", n.what, s.Name, err)}
			}
		}
		if len(n.signature.Inputs) > 0 && frames != n.frames {
			return &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf(
				"%s: input %q has %d frames and another %d; all take the same number", n.what, s.Name, frames, n.frames)}
		}
		n.frames = frames
		n.batched = n.batched || given
		n.signature.Inputs = append(n.signature.Inputs, worker.TensorInfo{Name: s.Name, DType: s.Type.DType(), Shape: shape})
	}
	if seen != len(wanted) {
		return &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("%s: input_shapes names inputs that the network does not have; it has %s", n.what, names(n.inputs))}
	}
	for _, s := range n.outputs {
		shape, err := s.Shape()
		if err != nil {
			return n.unreadable(err)
		}
		info := worker.TensorInfo{Name: s.Name, DType: s.Type.DType(), Shape: shape}
		if s.Dequantisable() {
			info.DType = tensor.Float32
		}
		n.signature.Outputs = append(n.signature.Outputs, info)
	}
	if n.batched {
		for _, infos := range [][]worker.TensorInfo{n.signature.Inputs, n.signature.Outputs} {
			for i := range infos {
				infos[i].Shape = slices.Concat(tensor.Shape{n.frames}, infos[i].Shape)
			}
		}
	}
	return nil
}

func (n *network) unreadable(err error) error {
	return &worker.Error{Kind: worker.KindUnsupported, Message: fmt.Sprintf("%s: %v", n.what, err)}
}

// batch takes a wanted shape apart: the network's own, or that of so many frames.
func batch(wanted, own tensor.Shape) (frames int, given bool, err error) {
	switch {
	case slices.Equal(wanted, own):
		return 1, false, nil
	case len(wanted) == len(own)+1 && slices.Equal(wanted[1:], own) && wanted[0] >= 1 && wanted[0] <= maxFrames:
		return wanted[0], true, nil
	}
	return 0, false, fmt.Errorf("its shape cannot be %v; the file has %v, which 1 to %d frames may precede", wanted, own, maxFrames)
}

func names(streams []stream.Stream) string {
	list := make([]string, len(streams))
	for i, s := range streams {
		list[i] = s.Name
	}
	return fmt.Sprint(list)
}
