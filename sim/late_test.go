package sim

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/worker"
)

// TestMemoryThatComesBackLate is in use until it has.
func TestMemoryThatComesBackLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, "MEMORY_MB=1", "RELEASE_MS=300")
		path := sized(t, "a.hef", 1<<19)
		for i := range 2 {
			n, err := d.Load(worker.LoadSpec{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			if err := n.Close(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(100*i) * time.Millisecond)
		}
		// At 0 ms both were unloaded; it is 100 ms now.
		_, err := d.Load(worker.LoadSpec{Path: path})
		if got := statuses(t, 1, func() error { return err }); !slices.Equal(got, []int{81}) {
			t.Errorf("a full device answered %v", err)
		}
		for _, want := range []int64{1 << 20, 0} {
			if got := d.Statistics().MemoryUsedBytes; got != want {
				t.Errorf("%d bytes in use, want %d", got, want)
			}
			time.Sleep(200 * time.Millisecond)
		}
		if _, err := d.Load(worker.LoadSpec{Path: sized(t, "b.hef", 1<<20)}); err != nil {
			t.Error(err)
		}
	})
}

func TestMemoryThatLeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, "MEMORY_MB=1", "RELEASE_MS=never")
		n, err := d.Load(worker.LoadSpec{Path: sized(t, "a.hef", 7)})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := d.Statistics().MemoryUsedBytes; got != 7 {
			t.Errorf("%d bytes in use after the unload", got)
		}
	})
}

// TestStuckJobs: the caller hears of the timeout when its time is up; the
// statistics tell of the job for as long as it goes on.
func TestStuckJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, "FAULTS=infer=stuck~2000@1,infer=stuck@2")
		n, err := d.Load(worker.LoadSpec{Path: modelPath(t, "a.hef", nil)})
		if err != nil {
			t.Fatal(err)
		}
		infer := func() error { _, err := n.Infer(time.Second); return err }
		began := time.Now()
		if got := statuses(t, 2, infer); !slices.Equal(got, []int{4, 4}) {
			t.Errorf("statuses %v", got)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("two timeouts of 1 s took %v", took)
		}
		for _, want := range []struct {
			jobs   int
			oldest int64
		}{{2, 1000}, {1, 60_000}} { // the first ends 2 s after 1 s
			s := d.Statistics()
			if s.UnfinishedJobs != want.jobs || s.OldestUnfinishedMS != want.oldest {
				t.Errorf("%d jobs, the oldest of %d ms; want %+v", s.UnfinishedJobs, s.OldestUnfinishedMS, want)
			}
			time.Sleep(time.Minute)
		}
	})
}
