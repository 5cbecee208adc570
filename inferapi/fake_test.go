package inferapi_test

import (
	"context"

	"hailo-depth/device"
)

// fake is a manager that answers as a test says.
type fake struct {
	infer  func(ctx context.Context, m device.Model, in device.Input) (device.Result, error)
	check  error
	status device.Status
	ready  string
	stuck  bool

	overview device.Overview
	load     func(ctx context.Context)
	pin      func(m device.Model, pinned bool)
}

func (f *fake) Check(device.Model) error { return f.check }

func (f *fake) Load(ctx context.Context, _ device.Model) (device.Loaded, error) {
	if f.load != nil {
		f.load(ctx)
	}
	return device.Loaded{Already: true}, f.check
}

func (f *fake) Infer(ctx context.Context, m device.Model, in device.Input) (device.Result, error) {
	return f.infer(ctx, m, in)
}

func (f *fake) Unload(context.Context, device.Model) (bool, error) { return true, f.check }

func (f *fake) Status(context.Context) (device.Status, error) { return f.status, nil }

func (f *fake) Ready() string { return f.ready }

func (f *fake) Alive(context.Context) bool { return !f.stuck }

func (f *fake) Overview(context.Context) device.Overview { return f.overview }

func (f *fake) Pin(_ context.Context, m device.Model, pinned bool) error {
	f.pin(m, pinned)
	return nil
}
