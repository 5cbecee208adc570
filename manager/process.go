package manager

import (
	"context"
	"log/slog"

	"hailo-depth/worker"
)

// StartProcess returns the Options.Start that runs command as the worker.
func StartProcess(command worker.Command, log *slog.Logger) func(context.Context) (Worker, error) {
	return func(ctx context.Context) (Worker, error) {
		p, err := worker.Start(ctx, command, log)
		if err != nil {
			return nil, err
		}
		return process{p}, nil
	}
}

// process is a worker.Process as a Worker.
type process struct{ *worker.Process }

func (p process) Load(ctx context.Context, spec worker.LoadSpec) (Network, error) {
	n, err := p.Process.Load(ctx, spec)
	if err != nil {
		return nil, err
	}
	return n, nil
}
