package manager

import (
	"cmp"
	"slices"
	"time"
)

// candidate is a loaded model that could make room.
type candidate struct {
	key      key
	lastUsed time.Time
}

// remedy is what to try after a load failed for want of device memory.
type remedy struct {
	evict  []key // these, least recently used first
	reset  bool  // start the runtime anew, which frees what it may have leaked
	giveUp bool
}

// nextRemedy decides after the failures-th failure (from 1) of one load: first
// evict the least recently used model; when that was not enough, all others;
// when none is left, reset the runtime once; then give up. limit bounds the
// rounds of eviction. It neither logs nor changes anything.
func nextRemedy(failures int, others []candidate, limit int, wasReset bool) remedy {
	if len(others) == 0 || failures > limit {
		return remedy{reset: !wasReset && len(others) == 0, giveUp: wasReset || len(others) > 0}
	}
	oldest := slices.SortedFunc(slices.Values(others), func(a, b candidate) int {
		return cmp.Or(a.lastUsed.Compare(b.lastUsed), cmp.Compare(a.key.String(), b.key.String()))
	})
	if failures == 1 {
		oldest = oldest[:1]
	}
	var r remedy
	for _, c := range oldest {
		r.evict = append(r.evict, c.key)
	}
	return r
}
