package inferapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"hailo-depth/device"
)

// Server serves the API on a listener.
type Server struct {
	API            *API
	Access         Access
	MaxConnections int
	// StopTimeout is how long requests under way may take when the server stops.
	StopTimeout time.Duration
	// Client is whom a connection's requests count for unless they say; nil: nobody.
	Client func(net.Conn) string
}

// Limits of a connection that does nothing useful.
const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 5 * time.Minute
	maxHeader     = 16 << 10 // bytes
	// sendBuffer is what a local connection may hold of an answer: all of one map,
	// so that it does not leave piece by piece, as the client takes it. The kernel
	// may grant less.
	sendBuffer = 1 << 20
)

// Serve answers clients until ctx ends; then it closes the listener, lets
// requests under way be answered within StopTimeout, and returns when the last
// client is served.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	log := s.API.Log
	server := &http.Server{
		Handler: s.API.Handler(s.Access), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ConnContext: s.connContext,
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.StopTimeout)
		defer cancel()
		if err := server.Shutdown(within); err != nil {
			log.Warn("requests were cut off", "error", err)
			_ = server.Close() // what it could not wait for
		}
	})
	err := server.Serve(&limited{Listener: l, free: make(chan struct{}, s.MaxConnections), log: log})
	if stop() { // accepting failed
		return errors.Join(fmt.Errorf("accepting a client: %w", err), server.Close())
	}
	<-stopped
	return nil
}

func (s *Server) connContext(ctx context.Context, c net.Conn) context.Context {
	if s.Client == nil {
		return ctx
	}
	if own, ok := c.(*counted); ok {
		c = own.Conn
	}
	terms := device.DefaultTerms()
	terms.Client = s.Client(c)
	return device.WithTerms(ctx, terms)
}

// limited turns clients away beyond a number of connections.
type limited struct {
	net.Listener
	free chan struct{}
	log  *slog.Logger
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			if u, ok := conn.(*net.UnixConn); ok {
				_ = u.SetWriteBuffer(sendBuffer) // without it is slower, not wrong
			}
			return &counted{Conn: conn, close: sync.OnceValue(func() error {
				defer func() { <-l.free }()
				return conn.Close()
			})}, nil
		default:
			l.turnAway(conn)
		}
	}
}

// turnAway tells a client too many why it is not served.
func (l *limited) turnAway(conn net.Conn) {
	why := device.Refusal{Error: fmt.Sprintf("too many connections: %d are open", cap(l.free)),
		Kind: device.KindBusy, Reason: device.ReasonRejected, RetryAfterMS: 1000}
	body, err := json.Marshal(why)
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, writeErr := fmt.Fprintf(conn, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	l.log.Warn("turned a client away", "error", errors.Join(err, writeErr, conn.Close()))
}

// counted is a connection that has a place.
type counted struct {
	net.Conn
	close func() error
}

func (c *counted) Close() error { return c.close() }
