package manager

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"hailo-depth/device"
)

// queue hands the device to one job at a time. Its goroutine (run) owns the
// list of waiting jobs; everybody else talks to it through channels.
type queue struct {
	limit   int
	events  chan any      // submission, cancellation, completion, drain
	stopped chan struct{} // closed when run has returned
	depth   atomic.Int64  // requests that wait, for status calls
}

// job is one use of the device.
type job struct {
	ctx    context.Context // of whoever asked; a job whose context ended is not started
	run    func()
	urgent bool // goes to the head: the manager's own repairs
	since  time.Time
	refuse chan error    // buffered; the job will not run
	done   chan struct{} // closed when run has returned
}

type (
	submission   struct{ job *job }
	cancellation struct{ job *job }
	completion   struct{ job *job }
	// drain stops the intake; idle is closed when the last job has ended.
	drain struct{ idle chan struct{} }
	// probe is answered by the loop and proves that it turns.
	probe struct{ alive chan struct{} }
)

func newQueue(limit int) *queue {
	return &queue{limit: limit, events: make(chan any), stopped: make(chan struct{})}
}

// retryBusy is how soon a full queue is worth another try.
const retryBusy = time.Second

var errStopping = &device.Error{Kind: device.KindUnavailable, RetryAfter: 2 * time.Second, Message: "the device manager is shutting down"}

// run is the owner's loop. When ctx ends, jobs still waiting and new ones are
// refused; the loop ends with the job that is running.
func (q *queue) run(ctx context.Context) {
	defer close(q.stopped)
	var waiting []*job
	var running *job
	draining := false
	var idle chan struct{} // whom to tell when the last job of a drain has ended
	end := ctx.Done()      // nil: it has come
	for end != nil || running != nil {
		select {
		case <-end:
			for _, j := range waiting {
				j.refuse <- errStopping
			}
			waiting, draining, end = nil, true, nil
		case event := <-q.events:
			switch e := event.(type) {
			case submission:
				switch {
				case draining:
					e.job.refuse <- errStopping
				case len(waiting) >= q.limit && !e.job.urgent:
					e.job.refuse <- &device.Error{Kind: device.KindBusy, RetryAfter: retryBusy,
						Message: fmt.Sprintf("the device's queue is full: %d requests wait", len(waiting))}
				case e.job.urgent:
					waiting = append([]*job{e.job}, waiting...)
				default:
					waiting = append(waiting, e.job)
				}
			case cancellation:
				waiting = without(waiting, e.job)
			case completion:
				running = nil
			case drain:
				draining, idle = true, e.idle
			case probe:
				close(e.alive)
			}
		}
		var start *job
		for running == nil && len(waiting) > 0 {
			j := waiting[0]
			waiting = waiting[1:]
			if j.ctx.Err() != nil {
				continue // its caller has left or is leaving
			}
			running, start = j, j
		}
		q.depth.Store(requests(waiting)) // before the job, which may look
		if start != nil {
			go func() {
				start.run()
				close(start.done)
				q.send(completion{start})
			}()
		}
		if idle != nil && running == nil {
			close(idle)
			idle = nil
		}
	}
}

// requests counts the jobs that clients wait for.
func requests(jobs []*job) (n int64) {
	for _, j := range jobs {
		if !j.urgent {
			n++
		}
	}
	return n
}

func without(jobs []*job, gone *job) []*job {
	kept := jobs[:0:0]
	for _, j := range jobs {
		if j != gone {
			kept = append(kept, j)
		}
	}
	return kept
}

// send delivers an event; it reports false when the loop has ended.
func (q *queue) send(event any) bool {
	select {
	case q.events <- event:
		return true
	case <-q.stopped:
		return false
	}
}

// do runs fn when the device is free, first come first served, and returns when
// fn has, with the time that it waited. When ctx ends first, do returns at once:
// a job that waits leaves the queue, one that runs goes on without an audience.
// fn must therefore keep what it computes to itself until do has returned nil.
func (q *queue) do(ctx context.Context, urgent bool, fn func()) (waited time.Duration, err error) {
	j := &job{ctx: ctx, urgent: urgent, since: time.Now(), refuse: make(chan error, 1), done: make(chan struct{})}
	var began time.Time
	j.run = func() {
		began = time.Now()
		fn()
	}
	if !q.send(submission{j}) {
		return 0, errStopping
	}
	select {
	case <-j.done:
		return began.Sub(j.since), nil
	case err := <-j.refuse:
		return 0, err
	case <-ctx.Done():
		q.send(cancellation{j})
		if context.Cause(ctx) == context.DeadlineExceeded {
			return 0, &device.Error{Kind: device.KindTimeout, Message: "the request's deadline passed while the device was busy"}
		}
		return 0, &device.Error{Kind: device.KindCanceled, Message: "the request was canceled"}
	}
}

// drain refuses new jobs and waits until the device is idle or ctx ends.
func (q *queue) drain(ctx context.Context) {
	idle := make(chan struct{})
	if !q.send(drain{idle}) {
		return
	}
	select {
	case <-idle:
	case <-q.stopped:
	case <-ctx.Done():
	}
}

// alive reports whether the loop turns.
func (q *queue) alive(ctx context.Context) bool {
	p := probe{alive: make(chan struct{})}
	select {
	case q.events <- p:
		return true
	case <-q.stopped:
	case <-ctx.Done():
	}
	return false
}
