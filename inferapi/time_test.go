package inferapi_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
	"hailo-depth/inferapi"
)

// pipes is a listener within a synctest bubble, where real sockets cannot be.
type pipes struct {
	conns  chan net.Conn
	errs   chan error // of Accept
	closed chan struct{}
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
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// conn is a client's end, with what was read ahead.
type conn struct {
	net.Conn
	*bufio.Reader
}

func (c conn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// answer reads one; its body is closed by the end of the connection.
func (c conn) answer(t *testing.T) (status int, body string) {
	t.Helper()
	r, err := http.ReadResponse(c.Reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// inBubble serves within a bubble, which fails when a goroutine of the server is
// left behind.
func inBubble(t *testing.T, m inferapi.Manager, test func(t *testing.T, p *pipes, connect func() conn, stop func() error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), errs: make(chan error), closed: make(chan struct{})}
		api := newAPI(m, inferapi.Named{Name: "m", Model: device.Model{Type: "pose", Path: "/m"}})
		server := &inferapi.Server{API: api, Access: inferapi.Access{Trusted: true}, MaxConnections: 4, StopTimeout: 10 * time.Second}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stopped := make(chan error, 1)
		go func() { stopped <- server.Serve(ctx, p) }()
		connect := func() conn {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { _ = ours.Close() })
			p.conns <- theirs
			return conn{ours, bufio.NewReader(ours)}
		}
		test(t, p, connect, func() error {
			cancel()
			return <-stopped
		})
	})
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n" }

// A connection may rest between requests for longer than an answer may take.
func TestConnectionsMayRest(t *testing.T) {
	inBubble(t, &fake{}, func(t *testing.T, _ *pipes, connect func() conn, stop func() error) {
		c := connect()
		for _, path := range []string{"/v2", "/healthz", "/v2/health/live", "/metrics", "/v1/ps"} {
			fmt.Fprint(c.Conn, get(path))
			if status, body := c.answer(t); status != 200 {
				t.Errorf("%s: %d %s", path, status, body)
			}
			time.Sleep(4 * time.Minute)
		}
		time.Sleep(2 * time.Minute)
		if _, err := c.Conn.Write([]byte("G")); err == nil {
			t.Error("a connection rests for ever")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// Headers and bodies that do not arrive end the connection in time, and their
// memory is free again.
func TestSlowClients(t *testing.T) {
	inBubble(t, &fake{}, func(t *testing.T, _ *pipes, connect func() conn, stop func() error) {
		c := connect()
		fmt.Fprint(c.Conn, "GET /v2 HTTP/1.1\r\nHost: loc")
		began := time.Now()
		if _, err := io.ReadAll(c); err != nil || time.Since(began) > 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		for range 10 { // more than there is memory for at once
			c = connect()
			fmt.Fprintf(c.Conn, "POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n{", maxMessage)
			began = time.Now()
			if status, body := c.answer(t); status != 408 || !strings.Contains(body, "the body did not arrive") || time.Since(began) > 2*time.Minute {
				t.Errorf("%d %s after %v", status, body, time.Since(began))
			}
			_ = c.Close()
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A client that does not take its answer is cut off in time.
func TestAnswersThatAreNotTaken(t *testing.T) {
	inBubble(t, &fake{infer: func(context.Context, device.Model, device.Input) (device.Result, error) {
		return device.Result{Tensor: picture(1)}, nil
	}}, func(t *testing.T, _ *pipes, connect func() conn, stop func() error) {
		body := flat(1, "")
		for _, request := range []string{get("/metrics"), get("/v2"), fmt.Sprintf("POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(body), body)} {
			c := connect()
			fmt.Fprint(c.Conn, request)
			time.Sleep(2 * time.Minute)
			if text, err := io.ReadAll(c); len(text) > 0 {
				t.Errorf("%.20s: %q, %v", request, text, err)
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// A request under way when the server stops is answered; a client that does not
// take its answer is cut off.
func TestStop(t *testing.T) {
	m := &fake{}
	inBubble(t, m, func(t *testing.T, _ *pipes, connect func() conn, stop func() error) {
		release := make(chan struct{}) // of the bubble, which waits for it
		m.infer = func(context.Context, device.Model, device.Input) (device.Result, error) {
			<-release
			return device.Result{Tensor: picture(1)}, nil
		}
		ask := func(c conn) {
			body := flat(1, "")
			fmt.Fprintf(c.Conn, "POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}
		idle, reads, ignores := connect(), connect(), connect()
		fmt.Fprint(idle.Conn, get("/v2"))
		idle.answer(t)
		ask(reads)
		ask(ignores)
		stopped := make(chan error)
		began := time.Now()
		go func() { stopped <- stop() }()
		synctest.Wait()
		close(release)
		if status, body := reads.answer(t); status != 200 {
			t.Errorf("%d %s", status, body)
		}
		if err := <-stopped; err != nil || time.Since(began) > 11*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if text, err := io.ReadAll(ignores); bytes.Contains(text, []byte("outputs")) {
			t.Errorf("%q, %v", text, err)
		}
	})
}

// A listener that is broken ends the server, and with it the clients.
func TestAcceptFails(t *testing.T) {
	broken := errors.New("broken")
	inBubble(t, &fake{}, func(t *testing.T, p *pipes, connect func() conn, stop func() error) {
		c := connect()
		fmt.Fprint(c.Conn, get("/v2"))
		c.answer(t)
		p.errs <- broken
		if _, err := io.ReadAll(c); err != nil {
			t.Error(err)
		}
		if err := stop(); !errors.Is(err, broken) {
			t.Errorf("the server ended with %v", err)
		}
	})
}
