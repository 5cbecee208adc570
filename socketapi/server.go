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

	"golang.org/x/sys/unix"

	"hailo-depth/device"
	"hailo-depth/peer"
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

// stopTimeout is how long, once the server stops, an answer may take to a
// client that does not read.
const stopTimeout = 2 * time.Second

// acceptPause is how long no client is accepted when one could not be.
const acceptPause = 100 * time.Millisecond

// Serve answers clients until ctx ends; then it closes the listener, lets
// requests under way be answered, and returns when the last client is served.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		if err := l.Close(); err != nil { // ends Accept
			s.Log.Warn("closing the socket", "error", err)
		}
	})
	var clients sync.WaitGroup
	defer func() {
		cancel() // when accepting failed, clients would stay for ever
		clients.Wait()
		<-closed // only now has the socket's file gone
	}()
	free := make(chan struct{}, s.MaxConnections)
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil
		case passes(err):
			s.Log.Warn("cannot accept a client now", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		default:
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
			c := &connection{Conn: conn, server: s, terms: device.DefaultTerms()}
			c.terms.Client = peer.Name(conn)
			c.serve(ctx)
		})
	}
}

// passes reports whether accepting fails only for want of descriptors or
// memory, or because of one client.
func passes(err error) bool {
	for _, e := range []error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// turnAway tells a client too many why it is not served.
func (s *Server) turnAway(conn net.Conn) {
	err := &device.Error{Kind: device.KindBusy, RetryAfter: time.Second,
		Message: fmt.Sprintf("too many connections: %d are open", s.MaxConnections)}
	frame, _ := finish(appendID(appendFailure(begin(), err, true), nil), s.MaxMessage) // it is short
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, writeErr := conn.Write(frame)
	s.Log.Warn("turned a client away", "error", errors.Join(err, writeErr, conn.Close()))
}
