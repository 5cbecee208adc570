// Package onnx runs networks on the CPU through ONNX Runtime, as the backend of
// a worker. It is the only part of the system that needs cgo.
package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"hailo-depth/worker"
)

// Config is how to run networks.
type Config struct {
	Library     string // path of libonnxruntime
	Threads     int    // per inference; 0: all cores but one
	MemoryBytes int64  // all networks together; 0: no limit
	Spin        bool   // threads wait for work busily: faster by little, at the price of the other services' time
}

// Backend is a worker.Backend.
type Backend struct {
	config Config
	sys    fs.FS // /sys

	mu   sync.Mutex // used is read beside a load by Statistics
	used int64
}

// Open loads the library. Close releases it.
func Open(config Config) (*Backend, error) {
	ort.SetSharedLibraryPath(config.Library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return nil, fmt.Errorf("loading %s: %w (version 1.27 is needed)", config.Library, err)
	}
	return &Backend{config: config, sys: os.DirFS("/sys")}, nil
}

// Identify names the library, which is this backend's firmware.
func (b *Backend) Identify() worker.Identity {
	return worker.Identity{Backend: "onnx", DeviceID: "cpu", Architecture: "CPU", Firmware: "ONNX Runtime " + ort.GetVersion()}
}

// Statistics gives the processor's temperature and the memory of the networks.
func (b *Backend) Statistics() worker.Statistics {
	b.mu.Lock()
	s := worker.Statistics{MemoryTotalBytes: b.config.MemoryBytes, MemoryUsedBytes: b.used}
	b.mu.Unlock()
	if s.MemoryTotalBytes == 0 {
		s.MemoryTotalBytes = systemBytes()
	}
	celsius, err := cpuTemperature(b.sys)
	if err != nil {
		s.TemperatureError = err.Error()
	} else {
		s.TemperatureCelsius = &celsius
	}
	return s
}

// Close releases the library.
func (b *Backend) Close() error { return ort.DestroyEnvironment() }

// Load makes a session of an ONNX file and runs it once on zeros, which tells
// the outputs' shapes and what memory the network really takes. The larger of
// that growth and the file's size counts against the budget.
func (b *Backend) Load(spec worker.LoadSpec) (worker.LoadedNetwork, error) {
	info, err := os.Stat(spec.Path)
	if err != nil {
		return nil, &worker.Error{Kind: worker.KindModel, Message: err.Error()}
	}
	if !info.Mode().IsRegular() {
		return nil, &worker.Error{Kind: worker.KindModel, Message: spec.Path + " is not a regular file"}
	}
	if strings.EqualFold(filepath.Ext(spec.Path), ".hef") {
		return nil, &worker.Error{Kind: worker.KindUnsupported, Message: fmt.Sprintf(
			"%s is a HailoRT model; this manager runs on the CPU (backend onnx) and takes .onnx files", filepath.Base(spec.Path))}
	}
	if err := b.admit(spec.Path, info.Size()); err != nil {
		return nil, err
	}
	returnMemory() // before and after: garbage is not the network's
	before := residentBytes()
	n, err := b.open(spec)
	returnMemory()
	if err != nil {
		return nil, err
	}
	n.signature.MemoryBytes = max(residentBytes()-before, info.Size())
	if err := b.admit(spec.Path, n.signature.MemoryBytes); err != nil {
		err = errors.Join(err, n.release())
		returnMemory()
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used += n.signature.MemoryBytes
	return n, nil
}

// admit refuses a network of size bytes when the budget has no room for it.
func (b *Backend) admit(path string, size int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.config.MemoryBytes == 0 || b.used+size <= b.config.MemoryBytes {
		return nil
	}
	return &worker.Error{
		Kind: worker.KindMemoryFull, NeededBytes: size, TotalBytes: b.config.MemoryBytes,
		Message: fmt.Sprintf("cannot load %s: %d bytes wanted, %d of %d in use", filepath.Base(path), size, b.used, b.config.MemoryBytes),
	}
}

func (b *Backend) forget(n *network) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n.signature.MemoryBytes
}
