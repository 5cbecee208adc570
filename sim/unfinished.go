package sim

import (
	"sync"
	"time"
)

// unfinished are inferences that were reported as timed out while the library
// goes on with them.
type unfinished struct {
	mu   sync.Mutex
	jobs []job
}

type job struct {
	since time.Time // when its caller was told
	ends  time.Time // zero: never
}

func (u *unfinished) add(lasts time.Duration) {
	j := job{since: time.Now()}
	if lasts != never {
		j.ends = j.since.Add(lasts)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.jobs = append(u.jobs, j)
}

// read gives the number of jobs that go on and the age of the oldest.
func (u *unfinished) read() (n int, oldest time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	going := u.jobs[:0]
	for _, j := range u.jobs {
		if j.ends.IsZero() || now.Before(j.ends) {
			going = append(going, j)
			oldest = max(oldest, now.Sub(j.since))
		}
	}
	u.jobs = going
	return len(going), oldest
}
