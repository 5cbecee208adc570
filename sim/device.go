// Package sim is a simulated NPU: latency, load time, a memory budget and
// faults on command, and networks whose answers are known exactly, generative
// ones too. It stands in for the device in tests, load tests and capacity planning.
package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// Device is a worker.Generator.
type Device struct {
	config Config
	exit   func(code int) // of the crash fault

	// What follows is for operations, which come one at a time.
	random     *rand.Rand
	counts     map[worker.Operation]uint64
	conversing bool // a vision-language model is loaded

	memory     memory
	unfinished unfinished
}

// New makes a device.
func New(config Config) *Device {
	return &Device{
		config: config,
		exit:   os.Exit,
		random: rand.New(rand.NewPCG(config.Seed, 0)),
		counts: map[worker.Operation]uint64{},
		memory: memory{total: config.MemoryBytes, release: config.Release},
	}
}

// Serve runs a device as a worker program does: it opens it and answers the
// manager until that goes away.
func Serve(ctx context.Context, config Config) error {
	d := New(config)
	err := d.strike(worker.OpOpen, d.Identify().DeviceID)
	if e, ok := errors.AsType[*worker.Error](err); ok {
		return worker.Refuse(ctx, e)
	}
	if err != nil {
		return err
	}
	return worker.Serve(ctx, d)
}

// Identify gives the values of the recorded cases.
func (d *Device) Identify() worker.Identity {
	return worker.Identity{
		Backend:      "sim",
		DeviceID:     "0001:01:00.0",
		Architecture: "HAILO10H",
		Firmware:     "5.3.0 (release,app)",
	}
}

// Statistics gives a constant temperature and the true use of the budget.
func (d *Device) Statistics() worker.Statistics {
	celsius := 53.5
	jobs, oldest := d.unfinished.read()
	return worker.Statistics{
		TemperatureCelsius: &celsius, MemoryTotalBytes: d.memory.total, MemoryUsedBytes: d.memory.inUse(),
		UnfinishedJobs: jobs, OldestUnfinishedMS: oldest.Milliseconds(),
	}
}

// Close releases nothing: the memory is simulated.
func (d *Device) Close() error { return nil }

// Load places a network on the device, or fails with status 81 when it is full.
func (d *Device) Load(spec worker.LoadSpec) (worker.LoadedNetwork, error) {
	file, err := d.place(spec, func() error { return nil })
	if err != nil {
		return nil, err
	}
	return &network{device: d, file: file, path: spec.Path}, nil
}

// place takes the memory for a file, unless admit has something against it.
func (d *Device) place(spec worker.LoadSpec, admit func() error) (modelFile, error) {
	if err := d.strike(worker.OpLoad, spec.Path); err != nil {
		return modelFile{}, err
	}
	time.Sleep(d.config.Load)
	file, err := readModel(spec)
	if err != nil {
		return file, err
	}
	if file.loadError != "" {
		return file, &worker.Error{Kind: worker.KindModel, Message: file.loadError}
	}
	if err := admit(); err != nil {
		return file, err
	}
	if used, ok := d.memory.take(file.bytes); !ok {
		e := worker.FromHailoStatus(worker.OpLoad, 81, fmt.Sprintf(
			"Cannot place %s on the device: %d bytes wanted, %d of %d in use",
			filepath.Base(spec.Path), file.bytes, used, d.memory.total))
		e.NeededBytes, e.TotalBytes = file.bytes, d.memory.total
		return file, e
	}
	return file, nil
}

// free gives the memory of a file back, also when a fault strikes.
func (d *Device) free(file modelFile, path string) error {
	err := d.strike(worker.OpUnload, path)
	d.memory.give(file.bytes)
	return err
}

// latency is the time of the next inference.
func (d *Device) latency() time.Duration {
	latency := d.config.Latency
	if d.config.Jitter > 0 {
		latency += time.Duration((2*d.random.Float64() - 1) * float64(d.config.Jitter))
	}
	return latency
}

// stuck is what strike returns for an inference that is not to end in time.
type stuck struct{ lasts time.Duration }

func (s stuck) Error() string { return "injected: the job does not end" }

// strike counts an operation and carries out the fault that hits it, if any.
func (d *Device) strike(operation worker.Operation, path string) error {
	d.counts[operation]++
	faults, err := d.config.faults.now()
	if err != nil {
		return err
	}
	f := faults.at(operation, d.counts[operation], d.random)
	switch {
	case f == nil:
		return nil
	case f.crash:
		fmt.Fprintf(os.Stderr, "injected crash at %s %d\n", operation, d.counts[operation])
		d.exit(70)
	case f.stuck:
		return stuck{f.lasts}
	case f.hang:
		fmt.Fprintf(os.Stderr, "injected hang at %s %d\n", operation, d.counts[operation])
		select {}
	}
	return worker.FromHailoStatus(operation, f.status, fmt.Sprintf("injected fault at %s %d of %s", operation, d.counts[operation], filepath.Base(path)))
}

type network struct {
	device          *Device
	file            modelFile
	path            string
	inputs, outputs [][]byte
}

func (n *network) Signature() worker.Signature { return n.file.signature }

func (n *network) Bind(inputs, outputs [][]byte) error {
	n.inputs, n.outputs = inputs, outputs
	return nil
}

// Infer computes first and then waits out the rest of the latency, so that the
// simulated time does not depend on this machine's speed.
func (n *network) Infer(timeout time.Duration) ([]tensor.Tensor, error) {
	d := n.device
	began := time.Now()
	err := d.strike(worker.OpInfer, n.path)
	if s, ok := errors.AsType[stuck](err); ok {
		time.Sleep(timeout)
		d.unfinished.add(s.lasts)
		return nil, worker.FromHailoStatus(worker.OpInfer, 4, fmt.Sprintf("no answer within %v; the job goes on", timeout))
	}
	if err != nil {
		return nil, err
	}
	for i, out := range n.file.signature.Outputs {
		if len(n.inputs) > 0 {
			compute(n.file.signature.Inputs[0], n.inputs[0], out, n.outputs[i])
		}
	}
	time.Sleep(d.latency() - time.Since(began))
	return nil, nil
}

func (n *network) Close() error { return n.device.free(n.file, n.path) }
