package socketapi_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"hailo-depth/socketapi"
)

// pipes is a listener within a synctest bubble, where real sockets cannot be.
type pipes struct {
	conns  chan net.Conn
	errs   chan error // of Accept
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), errs: make(chan error), closed: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case err := <-p.errs:
		return nil, err
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// connect gives the server one end; the other is closed when the test ends.
func (p *pipes) connect(t *testing.T) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _ = ours.Close() })
	p.conns <- theirs
	return ours
}

// inBubble serves within a bubble. The bubble fails when a goroutine of the
// server is left behind.
func inBubble(t *testing.T, s *socketapi.Server, test func(t *testing.T, p *pipes, stop context.CancelFunc, stopped <-chan error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stopped := make(chan error, 1)
		go func() { stopped <- s.Serve(ctx, p) }()
		test(t, p, cancel, stopped)
	})
}
