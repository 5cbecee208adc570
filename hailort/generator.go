//go:build hailort

package hailort

import (
	"fmt"
	"path/filepath"

	"hailo-depth/worker"
)

// LoadGenerator places a generator on the device. One that generates text from
// pictures keeps a second out: it must be unloaded first.
func (b *Backend) LoadGenerator(spec worker.LoadSpec) (worker.LoadedGenerator, error) {
	what := "loading " + filepath.Base(spec.Path)
	switch spec.Task {
	case worker.TaskVLM:
		v := &vlm{backend: b, what: what}
		bytes, err := b.place(spec.Path, func() error { return v.load(spec) })
		if err != nil {
			return nil, err
		}
		v.signature.MemoryBytes = bytes
		b.keep(v)
		return v, nil
	case worker.TaskSpeech:
		s := &speech{backend: b, what: what}
		bytes, err := b.place(spec.Path, func() error { return s.load(spec) })
		if err != nil {
			return nil, err
		}
		s.signature.MemoryBytes = bytes
		b.keep(s)
		return s, nil
	}
	return nil, &worker.Error{Kind: worker.KindUnsupported, Message: fmt.Sprintf("task %q is unknown; HailoRT runs vlm and speech", spec.Task)}
}
