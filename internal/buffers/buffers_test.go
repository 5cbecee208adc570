package buffers_test

import (
	"bytes"
	"testing"

	"hailo-depth/internal/buffers"
)

// TestGet has sizes that grow and shrink: each buffer has the size that was asked
// for, and no two that are in use share memory.
func TestGet(t *testing.T) {
	var pool buffers.Pool
	type user struct {
		*buffers.Buffer
		mark byte
		size int
	}
	var held []user
	for i := range 200 {
		size := 5000 - i*7919%5000
		b := pool.Get(size)
		if len(b.Bytes) != size {
			t.Fatalf("got %d bytes, want %d", len(b.Bytes), size)
		}
		for k := range b.Bytes {
			b.Bytes[k] = byte(i)
		}
		held = append(held, user{b, byte(i), size})
		if i%3 == 0 {
			held[0].Recycle()
			held = held[1:]
		}
		for _, h := range held {
			if len(h.Bytes) != h.size || bytes.Count(h.Bytes, []byte{h.mark}) != h.size {
				t.Fatal("a buffer in use was written into by the owner of another")
			}
		}
	}
}

func TestCopy(t *testing.T) {
	var pool buffers.Pool
	data := []byte("depth")
	b := pool.Copy(data)
	if data[0] = 'x'; string(b.Bytes) != "depth" {
		t.Errorf("got %q, want a copy of its own", b.Bytes)
	}
}

// TestLarge is of memory that is not kept: it may be recycled all the same.
func TestLarge(t *testing.T) {
	var pool buffers.Pool
	b := pool.Get(buffers.Largest + 1)
	b.Recycle()
	if again := pool.Get(buffers.Largest + 1); &again.Bytes[0] == &b.Bytes[0] {
		t.Error("memory beyond the largest size was kept")
	}
	var none *buffers.Buffer
	none.Recycle()
}
