//go:build hailort

package main

import (
	"context"
	"testing"

	"hailo-depth/device"
	"hailo-depth/tensor"
)

// A job that never ends keeps its buffers in the worker; the worker is replaced.
func TestJobThatNeverEnds(t *testing.T) {
	t.Parallel()
	d := start(t, "timeouts: {infer: 1500ms, unfinished: 1s}\n", "on job 2 never")
	m := depth(t)
	d.mustInfer(t, m, 1)
	wantKind(t, d.infer(within(t), m, 2), device.KindTimeout, "did not end within 1.5s")
	d.mustInfer(t, m, 3) // beside it
	d.script(t)
	d.await(t, "device opened")
	d.mustInfer(t, m, 4)
	d.leavesNothing(t)
}

// Whatever hangs in the library is ended by the manager, which kills the worker;
// the next request has a new one.
func TestHangsAreEnded(t *testing.T) {
	audio := tensor.Tensor{DType: tensor.Float32, Shape: tensor.Shape{4}, Data: make([]byte, 16)}
	for _, c := range []struct {
		name, config, rule string
		model              func(t *testing.T) device.Model
		in                 device.Input
	}{
		{"in a load", "timeouts: {load: 1500ms}\n", "on VDevice::create_infer_model 1 hang",
			func(t *testing.T) device.Model { return depth(t) }, device.Input{Input: picture(1)}},
		{"in a configuration", "timeouts: {load: 1500ms}\n", "on InferModel::configure 1 hang",
			func(t *testing.T) device.Model { return depth(t) }, device.Input{Input: picture(1)}},
		{"in a submission", "timeouts: {infer: 500ms}\n", "on ConfiguredInferModel::run_async 1 hang",
			func(t *testing.T) device.Model { return depth(t) }, device.Input{Input: picture(1)}},
		{"in the encoding of pictures", "types: {vlm_chat: {token_timeout: 1500ms}}\n", "on VLM::generate 1 hang",
			func(t *testing.T) device.Model { return vlm(t) }, asked(*picture(1))},
		{"in a token", "types: {vlm_chat: {token_timeout: 1500ms}}\n", "on token 2 never",
			func(t *testing.T) device.Model { return vlm(t) }, asked(*picture(1))},
		{"in speech", "types: {whisper: {infer_timeout: 1500ms, token_timeout: 1s}}\n", "on Speech2Text::generate_all_segments 1 hang",
			func(t *testing.T) device.Model { return model(t, "whisper", "queue 1") }, device.Input{Audio: &audio}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := start(t, c.config, c.rule)
			m := c.model(t)
			_, err := d.client.Infer(within(t), m, c.in)
			if kind := device.KindOf(err); kind != device.KindTimeout {
				t.Errorf("got %v (%s)", err, kind)
			}
			d.script(t)
			eventually(t, "it works", func() bool {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				_, err := d.client.Infer(ctx, m, c.in)
				return err == nil
			})
			d.leavesNothing(t)
		})
	}
}
