package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	hailo "hailo-depth/device"
	"hailo-depth/internal/stack"
)

// recoveries is how often the worker is killed.
const recoveries = 100

// recovery kills the worker again and again and measures from each kill to the
// next answer: the worker's death is noticed, the next one started, the device
// opened and the model loaded meanwhile.
func (b *bench) recovery(ctx context.Context, s *stack.Stack, d device) (err error) {
	client := &hailo.HTTPClient{Path: s.APISocket}
	defer func() { err = errors.Join(err, client.Close()) }()
	model, input := b.inference(d)
	if _, err := client.Infer(ctx, model, input); err != nil {
		return err
	}
	var took []float64
	for range recoveries {
		processes, err := findProcesses(s)
		if err != nil {
			return err
		}
		worker, err := os.FindProcess(processes[2].pid)
		if err != nil {
			return err
		}
		killed := time.Now()
		if err := worker.Kill(); err != nil {
			return err
		}
		if _, err := client.Infer(ctx, model, input); err != nil {
			return fmt.Errorf("the request after the kill: %w", err)
		}
		took = append(took, ms(time.Since(killed)))
	}
	fmt.Fprintf(b.out, "\nFrom SIGKILL of the worker to the next answer, %d times: p50 %.0f ms, most %.0f ms.\n",
		recoveries, percentile(took, 50), slices.Max(took))
	return nil
}
