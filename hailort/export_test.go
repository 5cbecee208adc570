//go:build hailort

package hailort

import (
	"syscall"
	"testing"
)

// pageSize is what the kernel says, which is not 4096 on every machine.
func pageSize() int { return syscall.Getpagesize() }

func (r *running) reserved(t *testing.T) int {
	t.Helper()
	bytes, err := r.network.reserved()
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// shutAgain closes a device whose closing failed.
func (b *Backend) shutAgain() error {
	b.monitor = watch(b.device, b.config.Poll, b.config.Log)
	return b.shut()
}
