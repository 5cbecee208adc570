package onnx

import (
	"fmt"

	ort "github.com/yalue/onnxruntime_go"
	"golang.org/x/sys/unix"

	"hailo-depth/worker"
)

// arena is memory outside Go's heap, which ONNX values may point to.
type arena struct {
	blocks [][]byte
	bytes  int
}

func (a *arena) values(infos []worker.TensorInfo) ([]ort.Value, error) {
	var values []ort.Value
	for _, info := range infos {
		elements, err := info.Shape.Elements()
		if err != nil {
			return values, err
		}
		size := max(1, elements*info.DType.Size())
		if size > worker.MaxRegion-a.bytes {
			return values, &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf(
				"%q with the shape %v takes %d bytes; inputs and outputs may take %d in all", info.Name, info.Shape, size, worker.MaxRegion)}
		}
		a.bytes += size
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
