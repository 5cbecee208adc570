package manager

import (
	"testing"
	"time"
)

// TestUnfinishedJobs: a worker whose library keeps the buffers of a job is
// replaced once it has for too long, not before, and not if it ends after all.
func TestUnfinishedJobs(t *testing.T) {
	limits := func(l *Limits) { l.Unfinished = 30 * time.Second }
	stuck := func(r *rig, since time.Time) {
		r.device.mu.Lock()
		defer r.device.mu.Unlock()
		r.device.stuck = since
	}
	inBubble(t, 30, limits, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.events()
		stuck(r, time.Now())
		time.Sleep(25 * time.Second)
		if n := r.metric(t, "hailo_device_unfinished_jobs"); n != 1 {
			t.Errorf("%v unfinished jobs counted", n)
		}
		stuck(r, time.Time{})
		time.Sleep(time.Minute)
		r.expectEvents(t)
		stuck(r, time.Now())
		time.Sleep(29 * time.Second)
		r.expectEvents(t)
		if err := r.infer(t.Context(), "a10"); err != nil { // the rest goes on meanwhile
			t.Error(err)
		}
		time.Sleep(time.Minute)
		r.expectEvents(t, "infer a10", "kill", "start")
		if n := r.metric(t, "hailo_device_worker_restarts_total", "reason=unfinished"); n != 1 {
			t.Errorf("%v restarts counted", n)
		}
		if err := r.infer(t.Context(), "a10"); err != nil {
			t.Error(err)
		}
	})
}

// TestUnfinishedJobThatEndsInTime: when its replacement's turn comes, the worker
// has nothing left to be replaced for.
func TestUnfinishedJobThatEndsInTime(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.events()
		r.device.mu.Lock()
		r.device.took = 20 * time.Second
		r.device.mu.Unlock()
		set := func(stuck time.Time) {
			r.device.mu.Lock()
			defer r.device.mu.Unlock()
			r.device.stuck = stuck
		}
		set(time.Now().Add(-25 * time.Second))
		done := make(chan error)
		go func() { done <- r.infer(t.Context(), "a10") }() // holds the device for 20 s; the limit passes after 5
		time.Sleep(15 * time.Second)                        // a reading has told, and the replacement waits
		if n := r.metric(t, "hailo_device_unfinished_jobs"); n != 1 {
			t.Errorf("%v unfinished jobs counted", n)
		}
		set(time.Time{})
		if err := <-done; err != nil {
			t.Error(err)
		}
		r.expectEvents(t, "infer a10")
		time.Sleep(time.Minute)
		r.expectEvents(t)
	})
}
