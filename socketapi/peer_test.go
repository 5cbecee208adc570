package socketapi

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPeerName(t *testing.T) {
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
		peer unix.Ucred
		want string
	}{
		{unix.Ucred{Pid: 7, Uid: 0}, "root/python3"},
		{unix.Ucred{Pid: 7, Uid: nobodys}, "3999999999/python3"},
		{unix.Ucred{Pid: 8, Uid: 0}, "root/a?[0m\uFFFD?b"},
		{unix.Ucred{Pid: 9, Uid: 0}, "root/" + strings.Repeat("ö", 29)},
		{unix.Ucred{Pid: 10, Uid: 0}, "root/10"}, // hidden, or gone
	} {
		if got := peerName(&c.peer, proc); got != c.want || len(got) > 64 {
			t.Errorf("%+v is %q, want %q", c.peer, got, c.want)
		}
	}
	a, b := net.Pipe()
	if got := PeerName(a); got != "" {
		t.Errorf("a pipe's peer is %q", got)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
