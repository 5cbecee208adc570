// Package socketapi serves the device manager's socket protocol: frames of JSON
// over a Unix socket, as existing services speak it (docs/socket-protocol.md).
package socketapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"hailo-depth/device"
)

// Manager is what the protocol gives access to.
type Manager interface {
	device.Service
	// Check refuses a model that cannot be loaded without asking the device.
	Check(m device.Model) error
}

// Server answers clients.
type Server struct {
	Manager        Manager
	MaxMessage     int64 // of a request and of an answer, in bytes
	MaxConnections int
	Log            *slog.Logger
}

// bodyTimeout is how long the rest of a frame may take once its prefix is
// there, and an answer to a client that does not read.
const bodyTimeout = 60 * time.Second

// Serve answers clients until ctx ends; then it closes the listener, lets
// requests under way be answered, and returns when the last client is served.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // ends Accept
	defer stop()
	var clients sync.WaitGroup
	defer clients.Wait()
	free := make(chan struct{}, s.MaxConnections)
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accepting a client: %w", err)
		}
		select {
		case free <- struct{}{}:
		default:
			s.turnAway(conn)
			continue
		}
		clients.Go(func() {
			defer func() { <-free }()
			c := &connection{Conn: conn, server: s}
			c.serve(ctx)
		})
	}
}

// turnAway tells a client too many why it is not served.
func (s *Server) turnAway(conn net.Conn) {
	err := &device.Error{Kind: device.KindBusy, RetryAfter: time.Second,
		Message: fmt.Sprintf("too many connections: %d are open", s.MaxConnections)}
	frame, _ := finish(appendFailure(begin(), err, true), s.MaxMessage)
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, writeErr := conn.Write(frame)
	s.Log.Warn("turned a client away", "error", errors.Join(err, writeErr, conn.Close()))
}
