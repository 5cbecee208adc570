package socketapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sys/unix"

	"hailo-depth/device"
)

// connection is one client: its requests are answered in order.
type connection struct {
	net.Conn
	server *Server
	terms  device.Terms // of requests that state none
}

// serve ends when the client leaves, breaks the protocol or, between requests,
// when ctx ends.
func (c *connection) serve(ctx context.Context) {
	defer func() { _ = c.Close() }() // everything was written or the client is gone
	stop := context.AfterFunc(ctx, func() {
		_ = c.SetReadDeadline(time.Unix(1, 0))
		_ = c.SetWriteDeadline(time.Now().Add(stopTimeout))
	})
	defer stop()
	for {
		body, err := c.read(ctx)
		var tooLarge *device.TooLargeError
		switch {
		case errors.As(err, &tooLarge):
			c.write(ctx, nil, nil, &device.Error{Kind: device.KindInvalid, Message: err.Error()}, false)
			return
		case err != nil:
			if !errors.Is(err, io.EOF) && ctx.Err() == nil {
				c.server.Log.Debug("lost a client", "error", err)
			}
			return
		}
		if !c.answer(ctx, body) {
			return
		}
	}
}

// read waits for a request without a limit and for its body with one.
func (c *connection) read(ctx context.Context) ([]byte, error) {
	length, err := device.ReadFrameLength(c, c.server.MaxMessage)
	if err != nil {
		return nil, err
	}
	if err := c.SetReadDeadline(time.Now().Add(bodyTimeout)); err != nil {
		return nil, err
	}
	if ctx.Err() != nil { // the deadline that ends everything was just overwritten
		return nil, ctx.Err()
	}
	body, err := device.ReadFrameBody(c, length)
	if err != nil {
		return nil, err
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	if ctx.Err() != nil { // likewise
		return nil, ctx.Err()
	}
	return body, nil
}

// answer reports whether the connection can go on.
func (c *connection) answer(serving context.Context, body []byte) bool {
	q, err := parseRequest(body)
	if err != nil {
		c.write(serving, nil, nil, err, false)
		return false
	}
	// A request that was read is answered, also when the manager is stopping:
	// the manager itself says so.
	ctx, cancel := context.WithCancel(device.WithTerms(context.WithoutCancel(serving), c.terms))
	var watch sync.WaitGroup
	defer watch.Wait()
	defer cancel()
	watch.Go(func() { c.cancelOnHangup(ctx, cancel) })
	answer, err := q.do(ctx, c.server.Manager)
	if ctx.Err() != nil {
		return false // nobody is there to read it
	}
	return c.write(serving, answer, q.RequestID, err, q.detail())
}

// hangupCheck is how often a client that waits is looked at.
const hangupCheck = 100 * time.Millisecond

// cancelOnHangup cancels when the client has gone, so that what it asked for
// leaves the queue. A client that only closed its sending half still listens.
func (c *connection) cancelOnHangup(ctx context.Context, cancel context.CancelFunc) {
	raw, ok := c.Conn.(syscall.Conn)
	if !ok {
		return
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return
	}
	tick := time.NewTicker(hangupCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		gone := false
		err := control.Control(func(fd uintptr) {
			fds := []unix.PollFd{{Fd: int32(fd)}}
			n, err := unix.Poll(fds, 0)
			gone = err == nil && n > 0 && fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0
		})
		if gone || err != nil {
			cancel()
			return
		}
	}
}

// write sends the answer, or err in its place, and reports whether it did.
func (c *connection) write(serving context.Context, answer []byte, id jsontext.Value, err error, detail bool) bool {
	if err != nil {
		answer = appendFailure(begin(), err, detail)
	}
	frame, err := finish(appendID(answer, id), c.server.MaxMessage)
	if err != nil {
		tooLarge := fmt.Sprintf("Response too large: %d bytes", len(answer))
		failure := appendFailure(begin(), &device.Error{Kind: device.KindInvalid, Message: tooLarge}, detail)
		if frame, err = finish(appendID(failure, id), c.server.MaxMessage); err != nil {
			return false
		}
	}
	if err := c.SetWriteDeadline(time.Now().Add(bodyTimeout)); err != nil {
		return false
	}
	if serving.Err() != nil { // the shorter deadline was just overwritten
		if err := c.SetWriteDeadline(time.Now().Add(stopTimeout)); err != nil {
			return false
		}
	}
	_, err = c.Write(frame)
	return err == nil
}
