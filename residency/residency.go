// Package residency decides which models stay on a device and which go. Its
// functions are pure: they are asked speculatively, about a state and a moment
// that the caller states, and change nothing.
package residency

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Model is a model on the device, as far as the choice depends on it.
type Model struct {
	Key      string
	Bytes    int64         // of device memory; 0: unknown, then it is never chosen to make room
	LoadTime time.Duration // what bringing it back would take; 0: unknown
	LastUsed time.Time
	Running  bool // an inference is under way
	Loading  bool
	Pinned   bool
	Unserved bool // it was loaded for a request that has not run yet
}

// Evictable reports whether the model may go to make room for another.
func (m Model) Evictable() bool { return !m.Running && !m.Loading && !m.Pinned && !m.Unserved }

// kept says why a model is not evictable.
func (m Model) kept() string {
	switch {
	case m.Running:
		return "running"
	case m.Loading:
		return "loading"
	case m.Pinned:
		return "pinned"
	}
	return "not used yet"
}

const (
	// leastIdle and leastLoad keep values finite, and moments too short to mean
	// anything from deciding.
	leastIdle = time.Second
	leastLoad = 100 * time.Millisecond
)

// Density is what keeping a model is worth for each byte that it occupies:
//
//	density = load time / (idle time × bytes)
//
// A model that was last used t ago will be asked for again in about t (the
// longer nobody asked, the less likely somebody will); losing it then costs its
// load time. load/idle is thus the expected loss per second of not having it,
// and the density that loss per byte gained. Models of one size and load time
// go in the order of their last use; among those used at the same time, first
// go those that free much and are soon back.
func Density(m Model, now time.Time) float64 {
	idle := max(now.Sub(m.LastUsed), leastIdle)
	load := max(m.LoadTime, leastLoad)
	return load.Seconds() / idle.Seconds() / float64(max(m.Bytes, 1))
}

// Order sorts models by density, the first to go first; equal ones by last use,
// then by key. It returns a new slice.
func Order(models []Model, now time.Time) []Model {
	return slices.SortedFunc(slices.Values(models), func(a, b Model) int {
		return cmp.Or(cmp.Compare(Density(a, now), Density(b, now)), a.LastUsed.Compare(b.LastUsed), cmp.Compare(a.Key, b.Key))
	})
}

// Victims chooses the models whose memory, with what is free, makes room for
// need bytes, in the order in which to evict them; none when need is free
// already. It takes evictable models from the least dense on until there is
// room, then gives back, from the most dense on, those that turned out not to be
// needed: every victim is necessary, without any one of them there would be no
// room. The error is a *NoRoomError: then nobody should be evicted, since that
// would help nobody.
func Victims(models []Model, need, free int64, now time.Time) ([]Model, error) {
	missing := need - max(free, 0)
	if missing <= 0 {
		return nil, nil
	}
	var victims []Model
	freed := int64(0)
	for _, m := range Order(models, now) {
		if !m.Evictable() || m.Bytes <= 0 {
			continue
		}
		victims = append(victims, m)
		if freed = sum(freed, m.Bytes); freed >= missing {
			break
		}
	}
	if freed < missing {
		return nil, noRoom(models, need, free, freed)
	}
	for i := len(victims) - 1; i >= 0; i-- {
		if freed-victims[i].Bytes >= missing {
			freed -= victims[i].Bytes
			victims = slices.Delete(victims, i, i+1)
		}
	}
	return victims, nil
}

// sum adds sizes without overflow.
func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// NoRoomError says that evicting every evictable model would not make room.
type NoRoomError struct {
	Need, Free, Evictable int64    // bytes
	Kept                  []string // the models that may not go, with the reason of each
}

func noRoom(models []Model, need, free, evictable int64) *NoRoomError {
	e := &NoRoomError{Need: need, Free: max(free, 0), Evictable: evictable}
	for _, m := range models {
		if !m.Evictable() {
			e.Kept = append(e.Kept, m.Key+" ("+m.kept()+")")
		}
	}
	slices.Sort(e.Kept)
	return e
}

func (e *NoRoomError) Error() string {
	text := fmt.Sprintf("%s are needed, %s are free and %s could be freed", Size(e.Need), Size(e.Free), Size(e.Evictable))
	if len(e.Kept) > 0 {
		text += "; kept are " + strings.Join(e.Kept, ", ")
	}
	return text
}

// Size writes a number of bytes for people.
func Size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}

// Forever is a KeepAlive without an end.
const Forever time.Duration = -1

// Expires is the moment from which an unused model should be unloaded. A
// negative keepAlive is none: ok is false, as it is for models that may not go;
// of 0, the model goes as soon as its request has ended.
func Expires(m Model, keepAlive time.Duration) (at time.Time, ok bool) {
	if keepAlive < 0 || !m.Evictable() {
		return time.Time{}, false
	}
	return m.LastUsed.Add(keepAlive), true
}
