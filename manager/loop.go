package manager

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"hailo-depth/device"
	"hailo-depth/schedule"
)

var errStopping = &device.Error{Kind: device.KindUnavailable, Reason: device.ReasonRejected, RetryAfter: 2 * time.Second,
	Message: "the device manager is shutting down"}

var errExpired = &device.Error{Kind: device.KindTimeout, Reason: device.ReasonExpired,
	Message: "the request's deadline passed while the device was busy"}

// loop is what the queue's goroutine owns.
type loop struct {
	*queue
	list     *schedule.List
	rules    schedule.Rules // of list
	waiting  map[schedule.ID]*job
	running  []*job // the first has the device, a second prepares for it
	since    time.Time
	draining bool
	idle     chan struct{} // whom to tell when the last job of a drain has ended
}

// run is the owner's loop. When ctx ends, jobs still waiting and new ones are
// refused; the loop ends with the job that is running.
func (q *queue) run(ctx context.Context) {
	defer close(q.stopped)
	rules := q.order.Load().rules
	l := &loop{queue: q, list: schedule.New(rules, time.Now()), rules: rules, waiting: map[schedule.ID]*job{}}
	end := ctx.Done() // nil: it has come
	for end != nil || len(l.running) > 0 {
		select {
		case <-end:
			for _, j := range l.waiting {
				l.refuse(j, errStopping)
			}
			l.draining, end = true, nil
		case event := <-q.events:
			l.handle(event)
		}
		l.next()
	}
}

func (l *loop) handle(event any) {
	// New rules need no event of their own: before the next one there is nothing to decide.
	if rules := l.order.Load().rules; rules != l.rules {
		l.rules = rules
		l.list.SetRules(rules, time.Now())
	}
	switch e := event.(type) {
	case submission:
		l.admit(e.job)
	case cancellation:
		e.waited <- l.list.Remove(e.job.id)
		delete(l.waiting, e.job.id)
	case completion:
		l.running = slices.DeleteFunc(l.running, func(j *job) bool { return j == e.job })
		l.since = time.Now()
		l.list.Done(l.since)
	case drain:
		l.draining, l.idle = true, e.idle
	case probe:
		close(e.alive)
	case look:
		e.seen <- l.look(time.Now())
	}
}

func (l *loop) admit(j *job) {
	if l.draining {
		j.refuse <- errStopping
		return
	}
	id, refusal := l.list.Admit(j.Job, time.Now())
	if refusal != nil {
		j.refuse <- asRejected(refusal, j.Bytes)
		return
	}
	j.id = id
	l.waiting[id] = j
}

// asRejected words a refusal.
func asRejected(r *schedule.Refusal, bytes int64) error {
	e := &device.Error{Kind: device.KindBusy, Reason: device.ReasonRejected, RetryAfter: r.RetryAfter}
	switch r.Cause {
	case schedule.TooLarge:
		e.Kind = device.KindInvalid
		e.Message = fmt.Sprintf("the input has %d bytes; at most %d may wait for the device (queue_bytes)", bytes, r.Rules.Bytes)
	case schedule.TooMuch:
		e.Message = fmt.Sprintf("the device's queue is full: %d bytes of input wait, %d more exceed %d (queue_bytes)", r.Bytes, bytes, r.Rules.Bytes)
	default:
		e.Message = fmt.Sprintf("the device's queue is full: %d requests wait", r.Waiting)
	}
	return e
}

// refuse ends a job that waits.
func (l *loop) refuse(j *job, why error) {
	l.list.Remove(j.id)
	delete(l.waiting, j.id)
	j.refuse <- why
}

// next ends what is due, starts what may run, and publishes.
func (l *loop) next() {
	now := time.Now()
	for _, id := range l.list.Expire(now) {
		j := l.waiting[id]
		delete(l.waiting, id)
		j.refuse <- errExpired
	}
	start := l.choose(now)
	for p := range l.depths { // before the job, which may look
		l.depths[p].Store(int64(l.list.Depth(p)))
	}
	if start != nil {
		var before *job
		if len(l.running) > 0 {
			before = l.running[0]
		} else {
			l.since = now
		}
		l.running = append(l.running, start)
		go func() {
			start.run(before)
			close(start.done)
			l.send(completion{start})
		}()
	}
	if l.idle != nil && len(l.running) == 0 {
		close(l.idle)
		l.idle = nil
	}
}

// choose takes the next job out of the list; nil when none may run.
func (l *loop) choose(now time.Time) *job {
	if len(l.waiting) == 0 || len(l.running) > 0 && !l.mayPrepare() {
		return nil
	}
	resident := l.resident()
	decide := l.list.Next
	if len(l.running) > 0 {
		decide = l.list.Beside
	}
	for {
		c, ok := decide(now, resident)
		if !ok {
			return nil
		}
		j := l.waiting[c.ID]
		if j.ctx.Err() != nil { // its caller is leaving
			l.refuse(j, left(j.ctx, false))
			continue
		}
		if len(l.running) > 0 && !(j.early && slices.Contains(resident, c.Job.Model)) {
			return nil
		}
		l.list.Take(c, now)
		delete(l.waiting, c.ID)
		l.metrics.decided(c)
		return j
	}
}

// mayPrepare reports whether another job may be let prepare beside what runs.
func (l *loop) mayPrepare() bool { return len(l.running) == 1 && l.running[0].early }

func (l *loop) look(now time.Time) seen {
	models := map[string]int{}
	o := device.QueueOverview{Limit: l.rules.Jobs, BytesLimit: l.rules.Bytes, Clients: []device.ClientOverview{}}
	o.Waiting, o.Bytes = l.list.Waiting()
	if len(l.running) > 0 {
		j := l.running[0]
		o.Prepared = len(l.running) - 1
		o.Running = &device.RunningOverview{Action: j.action, Model: j.Model, Client: j.Client, Priority: j.Priority, Since: l.since}
	}
	type share struct {
		client   string
		priority int
	}
	shares := map[share]*device.ClientOverview{}
	for _, j := range l.list.Jobs() { // of each priority by arrival: the first is the oldest
		s := share{j.Client, j.Priority}
		if shares[s] == nil {
			shares[s] = &device.ClientOverview{Client: j.Client, Priority: j.Priority, OldestSeconds: now.Sub(j.Arrival).Seconds()}
		}
		shares[s].Waiting++
		models[j.Model]++
	}
	for _, s := range slices.SortedFunc(maps.Values(shares), func(a, b *device.ClientOverview) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Client, b.Client))
	}) {
		o.Clients = append(o.Clients, *s)
	}
	return seen{o, models}
}
