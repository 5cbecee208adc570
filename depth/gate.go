package depth

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"hailo-depth/device"
)

// gate bounds what is in memory: how many pictures are in the service at all,
// how many requests wait outside, and how many pixels are being worked on.
type gate struct {
	slots   chan struct{}
	queue   int64
	waiting atomic.Int64

	work   *semaphore.Weighted
	pixels int64 // that may be worked on at once
	least  int64 // what a small picture counts as, so that no more work than there are cores
}

func newGate(l Limits) *gate {
	cores := int64(runtime.GOMAXPROCS(0))
	return &gate{
		slots:  make(chan struct{}, l.Pictures),
		queue:  int64(l.Queue),
		work:   semaphore.NewWeighted(l.WorkPixels),
		pixels: l.WorkPixels,
		least:  max(1, l.WorkPixels/cores),
	}
}

// retryFull is when a full service is worth another try.
const retryFull = time.Second

// enter waits for a place among the pictures in the service. When too many wait
// already it fails at once with KindBusy.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
	}
	if n := g.waiting.Add(1); n > g.queue {
		g.waiting.Add(-1)
		return &device.Error{Kind: device.KindBusy, RetryAfter: retryFull,
			Message: fmt.Sprintf("too many requests: %d pictures are being worked on and %d wait", cap(g.slots), g.queue)}
	}
	defer g.waiting.Add(-1)
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return gaveUp(ctx, "waiting for a place")
	}
}

func (g *gate) leave() { <-g.slots }

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
