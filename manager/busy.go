package manager

import (
	"sync/atomic"
	"time"
)

// busy adds up the time that the worker spends on operations, which come one at
// a time.
type busy struct {
	total atomic.Int64 // nanoseconds, of operations that have ended
	began atomic.Int64 // nanoseconds since 1970; 0: none is under way
}

func (b *busy) begin() { b.began.Store(time.Now().UnixNano()) }

func (b *busy) end() { b.total.Add(time.Now().UnixNano() - b.began.Swap(0)) }

// seconds may be called beside an operation, which counts as far as it has come.
func (b *busy) seconds() float64 {
	n := b.total.Load()
	if began := b.began.Load(); began != 0 {
		n += max(time.Now().UnixNano()-began, 0)
	}
	return time.Duration(n).Seconds()
}

// activity is the model that the device works for at the moment.
type activity struct {
	key    key
	action string // load or infer
	since  time.Time
}
