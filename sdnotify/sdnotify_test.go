package sdnotify

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// inbox is systemd's side: a real datagram socket. It returns the name for
// NOTIFY_SOCKET and a function that takes what has arrived.
func inbox(t *testing.T, name string) func() []string {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	return func() (messages []string) {
		err := raw.Read(func(fd uintptr) bool {
			buffer := make([]byte, 4096)
			for {
				n, _, err := unix.Recvfrom(int(fd), buffer, unix.MSG_DONTWAIT)
				if err != nil {
					return true
				}
				messages = append(messages, string(buffer[:n]))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return messages
	}
}

func vars(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if n, v, _ := strings.Cut(p, "="); n == name {
				return v
			}
		}
		return ""
	}
}

func shortPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sd") // a socket's name holds 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "notify")
}

func TestSend(t *testing.T) {
	abstract := fmt.Sprintf("@hailo-sdnotify-test-%d", os.Getpid())
	for _, name := range []string{shortPath(t), abstract} {
		messages := inbox(t, name)
		n := FromEnv(vars("NOTIFY_SOCKET=" + name))
		for _, m := range []string{Ready, Status("serving"), Stopping + "\n" + Status("bye")} {
			if err := n.Send(m); err != nil {
				t.Fatal(err)
			}
		}
		if got := messages(); !slices.Equal(got, []string{"READY=1", "STATUS=serving", "STOPPING=1\nSTATUS=bye"}) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestSendToNobody(t *testing.T) {
	if err := FromEnv(vars()).Send(Ready); err != nil {
		t.Errorf("outside systemd: %v", err)
	}
	missing := shortPath(t)
	if err := FromEnv(vars("NOTIFY_SOCKET=" + missing)).Send(Ready); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a socket that is not there: %v", err)
	}
}

func TestWatchdogInterval(t *testing.T) {
	self, other := strconv.Itoa(os.Getpid()), strconv.Itoa(os.Getpid()+1)
	for _, c := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"30000000", "", 30 * time.Second}, {"30000000", self, 30 * time.Second}, {"30000000", other, 0}, {"30000000", "x", 0},
		{"", "", 0}, {"0", "", 0}, {"-5", "", 0}, {"x", "", 0}, {"1", "", time.Microsecond},
		{"18446744073709551615", "", 0}, {"9223372036854775807", "", 0}, {"9223372036854776", "", 0}, {"9223372036854775", "", 9223372036854775 * time.Microsecond},
	} {
		n := FromEnv(vars("NOTIFY_SOCKET=/x", "WATCHDOG_USEC="+c.usec, "WATCHDOG_PID="+c.pid))
		if n.interval != c.want {
			t.Errorf("WATCHDOG_USEC=%s WATCHDOG_PID=%s: %v, want %v", c.usec, c.pid, n.interval, c.want)
		}
	}
}

func TestWatchPingsWhileAlive(t *testing.T) {
	name := shortPath(t)
	messages := inbox(t, name)
	synctest.Test(t, func(t *testing.T) {
		n := FromEnv(vars("NOTIFY_SOCKET="+name, "WATCHDOG_USEC=30000000"))
		var alive atomic.Bool
		alive.Store(true)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- n.Watch(ctx, func(context.Context) bool { return alive.Load() }) }()

		expect := func(passed time.Duration, pings int) {
			t.Helper()
			time.Sleep(passed)
			synctest.Wait()
			if got := messages(); !slices.Equal(got, slices.Repeat([]string{"WATCHDOG=1"}, pings)) {
				t.Errorf("within %v: %q, want %d pings", passed, got, pings)
			}
		}
		expect(9999*time.Millisecond, 0)
		expect(time.Millisecond, 1)
		expect(30*time.Second, 3)
		alive.Store(false)
		expect(60*time.Second, 0)
		alive.Store(true)
		expect(10*time.Second, 1)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestWatchDoesNotWaitForTheDead: a check that does not answer is no sign of
// life, and is given up in time for the next.
func TestWatchDoesNotWaitForTheDead(t *testing.T) {
	name := shortPath(t)
	messages := inbox(t, name)
	synctest.Test(t, func(t *testing.T) {
		n := FromEnv(vars("NOTIFY_SOCKET="+name, "WATCHDOG_USEC=30000000"))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		var asked atomic.Int32
		go func() {
			ended <- n.Watch(ctx, func(ctx context.Context) bool {
				asked.Add(1)
				<-ctx.Done()
				return false
			})
		}()
		time.Sleep(61 * time.Second)
		if got := asked.Load(); got < 3 {
			t.Errorf("asked %d times in 61 s", got)
		}
		if got := messages(); len(got) != 0 {
			t.Errorf("it says %q of a scheduler that hangs", got)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestWatchWithoutWatchdogReturns(t *testing.T) {
	fail := func(context.Context) bool { t.Error("asked"); return true }
	for _, n := range []Notifier{{}, FromEnv(vars("NOTIFY_SOCKET=/x")), FromEnv(vars("WATCHDOG_USEC=1"))} {
		if err := n.Watch(t.Context(), fail); err != nil {
			t.Error(err)
		}
	}
}
