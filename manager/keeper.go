package manager

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hailo-depth/device"
)

// retry is how often what failed is tried again without being asked for: opening
// the device, loading a pinned model.
const retry = 30 * time.Second

// mostRetry is how seldom a pinned model is tried that there is no room for:
// each try may cost the others their place.
const mostRetry = 30 * time.Minute

// keeper does what is due without anybody asking: it opens the device, probes it
// while the gate is shut, loads what is preloaded or pinned, unloads what has
// expired, replaces a worker with jobs that do not end. It looks at the view and
// has jobs of its own queued, which look again. One goroutine runs it.
type keeper struct {
	m        *Manager
	tuned    *tuned            // that it has adopted
	open     time.Time         // when to open the device, while there is none
	away     bool              // there was none when it last looked
	prepared map[key]bool      // of what is preloaded: loaded (true) or given up
	started  bool              // all that was to be preloaded at the start is prepared
	tried    map[key]attempt   // the last one to load a model
	expired  map[key]time.Time // the expiry that was last acted on
	checked  time.Time         // when a job that does not end was last acted on
}

// attempt is one to load a model, and after how long the next may follow.
type attempt struct {
	at    time.Time
	pause time.Duration
}

// supervise runs the keeper until ctx ends.
func (m *Manager) supervise(ctx context.Context) {
	k := &keeper{m: m, open: time.Now(), away: true, tuned: m.runtime.tuned.Load(),
		prepared: map[key]bool{}, tried: map[key]attempt{}, expired: map[key]time.Time{}}
	for {
		next, did := k.step(ctx)
		if ctx.Err() != nil {
			return
		}
		if did {
			continue
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-ctx.Done():
		case <-m.runtime.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// step does one thing that is due, or tells when something will be.
func (k *keeper) step(ctx context.Context) (next time.Time, did bool) {
	m, now := k.m, time.Now()
	t := m.runtime.tuned.Load()
	if t != k.tuned {
		k.tuned = t
		maps.DeleteFunc(k.prepared, func(_ key, loaded bool) bool { return !loaded }) // another chance
		return now.Add(time.Second), m.own(ctx, m.runtime.adopt) == nil
	}
	k.announce(t)
	v := m.runtime.view.Load()
	if v.shut != nil {
		if now.Before(v.shut.until) {
			return v.shut.until, false
		}
		did = m.own(ctx, func() { m.runtime.probe(m.life) }) == nil
		m.read(ctx)
		return now.Add(time.Second), did
	}
	if v.worker == nil {
		if !k.away {
			k.away, k.open = true, now.Add(retry)
		}
		if now.Before(k.open) {
			return k.open, false
		}
		k.open = now.Add(retry)
		m.reopen(ctx)
		return k.open, true
	}
	k.away = false
	if k.unfinished(ctx, t, now) {
		return now, true
	}
	next = now.Add(time.Hour)
	for _, load := range []func(context.Context, *tuned, *view, time.Time) (time.Time, bool){k.preload, k.restore, k.expire} {
		at, did := load(ctx, t, v, now)
		if did {
			return now, true
		}
		if !at.IsZero() {
			next = sooner(next, at)
		}
	}
	return next, false
}

// sooner is the earlier of two moments; a zero one is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// unfinished replaces a worker whose oldest job does not end.
func (k *keeper) unfinished(ctx context.Context, t *tuned, now time.Time) bool {
	m, limit := k.m, t.limits.Unfinished
	last := m.reading.Load()
	if last == nil || last.of != m.runtime.view.Load().worker || limit <= 0 || last.statistics.OldestUnfinishedMS <= limit.Milliseconds() ||
		now.Sub(k.checked) < time.Second {
		return false
	}
	k.checked = now
	if m.own(ctx, func() { m.runtime.endUnfinished(m.life, limit) }) != nil {
		return false
	}
	m.read(ctx)
	return true
}

// announce says in Ready what is still being prepared at the start. What a reload
// adds does not count: the manager goes on serving.
func (k *keeper) announce(t *tuned) {
	if k.started {
		return
	}
	var names []string
	for _, w := range t.settings.Models {
		id := key{w.Model.Type, w.Model.Path}
		if _, done := k.prepared[id]; w.Preload && !done {
			names = append(names, t.name(id))
		}
	}
	text := ""
	if len(names) > 0 {
		text = "being loaded: " + strings.Join(names, ", ")
	}
	k.started = text == ""
	k.m.preparing.Store(&text)
}

// preload loads what is to be there from the start, each once.
func (k *keeper) preload(ctx context.Context, t *tuned, _ *view, now time.Time) (next time.Time, did bool) {
	for _, w := range t.settings.Models {
		id := key{w.Model.Type, w.Model.Path}
		if _, done := k.prepared[id]; done || !w.Preload {
			continue
		}
		if due := k.due(id, now); due.After(now) {
			next = sooner(next, due)
			continue
		}
		return now.Add(time.Second), k.load(ctx, w, true)
	}
	return next, false
}

// restore loads what is pinned and missing.
func (k *keeper) restore(ctx context.Context, _ *tuned, v *view, now time.Time) (next time.Time, did bool) {
	for _, id := range slices.SortedFunc(maps.Keys(v.pins), func(a, b key) int { return strings.Compare(a.String(), b.String()) }) {
		if slices.ContainsFunc(v.models, func(s shown) bool { return s.key == id }) {
			delete(k.tried, id)
			continue
		}
		if due := k.due(id, now); due.After(now) {
			next = sooner(next, due)
			continue
		}
		return now.Add(time.Second), k.load(ctx, Wanted{Model: v.pins[id].model, Pinned: true}, false)
	}
	return next, false
}

// due is when a model may next be tried; it is now for one that was not.
func (k *keeper) due(id key, now time.Time) time.Time {
	last, ok := k.tried[id]
	if !ok {
		return now
	}
	return last.at.Add(last.pause)
}

// load loads what the operator wants. A preload that fails is given up, unless
// the device is to blame; a pin is tried again and again.
func (k *keeper) load(ctx context.Context, w Wanted, preload bool) bool {
	m, id := k.m, key{w.Model.Type, w.Model.Path}
	this := attempt{time.Now(), retry}
	var err error
	if m.own(ctx, func() { err = m.runtime.prepare(m.life, w, preload && w.WarmUp) }) != nil {
		return false
	}
	if preload && device.KindOf(err) != device.KindUnavailable {
		k.prepared[id] = err == nil
	}
	if device.KindOf(err) == device.KindMemoryFull {
		this.pause = min(max(2*k.tried[id].pause, retry), mostRetry)
	}
	k.tried[id] = this
	if err != nil {
		m.options.Log.Error("a model that should be loaded is not", "model", fmt.Sprint(id), "pinned", w.Pinned, "error", err)
	}
	return true
}

// expire unloads what was not used for its keep_alive.
func (k *keeper) expire(ctx context.Context, t *tuned, v *view, now time.Time) (next time.Time, did bool) {
	maps.DeleteFunc(k.expired, func(id key, _ time.Time) bool {
		return !slices.ContainsFunc(v.models, func(s shown) bool { return s.key == id })
	})
	for _, s := range v.models {
		at, ok := s.expires(t, v.pins)
		if !ok || at.Equal(k.expired[s.key]) {
			continue
		}
		if at.After(now) {
			next = sooner(next, at)
			continue
		}
		if k.m.queue.look().models[s.key.String()] > 0 {
			next = sooner(next, now.Add(time.Second)) // it would be loaded again at once
			continue
		}
		k.expired[s.key] = at
		return now.Add(time.Second), k.m.own(ctx, func() { k.m.runtime.expire(k.m.life, s.key) }) == nil
	}
	return next, false
}

// expires is when the model goes if nobody uses it before; ok is false: never.
func (s shown) expires(t *tuned, pins map[key]pin) (at time.Time, ok bool) {
	keep := t.keepAlive(s.key)
	if _, pinned := pins[s.key]; pinned || keep < 0 {
		return time.Time{}, false
	}
	at = s.lastUsed.Add(keep)
	if at.Before(s.unservedUntil) {
		at = s.unservedUntil
	}
	return at, true
}
