package socketapi_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hailo-depth/manager"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// gate is a device on which every load waits for a test to let it pass.
type gate struct {
	loading chan string // the file's name, as each load begins
	pass    chan struct{}
	done    chan struct{}
}

func (g *gate) Identity() worker.Identity { return worker.Identity{DeviceID: "gate0"} }

func (g *gate) Statistics(context.Context) (worker.Statistics, error) {
	return worker.Statistics{}, nil
}

func (g *gate) Load(ctx context.Context, spec worker.LoadSpec) (manager.Network, error) {
	g.loading <- filepath.Base(spec.Path)
	select {
	case <-g.pass:
		return gateNetwork{}, nil
	case <-ctx.Done():
		return nil, &worker.Error{Kind: worker.KindTimeout, Message: "not let pass"}
	}
}

func (g *gate) Close(context.Context) { close(g.done) }
func (g *gate) Kill()                 { close(g.done) }
func (g *gate) Done() <-chan struct{} { return g.done }
func (g *gate) Err() error            { return nil }

// gateNetwork answers its input.
type gateNetwork struct{}

func (gateNetwork) Signature() worker.Signature {
	one := func(name string) []worker.TensorInfo {
		return []worker.TensorInfo{{Name: name, DType: tensor.Uint8, Shape: tensor.Shape{1}}}
	}
	return worker.Signature{Inputs: one("in"), Outputs: one("out")}
}

func (gateNetwork) Infer(_ context.Context, _ time.Duration, inputs []tensor.Tensor) ([]worker.Output, time.Duration, error) {
	return []worker.Output{{Name: "out", Tensor: inputs[0]}}, 0, nil
}

func (gateNetwork) Send(context.Context, time.Duration, []tensor.Tensor) (worker.Pending, error) {
	return nil, &worker.Error{Kind: worker.KindBusy, Message: "one inference at a time"}
}

func (gateNetwork) Generate(context.Context, <-chan struct{}, time.Duration, worker.Generation, func(worker.Piece)) (worker.Generated, time.Duration, error) {
	return worker.Generated{Ending: worker.Ending{Finish: worker.FinishEnd}}, 0, nil
}

func (gateNetwork) Unload(context.Context) error { return nil }
func (gateNetwork) Release() error               { return nil }

// serveGate runs the real manager on a gate that it has opened.
func serveGate(t *testing.T) (g *gate, path string) {
	t.Helper()
	g = &gate{loading: make(chan string), pass: make(chan struct{}), done: make(chan struct{})}
	m, err := manager.New(manager.Options{
		Limits: manager.DefaultLimits(), Log: slog.New(slog.DiscardHandler),
		Start: func(context.Context) (manager.Worker, error) { return g, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- m.Run(ctx) }()
	t.Cleanup(func() { // after the server's, which is registered later
		cancel()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	path = serve(t, newServer(m))
	c := dial(t, path)
	for deadline := time.Now().Add(patience); !strings.Contains(ask(t, c, ping), `"gate0"`); { // opening waits in the queue, too
		if time.Now().After(deadline) {
			t.Fatal("the device is not opened")
		}
	}
	return g, path
}
