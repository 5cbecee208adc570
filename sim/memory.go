package sim

import (
	"sync"
	"time"
)

// never is a Config.Release of memory that does not come back while the worker
// lives, as that of models whose handles were lost.
const never time.Duration = -1

// memory is the device's. It is read beside a load by Statistics.
type memory struct {
	total   int64
	release time.Duration // from an unload until its memory is free; never

	mu        sync.Mutex
	used      int64       // by what is loaded or leaked
	returning []returning // what is unloaded but not free yet
}

type returning struct {
	bytes int64
	at    time.Time
}

// take takes bytes, or tells how many are in use.
func (m *memory) take(bytes int64) (used int64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle()
	if m.used+bytes > m.total {
		return m.used, false
	}
	m.used += bytes
	return m.used, true
}

func (m *memory) give(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.release {
	case never:
	case 0:
		m.used -= bytes
	default:
		m.returning = append(m.returning, returning{bytes, time.Now().Add(m.release)})
	}
}

// inUse is what a reading of the statistics shows.
func (m *memory) inUse() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settle()
	return m.used
}

// settle frees what has come back. Memory comes back in the order of unloading.
func (m *memory) settle() {
	for len(m.returning) > 0 && !time.Now().Before(m.returning[0].at) {
		m.used -= m.returning[0].bytes
		m.returning = m.returning[1:]
	}
}
