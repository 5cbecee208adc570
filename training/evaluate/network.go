package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"hailo-depth/accuracy"
	"hailo-depth/backend"
	"hailo-depth/catalog"
	"hailo-depth/depth"
	"hailo-depth/manager"
)

// predict makes a map, larger nearer, of a picture file of the given size, and
// tells how long the device took.
type predict func(ctx context.Context, file []byte, width, height int) ([]float32, time.Duration, error)

func ramp(_ context.Context, _ []byte, width, height int) ([]float32, time.Duration, error) {
	return accuracy.Ramp(width, height), 0, nil
}

// network lets do use a network of a folder, in a manager of its own.
func network(ctx context.Context, bin, name, dir string, threads int, do func(predict) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	program, err := filepath.Abs(filepath.Join(bin, "evaluate"))
	if err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	choice, err := backend.Machine{Program: program, Dev: os.DirFS("/dev")}.Find(backend.Options{Name: backend.ONNX, Threads: threads})
	if err != nil {
		return err
	}
	m, err := manager.New(manager.Options{Limits: manager.DefaultLimits(), Start: manager.StartProcess(choice.Command, log), Log: log})
	if err != nil {
		return err
	}
	managed := make(chan error, 1)
	go func() { managed <- m.Run(ctx) }()
	estimator := depth.New(depth.Options{
		Device: m, Catalog: catalog.Catalog{Dir: dir}, Model: name, KeepAlive: -1, Log: log,
		Limits: depth.Limits{Pictures: 1, Queue: 1, MaxPixels: 64e6, WorkPixels: 64e6},
	})
	go estimator.Run(ctx)
	ready, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	err = estimator.AwaitReady(ready)
	if err == nil {
		kind := accuracy.Kind(estimator.State().Model.Output.Meaning)
		err = do(func(ctx context.Context, file []byte, _, _ int) ([]float32, time.Duration, error) {
			r, err := estimator.Estimate(ctx, depth.Request{Data: file})
			if err != nil {
				return nil, 0, err
			}
			values, err := accuracy.InverseDepth(r.Map.Values, kind)
			return values, r.Timing.Infer, err
		})
	}
	cancel()
	return errors.Join(err, <-managed)
}
