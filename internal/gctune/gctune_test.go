package gctune

import (
	"runtime/debug"
	"testing"
)

// settings reads the collector's settings, which can only be done by setting them.
func settings() (percent int, limit int64) {
	percent = debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	return percent, debug.SetMemoryLimit(-1)
}

func TestApply(t *testing.T) {
	percent, limit := settings()
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
	for _, c := range []struct {
		variables map[string]string
		percent   int
		limit     int64
	}{
		{nil, 400, 1 << 30},
		{map[string]string{"GOGC": "50"}, 77, 1 << 30},
		{map[string]string{"GOMEMLIMIT": "1GiB"}, 400, 1 << 40},
		{map[string]string{"GOGC": "off", "GOMEMLIMIT": "off"}, 77, 1 << 40},
	} {
		debug.SetGCPercent(77) // as if the runtime had read it from the environment
		debug.SetMemoryLimit(1 << 40)
		Apply(func(key string) string { return c.variables[key] }, 1<<30)
		if p, l := settings(); p != c.percent || l != c.limit {
			t.Errorf("%v: %d%% and %d bytes, want %d%% and %d", c.variables, p, l, c.percent, c.limit)
		}
	}
}
