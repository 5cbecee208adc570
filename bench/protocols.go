package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	hailo "hailo-depth/device"
	"hailo-depth/internal/stack"
	"hailo-depth/tensor"
)

// protocol is a way to the manager.
type protocol struct {
	name    string
	service interface {
		hailo.Service
		Close() error
	}
}

func protocols(s *stack.Stack) []protocol {
	return []protocol{
		{"socket protocol (JSON, base64)", &hailo.Client{Path: s.Socket}},
		{"HTTP (binary tensors)", &hailo.HTTPClient{Path: s.APISocket}},
	}
}

// inference is what clients of the manager's sockets ask for: 245 kB in, 328 kB out.
func (b *bench) inference(d device) (hailo.Model, hailo.Input) {
	model := hailo.Model{Type: "depth", Path: filepath.Join(b.models, d.model+".hef")}
	if d.backend == "onnx" {
		model.Path = filepath.Join(b.models, d.model+".onnx")
		model.Params = jsontext.Value(`{"input_shapes": {"image": [1, 256, 320, 3]}}`)
	}
	return model, hailo.Input{Input: &tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{1, 256, 320, 3}, Data: make([]byte, 256*320*3)}}
}

// usage is what clients made of the device.
type usage struct {
	rate  float64    // inferences a second
	share float64    // of the time, the device worked
	added []float64  // milliseconds an inference, outside the device and its queue
	inner []float64  // the part of them between the manager and the device's library
	cpu   [2]float64 // milliseconds an inference: client, manager
}

// use has so many clients infer for the measuring time.
func (b *bench) use(ctx context.Context, s hailo.Service, manager process, d device, clients int) (usage, error) {
	model, input := b.inference(d)
	if _, err := s.Infer(ctx, model, input); err != nil { // loads it
		return usage{}, err
	}
	both := [2]process{{os.Getpid()}, manager}
	var before [2]float64
	for i, p := range both {
		before[i] = p.cpu()
	}
	var mu sync.Mutex
	var u usage
	var worked time.Duration
	var failure error
	var group sync.WaitGroup
	start := time.Now()
	end := start.Add(b.measure)
	for range clients {
		group.Go(func() {
			for time.Now().Before(end) {
				began := time.Now()
				r, err := s.Infer(ctx, model, input)
				total := time.Since(began)
				mu.Lock()
				if err != nil {
					failure = err
				} else {
					worked += r.Timing.Library
					u.added = append(u.added, ms(total-r.Timing.Library-r.Timing.Queue))
					u.inner = append(u.inner, ms(r.Timing.Infer-r.Timing.Library))
				}
				mu.Unlock()
				r.Recycle()
				if err != nil {
					return
				}
			}
		})
	}
	group.Wait()
	elapsed := time.Since(start)
	for i, p := range both {
		u.cpu[i] = 1000 * (p.cpu() - before[i]) / float64(len(u.added))
	}
	u.rate, u.share = float64(len(u.added))/elapsed.Seconds(), worked.Seconds()/elapsed.Seconds()
	return u, failure
}

// protocols compares the two ways to the manager.
func (b *bench) protocols(ctx context.Context, s *stack.Stack, d device) error {
	fmt.Fprintf(b.out, "\n| services on the manager's sockets | clients | inferences/s | the device works | added to an inference, queueing apart: p50 ms | p99 ms | of it to the worker and back: p50 ms | CPU ms an inference: client + manager |\n|---|---|---|---|---|---|---|---|\n")
	return b.compare(ctx, s, d, protocols(s))
}

// withoutOverlap adds the lines of HTTP where each request is sent to the worker
// only when the last is answered. It leaves the manager as it was.
func (b *bench) withoutOverlap(ctx context.Context, s *stack.Stack, d device) error {
	restart := func(lines string) error {
		if err := s.Manager.Stop(time.Minute); err != nil {
			return err
		}
		return s.RestartManagerWith(ctx, lines)
	}
	if err := restart(d.config + "scheduling: {overlap: false}\n"); err != nil {
		return err
	}
	if err := b.compare(ctx, s, d, []protocol{{"HTTP, `scheduling.overlap: false`", &hailo.HTTPClient{Path: s.APISocket}}}); err != nil {
		return err
	}
	return restart(d.config)
}

func (b *bench) compare(ctx context.Context, s *stack.Stack, d device, ways []protocol) error {
	for _, clients := range []int{1, 8, 32} {
		for _, p := range ways {
			u, err := b.use(ctx, p.service, process{s.Manager.PID()}, d, clients)
			if err != nil {
				return fmt.Errorf("%s, %d clients: %w", p.name, clients, err)
			}
			fmt.Fprintf(b.out, "| %s | %d | %.0f | %.1f %% | %.2f | %.2f | %.2f | %.2f + %.2f |\n", p.name, clients, u.rate, 100*u.share,
				percentile(u.added, 50), percentile(u.added, 99), percentile(u.inner, 50), u.cpu[0], u.cpu[1])
			if err := p.service.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}
