//go:build hailort

package hailort

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"hailo-depth/worker"
)

// Config is how to use the device.
type Config struct {
	// Device is its PCI address; empty: the only one that there is.
	Device string
	// Group is that of HailoRT's virtual devices: programs of one group share the
	// device, others are refused. Empty: this program has it for itself.
	Group string
	// LibraryFloats leaves it to the library, which means to the device's slow
	// processor, to turn outputs into float32. Otherwise this package does.
	LibraryFloats bool
	// Poll is how often the temperature is asked for, and a third as often memory
	// and load; 0: 5 s.
	Poll time.Duration
	Log  *slog.Logger
}

// Backend is a worker.Generator.
type Backend struct {
	config   Config
	device   *C.npu_device
	id       string
	identity identity
	page     int // of this machine's memory
	patience patience
	monitor  *monitor

	mu        sync.Mutex
	residents map[resident]bool // on the device, until their destruction begins
	releases  map[*release]bool // under way
}

// resident is what was loaded.
type resident interface {
	destroy() error
	// unfinished counts the jobs that were given up and go on, and says how long
	// the oldest has since.
	unfinished() (int, time.Duration)
}

// Open connects to the device. Its error is a *worker.Error, whose kind and
// status say what stands in the way.
func Open(config Config) (*Backend, error) {
	if config.Poll == 0 {
		config.Poll = 5 * time.Second
	}
	id, err := choose(config.Device)
	if err != nil {
		return nil, err
	}
	b := &Backend{config: config, id: id, page: os.Getpagesize(), patience: usualPatience(), residents: map[resident]bool{}, releases: map[*release]bool{}}
	name := C.CString(id)
	defer C.free(unsafe.Pointer(name))
	var group *C.char
	if config.Group != "" {
		group = C.CString(config.Group)
		defer C.free(unsafe.Pointer(group))
	}
	if err := failure(worker.OpOpen, C.npu_open(name, group, &b.device), "opening the device "+id); err != nil {
		return nil, err
	}
	if err := b.identify(); err != nil {
		return nil, errors.Join(err, failure(worker.OpOpen, C.npu_close(b.device), "closing the device"))
	}
	b.monitor = watch(b.device, config.Poll, config.Log)
	return b, nil
}

// choose finds the device to open.
func choose(wanted string) (string, error) {
	found, err := Scan()
	if err != nil {
		return "", err
	}
	// 74 is what the library itself says when there is none.
	none := func(why string) error {
		return &worker.Error{Kind: worker.KindHeld, Status: 74, Message: why}
	}
	list := strings.Join(found, ", ")
	switch {
	case len(found) == 0:
		return "", none("HailoRT finds no device: is the driver loaded, and of the library's release?")
	case wanted == "" && len(found) > 1:
		return "", &worker.Error{Kind: worker.KindInvalid, Message: fmt.Sprintf("there are %d devices (%s): say which with --device", len(found), list)}
	case wanted == "":
		return found[0], nil
	}
	for _, id := range found {
		if id == wanted {
			return id, nil
		}
	}
	return "", none(fmt.Sprintf("there is no device %s; HailoRT finds %s", wanted, list))
}

func (b *Backend) identify() error {
	var i C.npu_identity
	if err := failure(worker.OpOpen, C.npu_identify(b.device, &i), "identifying the device "+b.id); err != nil {
		return err
	}
	b.identity = identity{
		major: uint32(i.major), minor: uint32(i.minor), revision: uint32(i.revision), release: bool(i.release),
		extendedContextSwitchBuffers: bool(i.extended_context_switch_buffer), architecture: int(i.architecture),
	}
	return nil
}

// Identify tells what the device said when it was opened.
func (b *Backend) Identify() worker.Identity {
	return worker.Identity{Backend: "hailort", DeviceID: b.id, Architecture: b.identity.Architecture(), Firmware: b.identity.Firmware()}
}

// Statistics gives what was last measured: it never asks the device, which can
// take seconds to answer.
func (b *Backend) Statistics() worker.Statistics {
	s := b.monitor.statistics()
	b.mu.Lock()
	defer b.mu.Unlock()
	for r := range b.residents {
		jobs, oldest := r.unfinished()
		s.UnfinishedJobs += jobs
		s.OldestUnfinishedMS = max(s.OldestUnfinishedMS, oldest.Milliseconds())
	}
	return s
}

// Close releases the device, if every job has ended and the library answers in
// time. Otherwise the end of the process does, which the device notices.
func (b *Backend) Close() error {
	before := b.releasing()
	ended := b.begin(func() error {
		for _, r := range before {
			<-r.done
		}
		return b.shut()
	})
	select {
	case <-ended.done:
		return ended.err
	case <-time.After(b.patience.close):
		return &worker.Error{Kind: worker.KindTimeout, Message: fmt.Sprintf("HailoRT did not close the device within %v; the end of this process frees it", b.patience.close)}
	}
}

func (b *Backend) shut() error {
	b.monitor.stop()
	b.mu.Lock()
	left := slices.Collect(maps.Keys(b.residents))
	b.mu.Unlock()
	var err error
	for _, r := range left {
		err = errors.Join(err, r.destroy())
	}
	if err != nil { // a job may still write: nothing under it is taken away
		return err
	}
	return failure(worker.OpUnload, C.npu_close(b.device), "closing the device")
}

func (b *Backend) keep(r resident) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.residents[r] = true
}

func (b *Backend) forget(r resident) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.residents, r)
}
