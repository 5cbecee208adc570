package manager

import (
	"context"
	"sync/atomic"
	"time"

	"hailo-depth/device"
	"hailo-depth/schedule"
)

// queue hands the device to one job at a time, and lets the next of the same model
// prepare meanwhile; which ones, schedule decides. Its
// goroutine (run) owns the list; everybody else talks to it through channels.
type queue struct {
	order    atomic.Pointer[order] // may be replaced at any time
	resident func() []string       // the models on the device
	metrics  *metrics              // may be nil
	events   chan any              // submission, cancellation, completion, drain, probe, look
	stopped  chan struct{}         // closed when run has returned
	depths   depths                // requests that wait, for status calls
}

// order is what the operator may say of the queue.
type order struct {
	rules   schedule.Rules
	overlap bool // a job may prepare while another runs
}

// depths counts by priority.
type depths [device.MostPriority + 1]atomic.Int64

func (d *depths) total() (n int64) {
	for i := range d {
		n += d[i].Load()
	}
	return n
}

// job is one use of the device.
type job struct {
	schedule.Job
	action string
	ctx    context.Context   // of whoever asked; a job whose context ended is not started
	run    func(before *job) // that has the device, or had it last; nil: none
	early  bool              // it can prepare while another of its model that can runs
	id     schedule.ID
	refuse chan error    // buffered; the job will not run
	done   chan struct{} // closed when run has returned
}

type (
	submission struct{ job *job }
	// cancellation is answered with true when the job waited, and left.
	cancellation struct {
		job    *job
		waited chan bool
	}
	completion struct{ job *job }
	// drain stops the intake; idle is closed when the last job has ended.
	drain struct{ idle chan struct{} }
	// probe is answered by the loop and proves that it turns.
	probe struct{ alive chan struct{} }
	// look is answered with who waits; the channel is buffered.
	look struct{ seen chan seen }
	// seen is who waits, and how many requests for each model.
	seen struct {
		overview device.QueueOverview
		models   map[string]int
	}
)

func newQueue(o order, resident func() []string) *queue {
	q := &queue{resident: resident, events: make(chan any), stopped: make(chan struct{})}
	q.order.Store(&o)
	return q
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

// ask runs fn when it is the job's turn for the device, and returns when fn has,
// with the time that it waited. When ctx ends first, ask returns at once: a job
// that waits leaves the queue, one that runs goes on without an audience. fn
// must therefore keep what it computes to itself until ask has returned nil.
// The job's deadline is that of ctx, whose timer fires whatever the device does.
func (q *queue) ask(ctx context.Context, action string, terms schedule.Job, fn func()) (waited time.Duration, err error) {
	return q.askEarly(ctx, action, terms, nil, fn)
}

// askEarly is ask for a job that can do something before its turn, while another
// of its model has the device: prepare may be called then, and touches nothing
// that belongs to who has the device. fn follows when that one has ended.
func (q *queue) askEarly(ctx context.Context, action string, terms schedule.Job, prepare, fn func()) (waited time.Duration, err error) {
	terms.Deadline, _ = ctx.Deadline()
	j := &job{Job: terms, action: action, ctx: ctx, early: prepare != nil && q.order.Load().overlap, refuse: make(chan error, 1), done: make(chan struct{})}
	asked := time.Now()
	var began time.Time
	j.run = func(before *job) {
		if before != nil {
			prepare()
			<-before.done
		}
		began = time.Now()
		fn()
	}
	if !q.send(submission{j}) {
		return 0, errStopping
	}
	select {
	case <-j.done:
		return began.Sub(asked), nil
	case err := <-j.refuse:
		return 0, err
	case <-ctx.Done():
		return 0, q.leave(j)
	}
}

// leave withdraws a job whose caller goes, and says how far it had come.
func (q *queue) leave(j *job) error {
	waited := make(chan bool, 1)
	if q.send(cancellation{j, waited}) && <-waited {
		return left(j.ctx, false)
	}
	select {
	case err := <-j.refuse: // just before
		return err
	default:
		return left(j.ctx, true)
	}
}

// left is the answer to a caller whose context has ended.
func left(ctx context.Context, running bool) error {
	late := context.Cause(ctx) == context.DeadlineExceeded
	switch {
	case late && running:
		return &device.Error{Kind: device.KindTimeout, Reason: device.ReasonExpired, Message: "the request's deadline passed while it ran"}
	case late:
		return errExpired
	}
	return &device.Error{Kind: device.KindCanceled, Reason: device.ReasonCancelled, Message: "the request was canceled"}
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

// look says who waits and what runs. Nothing that the device does holds it up.
func (q *queue) look() seen {
	l := look{make(chan seen, 1)}
	if !q.send(l) {
		rules := q.order.Load().rules
		return seen{overview: device.QueueOverview{Limit: rules.Jobs, BytesLimit: rules.Bytes, Clients: []device.ClientOverview{}}}
	}
	return <-l.seen
}
