package scene

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// rows calls do for every row, several at a time, until ctx ends.
func rows(ctx context.Context, height int, do func(y int)) error {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), height) {
		group.Go(func() {
			for y := int(next.Add(1) - 1); y < height && ctx.Err() == nil; y = int(next.Add(1) - 1) {
				do(y)
			}
		})
	}
	group.Wait()
	return ctx.Err()
}
