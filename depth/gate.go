package depth

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"hailo-depth/device"
	"hailo-depth/schedule"
)

// gate bounds what is in memory: how many pictures are in the service at all,
// how many requests wait outside, and how many pixels are being worked on. Who
// waits outside comes in by the rule that the device manager has for its device,
// by priority and fairly between clients; else a request that is urgent at the
// device would be kept from it here.
type gate struct {
	mu     sync.Mutex
	places int // that are free; while one is, nobody waits
	queue  int // how many may wait
	list   *schedule.List
	turns  map[schedule.ID]chan struct{} // of those that wait; closed with a place

	all    int // places there are
	work   *semaphore.Weighted
	pixels int64 // that may be worked on at once
	least  int64 // what a small picture counts as, so that no more work than there are cores
}

func newGate(l Limits) *gate {
	cores := int64(runtime.GOMAXPROCS(0))
	rules := schedule.DefaultRules()
	rules.Jobs, rules.Group = max(1, l.Queue), 0 // there is one model: turns alone decide
	return &gate{
		places: l.Pictures,
		queue:  l.Queue,
		list:   schedule.New(rules, time.Now()),
		turns:  map[schedule.ID]chan struct{}{},
		all:    l.Pictures,
		work:   semaphore.NewWeighted(l.WorkPixels),
		pixels: l.WorkPixels,
		least:  max(1, l.WorkPixels/cores),
	}
}

// retryFull is when a full service is worth another try.
const retryFull = time.Second

// enter waits for a place among the pictures in the service, on the terms in ctx.
// When too many wait already it fails at once with KindBusy.
func (g *gate) enter(ctx context.Context) error {
	id, turn, err := g.line(ctx)
	if turn == nil {
		return err
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	gone := g.list.Remove(id)
	delete(g.turns, id)
	g.mu.Unlock()
	if !gone { // it was given a place meanwhile
		g.leave()
	}
	return gaveUp(ctx, "waiting for a place")
}

// line takes a free place (turn is nil), or a place in the line.
func (g *gate) line(ctx context.Context) (id schedule.ID, turn chan struct{}, err error) {
	terms := device.TermsOf(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.places > 0 {
		g.places--
		return 0, nil, nil
	}
	if len(g.turns) >= g.queue {
		return 0, nil, &device.Error{Kind: device.KindBusy, RetryAfter: retryFull,
			Message: fmt.Sprintf("too many requests: %d pictures are being worked on and %d wait", g.all, g.queue)}
	}
	id, refused := g.list.Admit(schedule.Job{Client: terms.Client, Priority: terms.Priority}, time.Now())
	if refused != nil {
		return 0, nil, &device.Error{Kind: device.KindBusy, RetryAfter: retryFull, Message: refused.Error()}
	}
	turn = make(chan struct{})
	g.turns[id] = turn
	return id, turn, nil
}

// leave hands the place to whoever is next.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	next, ok := g.list.Next(now, nil)
	if !ok || !g.list.Take(next, now) {
		g.places++
		return
	}
	g.list.Done(now) // many are in the service at once; the list knows of one at most
	close(g.turns[next.ID])
	delete(g.turns, next.ID)
}

// waiting counts the requests that wait for a place, inside those that have one.
func (g *gate) waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.turns)
}

func (g *gate) inside() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all - g.places
}

// begin waits until work on a picture of that many pixels may start, and
// returns what to call when it has ended.
func (g *gate) begin(ctx context.Context, pixels int64) (end func(), err error) {
	weight := min(max(pixels, g.least), g.pixels)
	if err := g.work.Acquire(ctx, weight); err != nil {
		return nil, gaveUp(ctx, "waiting for a free processor core")
	}
	return func() { g.work.Release(weight) }, nil
}

// gaveUp is the error of a request whose context ended while it was doing what.
func gaveUp(ctx context.Context, what string) error {
	if ctx.Err() == context.DeadlineExceeded {
		return &device.Error{Kind: device.KindTimeout, Reason: device.ReasonExpired, Message: "the request's deadline passed while " + what}
	}
	return &device.Error{Kind: device.KindCanceled, Message: "the client went away while " + what}
}
