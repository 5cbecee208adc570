package peer

import (
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

func pair(t *testing.T, network, address string) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if theirs, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = theirs.Close() })
	if ours, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	return ours, theirs
}

// We are at both ends.
func TestPeerOfAUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "hailo") // short: a socket's address holds little
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	conn, _ := pair(t, "unix", filepath.Join(dir, "s"))
	c, err := Of(conn)
	if err != nil || int(c.UID) != os.Getuid() || int(c.PID) != os.Getpid() {
		t.Errorf("%+v, %v", c, err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Name(conn), me.Username+"/"+strings.TrimSpace(string(comm)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNoUnixSocket(t *testing.T) {
	conn, _ := pair(t, "tcp", "127.0.0.1:0")
	if c, err := Of(conn); err == nil {
		t.Errorf("%+v", c)
	}
	inMemory, _ := net.Pipe()
	if c, err := Of(inMemory); err == nil || Name(inMemory) != "" || Name(conn) != "" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestNames(t *testing.T) {
	proc := t.TempDir()
	for pid, comm := range map[string]string{"7": "python3\n", "8": "a\x1b[0m\xff\nb\n", "9": strings.Repeat("ö", 40) + "\n"} {
		if err := os.MkdirAll(filepath.Join(proc, pid), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(proc, pid, "comm"), []byte(comm), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const nobodys = 3_999_999_999 // a user without a name
	for _, c := range []struct {
		peer Credentials
		want string
	}{
		{Credentials{PID: 7, UID: 0}, "root/python3"},
		{Credentials{PID: 7, UID: nobodys}, "3999999999/python3"},
		{Credentials{PID: 8, UID: 0}, "root/a?[0m\uFFFD?b"},
		{Credentials{PID: 9, UID: 0}, "root/" + strings.Repeat("ö", 29)},
		{Credentials{PID: 10, UID: 0}, "root/10"}, // hidden, or gone
		{Credentials{PID: 0, UID: 0}, "root"},
	} {
		if got := c.peer.name(proc); got != c.want || len(got) > 64 {
			t.Errorf("%+v is %q, want %q", c.peer, got, c.want)
		}
	}
}
