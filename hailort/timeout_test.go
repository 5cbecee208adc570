//go:build hailort

package hailort

import (
	"testing"
	"time"

	"hailo-depth/worker"
)

// short is a limit that a job of the tests does not keep.
const short = 30 * time.Millisecond

// A job that is late is answered in time. It writes into its buffers when it
// ends; the next one has others, and its own answer.
func TestLateJob(t *testing.T) {
	script(t, "on job 2 delay 2000")
	b := open(t, Config{})
	r := load(t, b, worker.LoadSpec{Path: depth(t)})
	r.mustInfer(t, 1)
	began := time.Now()
	wantError(t, r.infer(t, 200, short), worker.KindTimeout, 4)
	if took := time.Since(began); took > 1500*time.Millisecond {
		t.Errorf("the answer came after %v", took)
	}
	if s := b.Statistics(); s.UnfinishedJobs != 1 {
		t.Errorf("%d unfinished jobs, want 1", s.UnfinishedJobs)
	}
	r.mustInfer(t, 3) // in other buffers
	eventually(t, "the oldest is counted by its age", func() bool { return b.Statistics().OldestUnfinishedMS > 20 })
	eventually(t, "the late one ends", func() bool { return b.Statistics().UnfinishedJobs == 0 })
	if got := b.Statistics().OldestUnfinishedMS; got != 0 {
		t.Errorf("the oldest is %d ms old, of none", got)
	}
	for i, v := range r.floats(0) { // the late answer has not touched the last one
		if want := (float32(18*3+i) - 5) * 0.25; v != want {
			t.Errorf("output %d became %v, was %v", i, v, want)
		}
	}
	r.mustInfer(t, 4)
	r.unload(t)
	if n := counted(t, "calls.ConfiguredInferModel::shutdown"); n != 0 { // what has ended is kept no longer
		t.Errorf("%d aborts of nothing", n)
	}
}

// More late jobs than the queue holds: the next waits for room, in its own time.
func TestFullQueue(t *testing.T) {
	script(t, "on job 1-2 delay 3000")
	b := open(t, Config{})
	r := load(t, b, worker.LoadSpec{Path: depth(t, "queue 2")})
	for range 3 {
		wantError(t, r.infer(t, 1, short), worker.KindTimeout, 4)
	}
	if n := b.Statistics().UnfinishedJobs; n != 2 {
		t.Errorf("%d unfinished jobs, want 2", n)
	}
	r.mustInfer(t, 5)
	if n := counted(t, "calls.ConfiguredInferModel::run_async"); n != 3 {
		t.Errorf("%d jobs were submitted, want 3", n)
	}
	r.unload(t)
}

// A model is not destroyed under a job: the job is aborted first.
func TestUnloadWithALateJob(t *testing.T) {
	script(t, "on job 1 delay 60000")
	b := open(t, Config{})
	r := load(t, b, worker.LoadSpec{Path: depth(t)})
	wantError(t, r.infer(t, 1, short), worker.KindTimeout, 4)
	r.unload(t)
	if n := counted(t, "alive.ConfiguredInferModel"); n != 0 {
		t.Errorf("%d models are alive", n)
	}
	if n := b.Statistics().UnfinishedJobs; n != 0 {
		t.Errorf("%d unfinished jobs", n)
	}
}

// A job that ends by itself, after the abort failed, is waited for.
func TestUnloadWhenTheAbortFails(t *testing.T) {
	script(t, "on job 1 delay 150", "on ConfiguredInferModel::shutdown 1 status 4")
	r := load(t, open(t, Config{}), worker.LoadSpec{Path: depth(t)})
	wantError(t, r.infer(t, 1, short), worker.KindTimeout, 4)
	r.unload(t)
}

// A job that never ends keeps its model and its buffers, and is told of, so that
// the manager replaces the worker. The others go on.
func TestJobThatNeverEnds(t *testing.T) {
	script(t, "on job 1 never")
	b := mustOpen(t, Config{})
	b.patience.abort = 300 * time.Millisecond
	r := load(t, b, worker.LoadSpec{Path: depth(t)})
	wantError(t, r.infer(t, 1, short), worker.KindTimeout, 4)
	r.mustInfer(t, 2) // there is more room in the queue
	other := load(t, b, worker.LoadSpec{Path: depth(t)})
	other.mustInfer(t, 3)
	other.unload(t)

	wantError(t, r.Close(), worker.KindTimeout, 4)
	if n := counted(t, "alive.ConfiguredInferModel"); n != 1 {
		t.Errorf("%d models are alive, want 1: the job still has its memory", n)
	}
	before := b.Statistics()
	if before.UnfinishedJobs != 1 || before.OldestUnfinishedMS < 100 {
		t.Errorf("got %+v", before)
	}
	eventually(t, "it grows older", func() bool { return b.Statistics().OldestUnfinishedMS > before.OldestUnfinishedMS })
	wantError(t, b.Close(), worker.KindTimeout, 4) // and frees nothing
	if n := counted(t, "alive.VDevice"); n != 1 {
		t.Errorf("%d devices are open, want 1", n)
	}

	// Only the end of the connection ends it: on a device that is the end of this
	// process, here it makes room for the other tests.
	change(t, "on Device::scan 1+ lose")
	if _, err := Scan(); err != nil {
		t.Error(err)
	}
	eventually(t, "it has ended", func() bool { return b.Statistics().UnfinishedJobs == 0 })
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := b.shutAgain(); err != nil {
		t.Error(err)
	}
	nothingLeft(t)
}

// A shut down model cannot be configured again while a job is on it.
func TestShutDownWithAJob(t *testing.T) {
	script(t, "on job 1 delay 3000", "on job 2 status 63")
	b := open(t, Config{})
	r := load(t, b, worker.LoadSpec{Path: depth(t)})
	wantError(t, r.infer(t, 1, short), worker.KindTimeout, 4)
	wantError(t, r.infer(t, 2, time.Minute), worker.KindAborted, 63)
	wantError(t, r.infer(t, 3, time.Minute), worker.KindAborted, 63)
	eventually(t, "the job ends", func() bool { return b.Statistics().UnfinishedJobs == 0 })
	r.mustInfer(t, 4)
	r.unload(t)
}

// The connection is lost in the middle of a job, and before one.
func TestConnectionLost(t *testing.T) {
	script(t, "on job 1 delay 60000")
	b := mustOpen(t, Config{})
	r := load(t, b, worker.LoadSpec{Path: depth(t)})
	ended := make(chan error)
	go func() { ended <- r.infer(t, 2, time.Minute) }()
	eventually(t, "the job is under way", func() bool { return counted(t, "calls.job") == 1 })
	change(t, "on Device::scan 1+ lose")
	if _, err := Scan(); err != nil {
		t.Error(err)
	}
	wantError(t, <-ended, worker.KindLost, 62)
	wantError(t, r.infer(t, 3, time.Minute), worker.KindLost, 62)
	_, err := b.Load(worker.LoadSpec{Path: depth(t)})
	wantError(t, err, worker.KindLost, 62)
	r.unload(t)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	// A new connection finds the device empty.
	change(t)
	load(t, open(t, Config{}), worker.LoadSpec{Path: depth(t)}).unload(t)
}
