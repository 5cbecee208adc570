//go:build hailort

package hailort

// #include "shim.h"
import "C"

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"hailo-depth/worker"
)

// patience is how long the library gets. To destroy something is a call to the
// device: it takes moments, or the library's limit of 10 s when the answer gets lost.
type patience struct {
	unload  time.Duration // what an unload waits; then it goes on by itself
	close   time.Duration // what the end of the worker waits
	abort   time.Duration // what jobs get to end after they were aborted
	release time.Duration // what a load that finds the device full waits for what is being destroyed
}

func usualPatience() patience {
	return patience{unload: 2 * time.Second, close: 4 * time.Second, abort: 12 * time.Second, release: 12 * time.Second}
}

// release is something that is being destroyed, beside the requests.
type release struct {
	done chan struct{}
	err  error // when done is closed
}

func (b *Backend) begin(destroy func() error) *release {
	r := &release{done: make(chan struct{})}
	b.mu.Lock()
	b.releases[r] = true
	b.mu.Unlock()
	go func() {
		r.err = destroy()
		b.monitor.change()
		b.mu.Lock()
		delete(b.releases, r)
		b.mu.Unlock()
		close(r.done)
	}()
	return r
}

// unload destroys something and waits a little, so that its memory is back in
// the usual case.
func (b *Backend) unload(destroy func() error) error {
	r := b.begin(destroy)
	select {
	case <-r.done:
		return r.err
	case <-time.After(b.patience.unload):
		return nil
	}
}

func (b *Backend) releasing() []*release {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Keys(b.releases))
}

// awaitReleases waits for what is being destroyed; it reports whether there was
// something, and it is gone.
func (b *Backend) awaitReleases() bool {
	pending := b.releasing()
	late := time.After(b.patience.release)
	for _, r := range pending {
		select {
		case <-r.done:
		case <-late:
			return false
		}
	}
	return len(pending) > 0
}

// Close takes the network off the device.
func (n *network) Close() error { return n.backend.unload(n.destroy) }

// destroy frees the model, unless a job on it does not end even when it is
// aborted: the library would write to freed memory. Such a model stays, and its
// jobs are counted.
func (n *network) destroy() error {
	if err := failure(worker.OpUnload, C.npu_model_end(n.model, C.uint32_t(n.backend.patience.abort.Milliseconds())), "ending the model's jobs"); err != nil {
		if isStatus(err, 4) {
			return &worker.Error{Kind: worker.KindTimeout, Status: 4, Message: fmt.Sprintf("a job of the model did not end within %v of its abort; the model stays on the device", n.backend.patience.abort)}
		}
		return err
	}
	n.backend.forget(n) // nobody asks for its jobs any more
	return n.free()
}

func (n *network) free() error {
	return failure(worker.OpUnload, C.npu_model_free(n.model), "destroying the model")
}
