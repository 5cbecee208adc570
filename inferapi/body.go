package inferapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"hailo-depth/device"
	"hailo-depth/internal/buffers"
	"hailo-depth/oip"
)

// Bodies is the memory of requests' bodies: bounded altogether, and used again.
// Its methods are safe for concurrent use.
type Bodies struct {
	limit int64
	used  atomic.Int64
	free  buffers.Pool
}

// NewBodies bounds all bodies to so many bytes together.
func NewBodies(limit int64) *Bodies { return &Bodies{limit: limit} }

// admit counts a body of size bytes, or says that there is no room for it now.
func (b *Bodies) admit(size int64) error {
	if used := b.used.Add(size); used > b.limit {
		b.used.Add(-size)
		return &device.Error{Kind: device.KindBusy, RetryAfter: time.Second, Message: fmt.Sprintf(
			"no memory for a body of %d bytes: those of other requests take %d of %d", size, used-size, b.limit)}
	}
	return nil
}

// body is a request's body in memory.
type body struct {
	bytes  []byte
	head   int64 // oip.NoHead where it is JSON altogether
	bodies *Bodies
	size   int64           // as counted
	memory *buffers.Buffer // of bytes; nil: memory that is not used again
}

// release ends its count. reuse says that nobody has the bytes any more, so
// that another request may.
func (b *body) release(reuse bool) {
	b.bodies.used.Add(-b.size)
	if reuse {
		b.memory.Recycle()
	}
}

// readBody admits a body and reads it into one piece of memory. A body of
// unknown length counts as one of the largest.
func (s *session) readBody(w http.ResponseWriter, r *http.Request) (b *body, err error) {
	head, err := headLength(r)
	if err != nil {
		return nil, err
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, &httpError{http.StatusUnsupportedMediaType, invalid("the Content-Encoding %s is not understood; send the body as it is", clip(encoding))}
	}
	tooLarge := func(size int64) error {
		return &httpError{http.StatusRequestEntityTooLarge, invalid("Message too large: %d bytes; at most %d are taken", size, s.MaxMessage)}
	}
	size := r.ContentLength
	switch {
	case size > s.MaxMessage:
		return nil, tooLarge(size)
	case size < 0:
		size = s.MaxMessage
	}
	if err := s.Bodies.admit(size); err != nil {
		return nil, err
	}
	b = &body{head: head, bodies: s.Bodies, size: size}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout)) // writers of tests have none
	if r.ContentLength >= 0 {
		b.memory = s.Bodies.free.Get(int(size))
		b.bytes = b.memory.Bytes
		_, err = io.ReadFull(r.Body, b.bytes)
	} else {
		b.bytes, err = readChunks(r.Body, s.MaxMessage)
		if err == nil && int64(len(b.bytes)) > s.MaxMessage {
			err = tooLarge(int64(len(b.bytes)))
		}
	}
	if err != nil {
		b.release(true)
		if _, ok := errors.AsType[*httpError](err); ok {
			return nil, err
		}
		return nil, &httpError{http.StatusRequestTimeout, &device.Error{Kind: device.KindTimeout, Reason: device.ReasonRejected, Message: fmt.Sprintf("the body did not arrive: %v", err)}}
	}
	_ = control.SetReadDeadline(time.Time{}) // from here on only the client's leaving ends a read
	return b, nil
}

// readChunks takes memory as the bytes come; it reads one more than limit.
func readChunks(r io.Reader, limit int64) ([]byte, error) {
	var all bytes.Buffer
	_, err := io.Copy(&all, io.LimitReader(r, limit+1))
	return all.Bytes(), err
}

// headLength is the length of the JSON head, oip.NoHead where none is told.
func headLength(r *http.Request) (int64, error) {
	text := r.Header.Get(oip.HeadLength)
	if text == "" {
		return oip.NoHead, nil
	}
	n, err := strconv.ParseUint(text, 10, 62)
	if err != nil {
		return 0, invalid("%s is %q; expected a number of bytes", oip.HeadLength, clip(text))
	}
	return int64(n), nil
}
