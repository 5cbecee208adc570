package main

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// deadline is that of daemons whose configuration says "timeouts: {drain: 1s}":
// the worker has 5 s to close the device. The backstop, which would end the
// process with a failure, comes 5 s later.
const deadline = 6 * time.Second

func TestStopsWhenIdle(t *testing.T) {
	d := start(t, "timeouts: {drain: 1s}\n")
	w := d.worker(t)
	d.mustInfer(t)
	d.terminate(t, deadline)
	w.ends(t)
}

// alone keeps a request in the queue while another of its model runs.
const alone = "scheduling: {overlap: false}\n"

// A request that is under way is finished and answered; one that waits too.
func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	d := start(t, alone, "HAILO_SIM_LATENCY_MS=300")
	running := d.inBackground(t)
	d.await(t, "model loaded") // by the request, which still holds the device
	waiting := d.inBackground(t)
	d.queues(t, 1)
	if err := d.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	d.await(t, "stopping")
	for what, outcome := range map[string]<-chan error{"under way": running, "that waited": waiting} {
		if err := <-outcome; err != nil {
			t.Errorf("the request %s got %v", what, err)
		}
	}
	if err := d.infer(within(t), 1); err == nil {
		t.Error("a request was taken after the end")
	}
	d.ends(t, 15*time.Second)
}

// A worker that hangs is killed when the time for draining is over; the request
// is told why.
func TestStopWithAWorkerThatHangs(t *testing.T) {
	d := start(t, alone+"timeouts: {drain: 300ms}\n", "HAILO_SIM_FAULTS=infer=hang")
	w := d.worker(t)
	running := d.inBackground(t)
	d.await(t, "injected hang at infer 1")
	waiting := d.inBackground(t)
	d.queues(t, 1)
	d.terminate(t, deadline)
	for _, outcome := range []<-chan error{running, waiting} {
		if err := <-outcome; err == nil || !strings.Contains(err.Error(), "the device manager is shutting down") {
			t.Errorf("the answer is %v", err)
		}
	}
	w.ends(t)
}

// Opening a device may take long; nobody waits for it at the end.
func TestStopsWhileTheDeviceIsBeingOpened(t *testing.T) {
	d := launch(t, withWorker(t, "echo opening >&2; exec tail -f /dev/null"), "timeouts: {drain: 300ms}\n")
	d.await(t, "opening")
	w := d.worker(t)
	d.terminate(t, deadline)
	w.ends(t)
}

// Whoever does not want to wait for the end sends a second signal.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	d := start(t, "timeouts: {drain: 10m}\n", "HAILO_SIM_FAULTS=infer=hang")
	w := d.worker(t)
	running := d.inBackground(t)
	d.await(t, "injected hang at infer 1")
	if err := d.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	d.await(t, "stopping")
	// It says so a moment before it lets the next signal through.
	for late := time.After(patience); !d.ended(); {
		if err := d.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case <-d.Ended():
		case <-time.After(10 * time.Millisecond):
		case <-late:
			t.Fatal("it goes on finishing")
		}
	}
	if d.ExitCode() != -1 {
		t.Errorf("exit code %d, want death by the signal", d.ExitCode())
	}
	if err := <-running; err == nil {
		t.Error("a hanging inference was answered")
	}
	w.ends(t)
}

func (d *running) ended() bool {
	select {
	case <-d.Ended():
		return true
	default:
		return false
	}
}
