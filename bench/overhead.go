package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	hailo "hailo-depth/device"
	"hailo-depth/internal/stack"
	"hailo-depth/tensor"
)

// overhead measures what the manager adds to an inference: from the client's
// call to its return, less the time inside the device's library. It includes
// the socket, base64 and JSON both ways, the worker's channel and the copies.
func (b *bench) overhead(ctx context.Context, s *stack.Stack, d device) error {
	model := hailo.Model{Type: "depth", Path: filepath.Join(b.models, d.model+".hef")}
	if d.backend == "onnx" {
		model.Path = filepath.Join(b.models, d.model+".onnx")
		model.Params = jsontext.Value(`{"input_shapes": {"image": [1, 256, 320, 3]}}`)
	}
	input := tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{1, 256, 320, 3}, Data: make([]byte, 256*320*3)}
	client := &hailo.Client{Path: s.Socket}
	defer func() { _ = client.Close() }() // idle connections
	for _, clients := range []int{1, 4} {
		var mu sync.Mutex
		var added []float64
		var failure error
		end := time.Now().Add(b.measure)
		var group sync.WaitGroup
		for range clients {
			group.Go(func() {
				for time.Now().Before(end) {
					began := time.Now()
					r, err := client.Infer(ctx, model, hailo.Input{Input: &input})
					total := time.Since(began)
					mu.Lock()
					if err != nil {
						failure = err
					} else {
						added = append(added, ms(total-r.Timing.Library-r.Timing.Queue))
					}
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
		group.Wait()
		if failure != nil {
			return failure
		}
		fmt.Fprintf(b.out, "The manager adds to an inference (%d clients on the socket, queueing apart): p50 %.2f ms, p99 %.2f ms\n",
			clients, percentile(added, 50), percentile(added, 99))
	}
	return nil
}
