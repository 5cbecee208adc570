//go:build hailort

package main

import (
	"fmt"
	"testing"
	"time"

	"hailo-depth/device"
)

// limited is a manager's configuration with a short limit for an inference.
const limited = "timeouts: {infer: 1500ms}\n"

// A job that is late: the client is told in time, and the next one gets its own
// answer, also when the late one writes into its buffers.
func TestLateJob(t *testing.T) {
	t.Parallel()
	d := start(t, limited, "on job 2 delay 4000")
	m := depth(t)
	d.mustInfer(t, m, 1)
	began := time.Now()
	wantKind(t, d.infer(within(t), m, 200), device.KindTimeout, "did not end within 1.5s")
	if took := time.Since(began); took > 3500*time.Millisecond {
		t.Errorf("it was told after %v", took)
	}
	for i := 0; time.Since(began) < 4500*time.Millisecond; i++ { // until after the late one has ended
		d.mustInfer(t, m, byte(i))
	}
	if n := d.counted(t, "calls.VDevice::create_shared"); n != 1 {
		t.Errorf("the device was opened %d times: the worker did not live", n)
	}
	d.leavesNothing(t)
}

// A model is unloaded under a job that is late.
func TestUnloadUnderALateJob(t *testing.T) {
	t.Parallel()
	d := start(t, limited, "on job 1 delay 60000")
	m := depth(t)
	wantKind(t, d.infer(within(t), m, 1), device.KindTimeout)
	if _, err := d.client.Unload(within(t), m); err != nil {
		t.Error(err)
	}
	d.mustInfer(t, m, 2)
	d.leavesNothing(t)
}

// The statuses that a job can end with reach the client as what they mean.
func TestJobStatuses(t *testing.T) {
	for status, kind := range map[int]device.Kind{2: device.KindInvalid, 6: device.KindInvalid} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			d := start(t, "", fmt.Sprintf("on job 1 status %d", status))
			m := depth(t)
			wantKind(t, d.infer(within(t), m, 1), kind, fmt.Sprintf("(%d)", status))
			d.mustInfer(t, m, 2)
			if n := d.counted(t, "calls.VDevice::create_shared"); n != 1 {
				t.Errorf("the device was opened %d times", n)
			}
			d.leavesNothing(t)
		})
	}
}

// A job whose callback says that the device is lost is run again on a new
// connection, and the client sees nothing of it.
func TestLostJob(t *testing.T) {
	for _, c := range []struct{ name, rule string }{
		{"62", "on job 2 status 62"},
		{"87", "on job 2 status 87"},
		{"the chip's server dies", "on ConfiguredInferModel::wait_for_async_ready 2 lose"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := start(t, "", c.rule)
			m := depth(t)
			d.mustInfer(t, m, 1)
			d.mustInfer(t, m, 2)
			d.await(t, "device opened")
			d.mustInfer(t, m, 3)
			d.leavesNothing(t)
		})
	}
}

// The same with the chip's server dying while the job runs.
func TestLostUnderAJob(t *testing.T) {
	t.Parallel()
	d := start(t, "", "on job 2 delay 60000", "on Device::get_chip_temperature 2 lose") // some seconds after the start
	m := depth(t)
	d.mustInfer(t, m, 1)
	d.mustInfer(t, m, 2)
	d.script(t)
	d.await(t, "device opened")
	d.mustInfer(t, m, 3)
	d.leavesNothing(t)
}

// A model that was shut down under its job works again.
func TestShutDownModel(t *testing.T) {
	t.Parallel()
	d := start(t, "", "on job 2 status 63")
	m := depth(t)
	d.mustInfer(t, m, 1)
	eventually(t, "it works again", func() bool { return d.infer(within(t), m, 2) == nil })
	d.mustInfer(t, m, 3)
	d.leavesNothing(t)
}

// An exception in the library is an error of the request, not the end of the worker.
func TestException(t *testing.T) {
	t.Parallel()
	d := start(t, "", "on ConfiguredInferModel::wait_for_async_ready 2 throw", "on VDevice::create_infer_model 2 throw")
	m := depth(t)
	d.mustInfer(t, m, 1)
	wantKind(t, d.infer(within(t), m, 2), device.KindInternal, "threw an exception")
	wantKind(t, d.infer(within(t), depth(t), 2), device.KindInternal, "threw an exception")
	d.mustInfer(t, m, 3)
	if n := d.counted(t, "calls.VDevice::create_shared"); n != 1 {
		t.Errorf("the device was opened %d times", n)
	}
	d.leavesNothing(t)
}

// Destructors that lose their answer are waited for beside the requests.
func TestSlowDestructor(t *testing.T) {
	t.Parallel()
	d := start(t, "", "set control_timeout_ms 8000", "on ConfiguredInferModel::~ConfiguredInferModel 1 false_timeout")
	m := depth(t)
	d.mustInfer(t, m, 1)
	began := time.Now()
	if _, err := d.client.Unload(within(t), m); err != nil {
		t.Error(err)
	}
	d.mustInfer(t, depth(t), 2)
	if took := time.Since(began); took > 7500*time.Millisecond {
		t.Errorf("it took %v: the request waited for the destructor", took)
	}
	d.terminate(t)
}
