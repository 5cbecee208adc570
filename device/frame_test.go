package device

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/iotest"
)

// frame puts the prefix before a body.
func frame(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// What is written is read again, however the bytes arrive, and nothing of what follows is taken.
func TestFramesComeBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	ways := map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader,
		"in halves": iotest.HalfReader, "with the end": iotest.DataErrReader,
	}
	for _, size := range []int{0, 1, 2, 511, 512, 513, 1<<16 - 1, 1 << 20, 1<<20 + 1, 3 << 20} {
		body := make([]byte, size)
		for i := range body {
			body[i] = byte(random.Uint32())
		}
		written := append(AppendFrame(nil), body...)
		if err := FinishFrame(written, int64(size)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written, frame(body)) {
			t.Fatalf("a frame of %d bytes is written otherwise than the protocol says", size)
		}
		for way, reader := range ways {
			if size > 1<<16 && way == "byte by byte" {
				continue // seconds for nothing new
			}
			r := reader(bytes.NewReader(append(written[:len(written):len(written)], frame([]byte("next"))...)))
			got, err := ReadFrame(r, int64(size))
			if err != nil || !bytes.Equal(got, body) {
				t.Fatalf("%d bytes %s: %d bytes, %v", size, way, len(got), err)
			}
			if next, err := ReadFrame(r, 4); err != nil || string(next) != "next" {
				t.Fatalf("after %d bytes %s: %q, %v", size, way, next, err)
			}
			if _, err := ReadFrame(r, 4); err != io.EOF {
				t.Fatalf("at the end: %v", err)
			}
		}
	}
}

func TestFramesThatAreNone(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		r    io.Reader
		want error
	}{
		"nothing":          {bytes.NewReader(nil), io.EOF},
		"half a prefix":    {bytes.NewReader([]byte{0, 0}), io.ErrUnexpectedEOF},
		"no body":          {bytes.NewReader([]byte{0, 0, 0, 1}), io.ErrUnexpectedEOF},
		"half a body":      {bytes.NewReader(frame([]byte("ab"))[:5]), io.ErrUnexpectedEOF},
		"broken in prefix": {io.MultiReader(bytes.NewReader([]byte{0}), iotest.ErrReader(broken)), broken},
		"broken in body":   {io.MultiReader(bytes.NewReader([]byte{0, 0, 0, 9, 1}), iotest.ErrReader(broken)), broken},
	} {
		if body, err := ReadFrame(c.r, 100); !errors.Is(err, c.want) || body != nil {
			t.Errorf("%s: %v, %v", name, body, err)
		}
	}
}

// The limit is exact, for who reads as for who writes, and a number over 2^31
// is a length and not negative.
func TestFrameLimit(t *testing.T) {
	for _, c := range []struct{ length, limit int64 }{{11, 10}, {1, 0}, {math.MaxUint32, math.MaxInt32}, {1 << 31, 1<<31 - 1}} {
		prefix := binary.BigEndian.AppendUint32(nil, uint32(c.length))
		_, err := ReadFrame(io.MultiReader(bytes.NewReader(prefix), iotest.ErrReader(errors.New("read on"))), c.limit)
		var tooLarge *TooLargeError
		if !errors.As(err, &tooLarge) || *tooLarge != (TooLargeError{Bytes: c.length, Limit: c.limit}) {
			t.Errorf("%d bytes with a limit of %d: %v", c.length, c.limit, err)
		}
	}
	_, err := ReadFrame(bytes.NewReader(frame(make([]byte, 11))), 10)
	if err == nil || err.Error() != "Message too large: 11 bytes" { // clients match on it
		t.Error(err)
	}
	if err := FinishFrame(make([]byte, 4+11), 10); err == nil || err.Error() != "Message too large: 11 bytes" {
		t.Error(err)
	}
	if err := FinishFrame(make([]byte, 3), 10); err == nil {
		t.Error("a frame without a prefix was finished")
	}
}

// A promise of 4 GiB costs what arrives, not what was promised.
func TestHugePromiseTakesLittle(t *testing.T) {
	r := bytes.NewReader(append([]byte{0xff, 0xff, 0xff, 0xff}, make([]byte, 100)...))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ReadFrame(r, math.MaxUint32)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 { // the first buffer, twice under the race detector
		t.Errorf("%d bytes of memory were taken", used)
	}
}
