package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hailo-depth/device"
)

// withWorker is a folder with the manager and a worker that is this script.
func withWorker(t *testing.T, script string) string {
	t.Helper()
	dir := shortDir(t)
	if err := os.Link(filepath.Join(bin, "hailo-device-manager"), filepath.Join(dir, "hailo-device-manager")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hailo-worker-sim"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A worker that dies while nothing runs costs at most the request that comes
// before the manager has noticed; the next one runs on a new worker.
func TestWorkerDiesIdle(t *testing.T) {
	d := start(t, "")
	d.mustInfer(t)
	d.await(t, "model loaded")
	for range 3 {
		w := d.worker(t)
		w.kill(t)
		w.ends(t)
		if err := d.infer(within(t), 50); err != nil && !strings.Contains(err.Error(), "the worker process died: signal: killed") {
			t.Errorf("the request after it got %v", err)
		}
		d.mustInfer(t)
		d.await(t, "device opened")
		d.await(t, "model loaded")
	}
	d.terminate(t, patience)
}

// It is replaced also when nobody asks for anything.
func TestWorkerIsReplacedUnasked(t *testing.T) {
	d := start(t, "")
	d.worker(t).kill(t)
	if line := d.await(t, "the worker is gone; models will be loaded again when next used"); !strings.Contains(line["cause"].(string), "signal: killed") {
		t.Errorf("the log says %v", line)
	}
	d.await(t, "device opened")
	d.mustInfer(t)
	d.terminate(t, patience)
}

// A worker that dies while it runs a request costs time, and no request: that one
// runs once more, and those that wait are not touched.
func TestWorkerDiesAtWork(t *testing.T) {
	d, inject := faulty(t, "infer=hang@2", "")
	d.await(t, "device opened")
	d.mustInfer(t)
	running := d.inBackground(t)
	d.await(t, "injected hang at infer 2")
	waiting := d.inBackground(t)
	d.queues(t, 1)
	inject("")
	d.worker(t).kill(t)
	if err := <-running; err != nil {
		t.Errorf("the request got %v (%s)", err, device.KindOf(err))
	}
	if err := <-waiting; err != nil {
		t.Errorf("the next request got %v", err)
	}
	d.await(t, "device opened")
	d.await(t, "model loaded")
	d.terminate(t, patience)
}

// A broken worker leaves the manager alive: requests are told why they fail,
// and so is whoever looks at its status.
func TestBrokenWorker(t *testing.T) {
	for _, c := range []struct{ name, script, why string }{
		{"exits at once", "echo no device here >&2; exit 3", `exit status 3 (its last words: \"no device here\")`},
		{"says what is no message", "printf garbage >&3; exec tail -f /dev/null", "signal: killed"},
		{"says what nobody asked", `head -c 1 <&3; printf '{"id":77}' >&3; printf '{"id":1}' >&3; exec tail -f /dev/null`, "it did not identify itself"},
		{"speaks another protocol", `head -c 1 <&3; printf '{"id":1,"identity":{"protocol":9}}' >&3; exec tail -f /dev/null`, "it speaks protocol 9; this manager speaks 1"},
		{"closes its channel", "exec 3>&-; exit 0", "exit status 0"},
		{"prints what is no text", `printf '\377\000\n' >&2; exit 1`, "exit status 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := launch(t, withWorker(t, c.script), "timeouts: {drain: 1s}\n")
			err := d.infer(within(t), 1)
			if device.KindOf(err) != device.KindUnavailable || !strings.Contains(err.Error(), "the device cannot be used") {
				t.Errorf("the request got %v", err)
			}
			if code, body := d.get(t, "/v1/device/status"); code != 200 || !strings.Contains(body, c.why) || !strings.Contains(body, `"runtime_broken_reason":"starting `) {
				t.Errorf("status %d: %s", code, body)
			}
			if code, body := d.get(t, "/readyz"); code != 503 || !strings.Contains(body, c.why) {
				t.Errorf("readyz %d: %s", code, body)
			}
			if code, _ := d.get(t, "/healthz"); code != 200 {
				t.Errorf("healthz %d: it must not be restarted for that", code)
			}
			if n := len(children(t, d.PID())); n > 1 {
				t.Errorf("%d workers are left", n)
			}
			d.terminate(t, deadline)
		})
	}
}

// The worker ends with its manager, whatever ends that, and whatever the worker
// does at the time.
func TestWorkerDoesNotOutliveItsManager(t *testing.T) {
	for _, c := range []struct{ name, script, faults, up string }{
		{"idle", "", "", "device opened"},
		{"hangs", "", "infer=hang", "injected hang at infer 1"},
		{"does not look at its channel", "echo here >&2; exec tail -f /dev/null", "", "here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			from := bin
			if c.script != "" {
				from = withWorker(t, c.script)
			}
			d := launch(t, from, "", "HAILO_SIM_FAULTS="+c.faults)
			outcome := make(<-chan error)
			if c.faults != "" {
				outcome = d.inBackground(t)
			}
			d.await(t, c.up)
			w := d.worker(t)
			if err := d.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-d.Ended()
			w.ends(t)
			if c.faults != "" && <-outcome == nil {
				t.Error("a hanging inference was answered")
			}
		})
	}
}
