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

// bothWays runs a test without and with a request that the worker has before the
// one that runs has ended. begin starts requests until one waits in the queue.
func bothWays(t *testing.T, test func(t *testing.T, lines string, begin func(*running) []<-chan error)) {
	t.Helper()
	for lines, more := range map[string]int{"scheduling: {overlap: false}\n": 1, "scheduling: {overlap: true}\n": 2} {
		t.Run(strings.TrimSpace(lines), func(t *testing.T) {
			test(t, lines, func(d *running) (outcomes []<-chan error) {
				for range more {
					outcomes = append(outcomes, d.inBackground(t))
				}
				d.queues(t, 1)
				return outcomes
			})
		})
	}
}

// A request that is under way is finished and answered; those that wait too.
func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	bothWays(t, func(t *testing.T, lines string, begin func(*running) []<-chan error) {
		d := start(t, lines, "HAILO_SIM_LATENCY_MS=300")
		outcomes := []<-chan error{d.inBackground(t)}
		d.await(t, "model loaded") // by the request, which still holds the device
		outcomes = append(outcomes, begin(d)...)
		if err := d.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		d.await(t, "stopping")
		for i, outcome := range outcomes {
			if err := <-outcome; err != nil {
				t.Errorf("request %d got %v", i, err)
			}
		}
		if err := d.infer(within(t), 1); err == nil {
			t.Error("a request was taken after the end")
		}
		d.ends(t, 15*time.Second)
	})
}

// A worker that hangs is killed when the time for draining is over; the requests
// are told why.
func TestStopWithAWorkerThatHangs(t *testing.T) {
	bothWays(t, func(t *testing.T, lines string, begin func(*running) []<-chan error) {
		d := start(t, lines+"timeouts: {drain: 300ms}\n", "HAILO_SIM_FAULTS=infer=hang")
		w := d.worker(t)
		outcomes := []<-chan error{d.inBackground(t)}
		d.await(t, "injected hang at infer 1")
		outcomes = append(outcomes, begin(d)...)
		d.terminate(t, deadline)
		for i, outcome := range outcomes {
			if err := <-outcome; err == nil || !strings.Contains(err.Error(), "the device manager is shutting down") {
				t.Errorf("request %d got %v", i, err)
			}
		}
		w.ends(t)
	})
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
