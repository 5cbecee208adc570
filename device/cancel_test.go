package device

import (
	"context"
	"net"
	"strings"
	"testing"
)

// waiting is a manager that does not answer the first connection and tells when
// it has a request and when its client has hung up.
func waiting(t *testing.T) (m *fakeManager, has, left chan struct{}) {
	has, left = make(chan struct{}), make(chan struct{})
	m = listen(t, socketPath(t), func(number int, c net.Conn) {
		if number > 0 {
			answerWith(okLoad)(number, c)
			return
		}
		if request(c) != nil {
			close(has)
		}
		if request(c) == nil {
			close(left)
		}
	})
	return m, has, left
}

// A caller that gives up hangs up, which is what takes its request out of the
// manager's queue, and the next call works.
func TestCancelWhileWaiting(t *testing.T) {
	m, has, left := waiting(t)
	c := client(t, m.path)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := c.Load(ctx, theModel())
		ended <- err
	}()
	<-has
	cancel()
	expectError(t, <-ended, KindCanceled)
	<-left
	mustLoad(t, c)
	if n := m.connections(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

func TestDeadlineWhileWaiting(t *testing.T) {
	m, has, left := waiting(t)
	c := client(t, m.path)
	ctx := expiry{t.Context(), make(chan struct{})}
	ended := make(chan error)
	go func() {
		_, err := c.Load(ctx, theModel())
		ended <- err
	}()
	<-has
	close(ctx.passed)
	expectError(t, <-ended, KindTimeout)
	<-left
	mustLoad(t, c)
}

// A manager that does not read: the call is not stuck in sending either.
func TestCancelWhileSending(t *testing.T) {
	accepted := make(chan struct{})
	release := make(chan struct{})
	defer close(release)
	m := listen(t, socketPath(t), func(int, net.Conn) {
		close(accepted)
		<-release
	})
	c := client(t, m.path)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := c.Load(ctx, Model{Type: "depth", Path: strings.Repeat("a", 4<<20)}) // more than a socket holds
		ended <- err
	}()
	<-accepted
	cancel()
	expectError(t, <-ended, KindCanceled)
}

// One caller's end is no other's.
func TestCancelIsOnlyOnes(t *testing.T) {
	has, release := make(chan struct{}, 2), make(chan struct{})
	m := listen(t, socketPath(t), func(_ int, c net.Conn) {
		if request(c) == nil {
			return
		}
		has <- struct{}{}
		<-release
		_, _ = c.Write(frame([]byte(okLoad))) // one of the two has left
	})
	c := client(t, m.path)
	ctx, cancel := context.WithCancel(t.Context())
	canceled, other := make(chan error), make(chan error)
	go func() { _, err := c.Load(ctx, theModel()); canceled <- err }()
	go func() { _, err := c.Load(t.Context(), theModel()); other <- err }()
	<-has
	<-has
	cancel()
	expectError(t, <-canceled, KindCanceled)
	close(release)
	if err := <-other; err != nil {
		t.Error(err)
	}
}

// What has ended before it begins asks nobody and costs no connection.
func TestEndedBeforeItBegins(t *testing.T) {
	m := listen(t, socketPath(t), answerWith(okLoad))
	c := client(t, m.path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	passed := expiry{t.Context(), make(chan struct{})}
	close(passed.passed)
	for connections := range 2 { // without one that is kept, and with one
		_, err := c.Load(ctx, theModel())
		expectError(t, err, KindCanceled)
		_, err = c.Status(passed)
		expectError(t, err, KindTimeout)
		if n := m.connections(); n != connections {
			t.Errorf("%d connections, want %d", n, connections)
		}
		mustLoad(t, c)
	}
	if n := m.connections(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}
