package manager

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"hailo-depth/residency"
	"hailo-depth/sizes"
	"hailo-depth/worker"
)

const (
	// measureTimeout is what a worker may take to tell its memory around a load; a
	// Hailo-10H takes a few tenths of a second.
	measureTimeout = 2 * time.Second
	// The memory is looked at again after an eviction at growing distances: most
	// of it is back at once, and a reading is work for the device.
	leastReleasePoll, mostReleasePoll = 5 * time.Millisecond, 250 * time.Millisecond
	// unservedGrace is for how long a model that was loaded by request, and not
	// used yet, is kept rather than any other.
	unservedGrace = 10 * time.Second
)

// measure reads the device's memory. ok is false where the worker cannot tell,
// or did not in time: then it is not asked again until the poll has heard of it.
func (r *runtime) measure(ctx context.Context) (s worker.Statistics, ok bool) {
	if r.worker == nil || r.mute.Load() {
		return s, false
	}
	ctx, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	s, err := r.worker.Statistics(ctx)
	if err != nil {
		r.mute.Store(true)
		r.log.Warn("the device did not tell its memory; loads go on without", "error", err)
		return s, false
	}
	if s.MemoryTotalBytes <= 0 {
		return s, false
	}
	r.total = s.MemoryTotalBytes
	if len(r.models) == 0 && (!r.knowsBaseline || s.MemoryUsedBytes < r.baseline) {
		r.baseline, r.knowsBaseline = s.MemoryUsedBytes, true
	}
	return s, true
}

// capacityBytes is what all models together may take; 0: unknown. What the device
// used at its emptiest is not theirs. Its "used" at any later moment is no help:
// on a Hailo-10H it counts caches, which grow and make room by themselves.
func (r *runtime) capacityBytes() int64 {
	if !r.knowsBaseline {
		return 0
	}
	return max(r.total-r.baseline, 0)
}

func (r *runtime) residentBytes() (n int64) {
	for _, m := range r.models {
		n += m.memory
	}
	return n
}

// residents lists the models as the choice of victims sees them. The job that
// holds the device is what makes room, so none of them is running.
func (r *runtime) residents(now time.Time) []residency.Model {
	var list []residency.Model
	for _, m := range r.byAge() {
		list = append(list, r.resident(m, now))
	}
	return list
}

func (r *runtime) resident(m *model, now time.Time) residency.Model {
	_, pinned := r.pins[m.key]
	return residency.Model{
		Key: m.key.String(), Bytes: m.memory, LoadTime: m.loadTook, LastUsed: m.lastUsed,
		Pinned: pinned, Unserved: m.drift.count == 0 && now.Sub(m.loadedAt) < unservedGrace,
	}
}

// identity is under what a model's measurements are kept; empty: they are not.
func (r *runtime) identity(m *model, parts []part) string {
	if r.worker == nil {
		return ""
	}
	who := r.worker.Identity()
	var files []string
	for _, p := range parts {
		files = append(files, p.spec.Path)
	}
	id, err := sizes.Identity(who.Backend+" "+who.Architecture+" "+who.Firmware, fmt.Sprintf("%s %v", m.key.modelType, m.params.InputShapes), files...)
	if err != nil {
		return "" // the load will say what is wrong with the file
	}
	return id
}

// makeRoom evicts, before a load is tried, what is known to be in its way. It
// reports whether it did, which counts as a round of eviction.
func (r *runtime) makeRoom(ctx context.Context, m *model, need int64) bool {
	limits := r.tuned.Load().limits
	if need <= 0 || r.capacityBytes() <= 0 || need > r.capacityBytes() || limits.MaxEvictions < 1 {
		return false // unknown, hopeless or not allowed: the device decides
	}
	now := time.Now()
	residents := r.residents(now)
	free := r.capacityBytes() - r.residentBytes()
	victims, err := residency.Victims(residents, need, free, now)
	if err != nil { // what nobody has used yet goes too, rather than this request fail
		for i := range residents {
			residents[i].Unserved = false
		}
		victims, err = residency.Victims(residents, need, free, now)
	}
	if err != nil || len(victims) == 0 {
		return false
	}
	byName := map[string]key{}
	for k := range r.models {
		byName[k.String()] = k
	}
	var chosen []key
	for _, v := range victims {
		chosen = append(chosen, byName[v.Key])
	}
	r.evict(ctx, chosen, m, evictedPredicted, "RESOURCE_EXHAUSTED while loading ")
	return true
}

// hopeless says why evicting would not help a model whose size is known, though
// the device has the room: others are pinned. Empty: it may help.
func (r *runtime) hopeless(need int64) string {
	if need <= 0 || r.capacityBytes() <= 0 || len(r.pins) == 0 {
		return ""
	}
	residents := r.residents(time.Now())
	for i := range residents {
		residents[i].Unserved = false
	}
	if _, err := residency.Victims(residents, need, r.capacityBytes()-r.residentBytes(), time.Now()); err != nil {
		return err.Error()
	}
	return ""
}

// sizesText is the arithmetic behind a refusal, as far as it is known.
func (r *runtime) sizesText(need int64) string {
	var parts []string
	if need > 0 {
		parts = append(parts, residency.Size(need)+" were needed when it was last loaded")
	}
	if c := r.capacityBytes(); c > 0 && (need > 0 || len(r.pins) > 0) {
		parts = append(parts, fmt.Sprintf("models take %s of %s", residency.Size(r.residentBytes()), residency.Size(c)))
	}
	var pinned []string
	for k := range r.pins {
		if _, ok := r.models[k]; ok {
			pinned = append(pinned, modelName(k.path))
		}
	}
	if len(pinned) > 0 {
		slices.Sort(pinned)
		parts = append(parts, "pinned: "+strings.Join(pinned, ", "))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// awaitRelease waits, for a bounded time, until the memory of what was evicted
// is really free: a load that comes too early fails on a device that has room.
// Three quarters count as all, since something else may have grown.
func (r *runtime) awaitRelease(ctx context.Context, before worker.Statistics, freed int64) {
	limit := r.tuned.Load().limits.ReleaseWait
	if freed <= 0 || limit <= 0 {
		return
	}
	began := time.Now()
	goal := before.MemoryUsedBytes - freed/4*3
	for pause := leastReleasePoll; ; pause = min(2*pause, mostReleasePoll) {
		s, ok := r.measure(ctx)
		waited := time.Since(began)
		switch {
		case !ok:
			return
		case s.MemoryUsedBytes <= goal:
			r.metrics.released(waited, true)
			return
		case waited >= limit:
			r.metrics.released(waited, false)
			r.log.Warn("the memory of evicted models has not come back", "waited", waited, "expected", freed,
				"used_before", before.MemoryUsedBytes, "used", s.MemoryUsedBytes)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}
