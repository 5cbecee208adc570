package device

import (
	"net"
	"os"
	"strings"
	"testing"
)

// A manager that was restarted is found again, by calls that kept a connection
// to the old one and by those that had none.
func TestManagerGoneAndBack(t *testing.T) {
	path := socketPath(t)
	c := client(t, path)
	_, err := c.Load(t.Context(), theModel())
	if e := expectError(t, err, KindUnavailable); e.RetryAfter != retryUnavailable || e.Message != "no device manager at "+path+": no such file or directory" {
		t.Errorf("before it starts: %+v", e)
	}
	for range 3 {
		m := listen(t, path, answerWith(okLoad))
		mustLoad(t, c)
		mustLoad(t, c)
		if n := m.connections(); n != 1 {
			t.Errorf("%d connections for two calls", n)
		}
		m.stop()
	}
	_, err = c.Load(t.Context(), theModel())
	expectError(t, err, KindUnavailable)
	if err := os.WriteFile(path, nil, 0o600); err != nil { // what nobody listens on
		t.Fatal(err)
	}
	_, err = c.Load(t.Context(), theModel())
	if e := expectError(t, err, KindUnavailable); !strings.HasSuffix(e.Message, ": connection refused") {
		t.Errorf("nobody listens: %q", e.Message)
	}
}

// A connection that was kept and is dead costs another, not the call; all that
// were kept are used up in time.
func TestDeadConnectionsAreReplaced(t *testing.T) {
	path := socketPath(t)
	c := client(t, path)
	old := listen(t, path, answerWith(okLoad))
	for range maxIdle {
		conn, err := c.line.dial(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		c.line.give(conn)
	}
	old.stop()
	m := listen(t, path, answerWith(okLoad))
	for range 2 * maxIdle {
		mustLoad(t, c)
	}
	if n := m.connections(); n > maxIdle {
		t.Errorf("%d connections to the new manager", n)
	}
}

// A manager that dies with the request on a fresh connection: the call fails
// and is not made again, because it may be what the manager died of.
func TestLostWithTheRequest(t *testing.T) {
	seen := make(chan int, 10)
	m := listen(t, socketPath(t), func(number int, c net.Conn) {
		if request(c) != nil {
			seen <- number
		}
	})
	c := client(t, m.path)
	_, err := c.Load(t.Context(), theModel())
	if e := expectError(t, err, KindUnavailable); e.RetryAfter != retryUnavailable || !strings.HasPrefix(e.Message, "lost the device manager at "+m.path) {
		t.Errorf("%+v", e)
	}
	m.stop()
	if len(seen) != 1 {
		t.Errorf("the request was seen %d times", len(seen))
	}
}

// Half an answer on a connection that was kept is no stale connection: the
// request was carried out, and is not again.
func TestLostWithTheAnswer(t *testing.T) {
	seen := make(chan string, 10)
	m := listen(t, socketPath(t), func(_ int, c net.Conn) {
		for _, answer := range []string{string(frame([]byte(okLoad))), "\x00\x00\x00\x05{"} {
			if request(c) == nil {
				return
			}
			seen <- answer
			if _, err := c.Write([]byte(answer)); err != nil {
				t.Error(err)
			}
		}
	})
	c := client(t, m.path)
	mustLoad(t, c)
	_, err := c.Load(t.Context(), theModel())
	expectError(t, err, KindUnavailable)
	m.stop()
	if len(seen) != 2 {
		t.Errorf("%d requests were seen, want 2", len(seen))
	}
}
