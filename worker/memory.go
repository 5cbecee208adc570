package worker

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// MaxRegion bounds the shared memory of one network, in bytes: all its inputs and outputs.
const MaxRegion = 1 << 30

// memory is a mapped memfd that both sides see.
type memory struct {
	layout region
	data   []byte
}

// newMemory makes the memory for a network's tensors and returns it with the
// descriptor to pass on, which the caller closes.
func newMemory(s Signature) (*memory, int, error) {
	layout, err := plan(s)
	if err != nil {
		return nil, -1, err
	}
	return makeMemory(layout)
}

// makeMemory is newMemory for a layout.
func makeMemory(layout region) (*memory, int, error) {
	fd, err := unix.MemfdCreate("hailo-tensors", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, -1, fmt.Errorf("memfd_create: %w", err)
	}
	if err := unix.Ftruncate(fd, layout.Bytes); err != nil {
		return nil, -1, errors.Join(fmt.Errorf("size of shared memory: %w", err), unix.Close(fd))
	}
	// Sealed, so that no side can make the other's mapping end in SIGBUS.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return nil, -1, errors.Join(fmt.Errorf("sealing shared memory: %w", err), unix.Close(fd))
	}
	m, err := mapMemory(fd, layout)
	if err != nil {
		return nil, -1, errors.Join(err, unix.Close(fd))
	}
	return m, fd, nil
}

const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

// openMemory maps what a worker sent. It takes fd over and trusts nothing: the
// size, the seals and the offsets are checked first.
func openMemory(fd int, layout region, s Signature) (*memory, error) {
	m, err := checkMemory(fd, layout, s)
	return m, errors.Join(err, unix.Close(fd))
}

func checkMemory(fd int, layout region, s Signature) (*memory, error) {
	if layout.Bytes <= 0 || layout.Bytes > MaxRegion {
		return nil, fmt.Errorf("shared memory of %d bytes does not suit a network; wanted 1 to %d", layout.Bytes, MaxRegion)
	}
	for number := range 2 {
		p, ok := layout.set(number)
		if !ok {
			continue
		}
		if err := p.check(s, layout.Bytes); err != nil {
			return nil, err
		}
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, fmt.Errorf("shared memory: %w", err)
	}
	has, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil || has&unix.F_SEAL_SHRINK == 0 || stat.Size < layout.Bytes {
		return nil, fmt.Errorf("shared memory of %d bytes with seals %#x; wanted %d bytes, sealed against shrinking", stat.Size, has, layout.Bytes)
	}
	return mapMemory(fd, layout)
}

// check sees to it that every tensor lies within the memory.
func (p places) check(s Signature, bytes int64) error {
	if len(p.Inputs) != len(s.Inputs) || len(p.Outputs) != len(s.Outputs) {
		return fmt.Errorf("shared memory layout %+v does not suit %d inputs and %d outputs", p, len(s.Inputs), len(s.Outputs))
	}
	offsets := slices.Concat(p.Inputs, p.Outputs)
	for i, t := range slices.Concat(s.Inputs, s.Outputs) {
		size, err := t.bytes()
		if err != nil {
			return err
		}
		if offsets[i] < 0 || offsets[i] > bytes || size > bytes-offsets[i] {
			return fmt.Errorf("tensor %q of %d bytes at %d lies outside the %d bytes of shared memory", t.Name, size, offsets[i], bytes)
		}
	}
	return nil
}

func mapMemory(fd int, layout region) (*memory, error) {
	data, err := unix.Mmap(fd, 0, int(layout.Bytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping shared memory: %w", err)
	}
	return &memory{layout: layout, data: data}, nil
}

// plan lays the tensors out one after another, each on a page of its own.
func plan(s Signature) (region, error) {
	page := int64(os.Getpagesize())
	var r region
	place := func(tensors []TensorInfo) ([]int64, error) {
		var offsets []int64
		for _, t := range tensors {
			size, err := t.bytes()
			if err != nil {
				return nil, err
			}
			if size > MaxRegion-r.Bytes {
				return nil, fmt.Errorf("tensor %q of %d bytes: a network may have %d bytes of inputs and outputs", t.Name, size, MaxRegion)
			}
			offsets = append(offsets, r.Bytes)
			r.Bytes += (size + page - 1) / page * page
		}
		return offsets, nil
	}
	var err error
	if r.Inputs, err = place(s.Inputs); err != nil {
		return r, err
	}
	if r.Outputs, err = place(s.Outputs); err != nil {
		return r, err
	}
	r.Bytes = max(r.Bytes, page)
	return r, nil
}

// mostDoubled is up to which size of its inputs and outputs together, in bytes, a
// network gets a second set of them.
const mostDoubled = 16 << 20

// doubled adds a second set of places behind the first, unless that would be large.
func (r region) doubled() region {
	if r.Bytes > mostDoubled {
		return r
	}
	behind := func(offsets []int64) []int64 {
		moved := slices.Clone(offsets)
		for i := range moved {
			moved[i] += r.Bytes
		}
		return moved
	}
	return region{Bytes: 2 * r.Bytes, Inputs: r.Inputs, Outputs: r.Outputs, Second: &places{behind(r.Inputs), behind(r.Outputs)}}
}

// views cuts the mapping into one slice a tensor.
func (m *memory) views(tensors []TensorInfo, offsets []int64) [][]byte {
	views := make([][]byte, len(tensors))
	for i, t := range tensors {
		size, _ := t.bytes() // checked when the memory was made or opened
		views[i] = m.data[offsets[i] : offsets[i]+size : offsets[i]+size]
	}
	return views
}

func (m *memory) close() error { return unix.Munmap(m.data) }
