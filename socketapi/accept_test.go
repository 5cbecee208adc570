package socketapi_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"hailo-depth/device"
)

// Want of descriptors passes: the server waits a little and goes on.
func TestAcceptFailsForAWhile(t *testing.T) {
	inBubble(t, newServer(fakeManager{}), func(t *testing.T, p *pipes, stop context.CancelFunc, stopped <-chan error) {
		began := time.Now()
		for range 10 {
			p.errs <- &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
		}
		if time.Since(began) < 500*time.Millisecond {
			t.Error("ten failures in a row without a pause")
		}
		ask(t, p.connect(t), ping)
		expectStop(t, stop, stopped, 0)
	})
}

// A listener that is broken ends the server, and with it the clients: nobody
// would be left who could stop it.
func TestAcceptFailsForGood(t *testing.T) {
	broken := errors.New("broken")
	inBubble(t, newServer(fakeManager{}), func(t *testing.T, p *pipes, _ context.CancelFunc, stopped <-chan error) {
		c := p.connect(t)
		ask(t, c, ping)
		p.errs <- broken
		expectEnd(t, c)
		if err := <-stopped; !errors.Is(err, broken) {
			t.Errorf("the server ended with %v", err)
		}
	})
}

// One connection too many is told why, also when it has not asked yet, and
// costs nobody else anything; a place that is free again is given away.
func TestTooManyConnections(t *testing.T) {
	s := newServer(fakeManager{})
	s.MaxConnections = 2
	path := serve(t, s)
	first, second := dial(t, path), dial(t, path)
	ask(t, first, ping)
	ask(t, second, ping)
	const want = `{"error": "too many connections: 2 are open", "kind": "queue_full", "reason": "rejected", "retry_after_ms": 1000}`
	third := dial(t, path)
	if got := receive(t, third); got != want {
		t.Errorf("answered %s", got)
	}
	expectEnd(t, third)
	client := &device.Client{Path: path}
	t.Cleanup(func() { _ = client.Close() })
	_, err := client.Status(t.Context())
	if e, ok := errors.AsType[*device.Error](err); !ok || e.Kind != device.KindBusy || e.RetryAfter != time.Second {
		t.Errorf("the client library says %v", err)
	}
	ask(t, second, ping)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; { // until the server has seen the end of the first
		_, err := client.Status(t.Context())
		if err == nil {
			break
		}
		if !strings.HasPrefix(err.Error(), "too many connections") || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
