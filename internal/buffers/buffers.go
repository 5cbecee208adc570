// Package buffers has large pieces of memory serve one request after another:
// fresh ones of hundreds of kilobytes cost page faults and collections, which make
// the slow requests of a busy program.
package buffers

import "sync"

// Largest is the size in bytes beyond which memory is not kept: pictures and maps
// are smaller, and what is larger is rare.
const Largest = 4 << 20

// Pool keeps what was recycled. The zero value is ready; its methods are safe for
// concurrent use.
type Pool struct {
	free sync.Pool // of *Buffer
}

// Buffer is a piece of memory with one owner at a time.
type Buffer struct {
	Bytes []byte
	pool  *Pool // nil: too large to be kept
}

// Get gives memory of size bytes, whatever was in it before.
func (p *Pool) Get(size int) *Buffer {
	if size > Largest {
		return &Buffer{Bytes: make([]byte, size)}
	}
	b, ok := p.free.Get().(*Buffer)
	if !ok || cap(b.Bytes) < size {
		return &Buffer{Bytes: make([]byte, size), pool: p}
	}
	b.Bytes = b.Bytes[:size]
	return b
}

// Copy gives memory with the bytes of data.
func (p *Pool) Copy(data []byte) *Buffer {
	b := p.Get(len(data))
	copy(b.Bytes, data)
	return b
}

// Recycle lets the memory serve others, which will write into it: its owner calls
// it once, when nobody has the bytes any more, or leaves it to the garbage collector.
// It does nothing for nil.
func (b *Buffer) Recycle() {
	if b != nil && b.pool != nil {
		b.pool.free.Put(b)
	}
}
