package manager

import (
	"context"
	"path/filepath"

	"hailo-depth/device"
)

// idempotent reports whether a request of this type may run again after it was
// interrupted: the same tensors give the same answer. What a generative model
// has begun to say it would say in other words, and may take minutes to.
func idempotent(modelType string) bool {
	switch modelType {
	case "depth", "pose", "clip", "ocr":
		return true
	}
	return false
}

// retries reports whether a request that failed with err runs again, because
// the worker died under it; once: a request that kills a second worker is not the
// victim but the cause.
func (r *runtime) retries(ctx context.Context, m device.Model, err error, tried *tries) bool {
	if tried.again || !r.died || ctx.Err() != nil || !idempotent(m.Type) || device.KindOf(err) != device.KindUnavailable {
		return false
	}
	r.again(m, err)
	tried.again = true
	return true
}

// again says that a request runs once more.
func (r *runtime) again(m device.Model, cause error) {
	r.log.Warn("the worker died under a request, which runs once more", "model", filepath.Base(m.Path), "type", m.Type, "cause", cause)
	r.metrics.retried(m.Type, "worker_died")
}
