package device

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxIdle bounds the connections that a client keeps for its next requests.
const maxIdle = 32

// sendBuffer is what a connection may hold of a request in bytes: all of one
// picture, so that the client does not wait for the manager to take it piece by
// piece. The kernel may grant less.
const sendBuffer = 1 << 20

// retryUnavailable is how soon a manager that is away may be back.
const retryUnavailable = 2 * time.Second

// line is a client's connections to a socket, each for one call at a time.
type line struct {
	mu     sync.Mutex
	idle   []net.Conn
	closed bool
}

// call makes a connection, or takes one that was kept, and has exchange send the
// request and read the answer; keep says that the connection is as new then.
// A kept connection that turns out to be dead costs another, not the call. When
// ctx ends the connection's deadline passes. Errors are *Error; exchange may
// give one itself, which ends the call.
func (l *line) call(ctx context.Context, path string, exchange func(net.Conn) (keep bool, err error)) error {
	if ctx.Err() != nil {
		return gaveUp(ctx)
	}
	conn, reused := l.take()
	for {
		if conn == nil {
			var err error
			if conn, err = l.dial(ctx, path); err != nil {
				return err
			}
			reused = false
		}
		err := l.use(ctx, conn, exchange)
		own, isOwn := errors.AsType[*Error](err)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return gaveUp(ctx)
		case isOwn:
			return own
		case !reused || errors.Is(err, io.ErrUnexpectedEOF):
			return away("lost the device manager", path, err)
		}
		conn = nil // the manager was restarted since the connection's last use
	}
}

// use ends with the connection kept or closed.
func (l *line) use(ctx context.Context, conn net.Conn, exchange func(net.Conn) (bool, error)) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	keep, err := exchange(conn)
	if !stop() && err == nil {
		err = context.Cause(ctx) // the connection's deadline has passed: it cannot be kept
	}
	if err == nil && keep {
		l.give(conn)
		return nil
	}
	if closeErr := conn.Close(); err != nil {
		err = errors.Join(err, closeErr)
	}
	return err
}

func gaveUp(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &Error{Kind: KindTimeout, Reason: ReasonExpired, Message: "the device manager did not answer before the deadline"}
	}
	return &Error{Kind: KindCanceled, Reason: ReasonCancelled, Message: "the request was canceled"}
}

func away(what, path string, err error) error {
	if cause, ok := errors.AsType[syscall.Errno](err); ok {
		err = cause // without the layers that name the path once more
	}
	return &Error{Kind: KindUnavailable, RetryAfter: retryUnavailable, Message: fmt.Sprintf("%s at %s: %v", what, path, err)}
}

// absent is an error of call: nobody listens on the socket, so that the request
// was not sent.
type absent struct{ cause *Error }

func (a *absent) Error() string { return a.cause.Message }
func (a *absent) Unwrap() error { return a.cause }

func (l *line) dial(ctx context.Context, path string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		if u, ok := conn.(*net.UnixConn); ok {
			_ = u.SetWriteBuffer(sendBuffer) // without it is slower, not wrong
		}
		return conn, nil
	case ctx.Err() != nil:
		return nil, gaveUp(ctx)
	case errors.Is(err, os.ErrPermission):
		return nil, &Error{Kind: KindUnavailable, Message: fmt.Sprintf(
			"no permission to use the device manager's socket %s: this user must be in the socket's group", path)}
	}
	gone := away("no device manager", path, err)
	if e, ok := errors.AsType[*Error](gone); ok && (errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)) {
		return nil, &absent{e}
	}
	return nil, gone
}

func (l *line) take() (net.Conn, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.idle) == 0 {
		return nil, false
	}
	conn := l.idle[len(l.idle)-1]
	l.idle = l.idle[:len(l.idle)-1]
	return conn, true
}

func (l *line) give(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.idle) >= maxIdle {
		_ = conn.Close() // nothing is in flight on it
		return
	}
	l.idle = append(l.idle, conn)
}

// close ends the idle connections; calls after it still work, unpooled.
func (l *line) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	var err error
	for _, conn := range l.idle {
		err = errors.Join(err, conn.Close())
	}
	l.idle = nil
	return err
}
