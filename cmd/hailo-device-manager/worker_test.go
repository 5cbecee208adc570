package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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

// A worker that dies while nothing runs costs nobody anything: the next request
// runs on a new worker, also when it comes before the manager has noticed.
func TestWorkerDiesIdle(t *testing.T) {
	d := start(t, "")
	d.mustInfer(t)
	d.await(t, "model loaded")
	for range 3 {
		w := d.worker(t)
		w.kill(t)
		w.ends(t)
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

// A worker that dies at work costs time, and no request: the one that ran runs
// again, those that waited run after it.
func TestWorkerDiesAtWork(t *testing.T) {
	const rounds, waiting = 3, 5
	d, inject := faulty(t, "", "")
	d.await(t, "device opened")
	d.mustInfer(t)
	served := 1 // by the present worker
	for range rounds {
		inject(fmt.Sprintf("infer=hang@%d", served+1))
		outcomes := []<-chan error{d.inBackground(t)}
		d.await(t, fmt.Sprintf("injected hang at infer %d", served+1))
		for range waiting {
			outcomes = append(outcomes, d.inBackground(t))
		}
		d.queues(t, waiting-1) // one is with the worker already
		inject("")
		d.worker(t).kill(t)
		for i, outcome := range outcomes {
			if err := <-outcome; err != nil {
				t.Errorf("request %d got %v", i, err)
			}
		}
		served = len(outcomes)
	}
	if n := d.figure(t, `hailo_device_retries_total{cause="worker_died",model_type="depth"}`); n != rounds {
		t.Errorf("%v requests ran again, want %d", n, rounds)
	}
	d.terminate(t, patience)
}

// A request under which two workers die is told so: it may be what kills them.
func TestRequestThatKillsIsNotRetriedTwice(t *testing.T) {
	d := start(t, "", "HAILO_SIM_FAULTS=infer=crash@1")
	err := d.infer(within(t), 9)
	if device.KindOf(err) != device.KindUnavailable || device.ReasonOf(err) != device.ReasonBackend || !strings.Contains(err.Error(), "the worker process died") {
		t.Errorf("the request got %v (%s, %s)", err, device.KindOf(err), device.ReasonOf(err))
	}
	if n := d.figure(t, `hailo_device_retries_total{cause="worker_died",model_type="depth"}`); n != 1 {
		t.Errorf("it ran again %v times", n)
	}
	line := d.await(t, "request")
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	if client, ok := line["client"].(string); !ok || !strings.HasSuffix(client+"\n", "/"+string(comm)) {
		t.Errorf("the client is %v, this program %s", line["client"], comm)
	}
	if line["outcome"] != "backend" || line["action"] != "infer" || line["model"] != "model.hef" || line["priority"] != 5.0 {
		t.Errorf("the log says %v", line)
	}
	d.terminate(t, patience)
}

// Who leaves a running inference of a type that is configured so frees the device.
func TestKilledWhenAbandoned(t *testing.T) {
	d := start(t, "scheduling: {kill_abandoned: [depth]}\n", "HAILO_SIM_FAULTS=infer=hang@2")
	d.mustInfer(t)
	hangs := d.worker(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err := d.infer(ctx, 3)
	if device.KindOf(err) != device.KindTimeout || device.ReasonOf(err) != device.ReasonExpired {
		t.Errorf("the request got %v (%s, %s)", err, device.KindOf(err), device.ReasonOf(err))
	}
	hangs.ends(t)
	d.mustInfer(t)
	// The manager may see the client hang up just before the deadline passes.
	expired := d.figure(t, `hailo_device_requests_total{action="infer",model_type="depth",outcome="timeout",reason="expired"}`)
	left := d.figure(t, `hailo_device_requests_total{action="infer",model_type="depth",outcome="canceled",reason="cancelled"}`)
	if expired+left != 1 {
		t.Errorf("%v requests expired, %v were left", expired, left)
	}
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
