package socketapi_test

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"hailo-depth/socketapi"
)

func TestSocketPathLength(t *testing.T) {
	dir := filepath.Dir(socketPath(t))
	for path, fits := range map[string]bool{
		"": false, dir + "/" + strings.Repeat("a", 100-len(dir)-1): true, dir + "/" + strings.Repeat("a", 101-len(dir)-1): false,
	} {
		l, err := socketapi.Listen(socketapi.Socket{Path: path, Mode: 0o600})
		if fits != (err == nil) || !fits && !strings.Contains(err.Error(), "expected 1 to 100 bytes") {
			t.Errorf("%q: %v", path, err)
		}
		if err == nil {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestSocketMode(t *testing.T) {
	for _, mode := range []os.FileMode{0o600, 0o660, 0o666, 0} { // whatever the umask is
		path := socketPath(t)
		listen(t, socketapi.Socket{Path: path, Mode: mode})
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != os.ModeSocket|mode {
			t.Errorf("the mode is %v, want %v", info.Mode(), mode)
		}
	}
}

// myGroup is a group that this user may give files to, if possible not the one
// that they have anyway.
func myGroup(t *testing.T) int {
	t.Helper()
	if os.Geteuid() == 0 {
		return 1
	}
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if g != os.Getegid() {
			return g
		}
	}
	return os.Getegid()
}

func groupOf(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sys().(*syscall.Stat_t).Gid)
}

// The group is the one that is named, else the device's, else the process's.
func TestSocketGroup(t *testing.T) {
	group := myGroup(t)
	node := filepath.Join(t.TempDir(), "hailo0")
	if err := errors.Join(os.WriteFile(node, nil, 0o600), os.Chown(node, -1, group)); err != nil {
		t.Fatal(err)
	}
	names := func(gid int) string {
		g, err := user.LookupGroupId(strconv.Itoa(gid))
		if err != nil {
			t.Fatal(err)
		}
		return g.Name
	}
	for _, c := range []struct {
		socket socketapi.Socket
		want   int
	}{
		{socketapi.Socket{Group: names(group)}, group},
		{socketapi.Socket{DeviceNode: node}, group},
		{socketapi.Socket{DeviceNode: node, Group: names(os.Getegid())}, os.Getegid()},
		{socketapi.Socket{}, os.Getegid()},
	} {
		c.socket.Path, c.socket.Mode = socketPath(t), 0o660
		listen(t, c.socket)
		if got := groupOf(t, c.socket.Path); got != c.want {
			t.Errorf("%+v has group %d, want %d", c.socket, got, c.want)
		}
	}
	for _, s := range []socketapi.Socket{{Group: "no such group"}, {DeviceNode: node + "1"}} {
		s.Path = socketPath(t)
		if _, err := socketapi.Listen(s); err == nil || !strings.Contains(err.Error(), s.Group+s.DeviceNode) {
			t.Errorf("%+v: %v", s, err)
		}
		listen(t, socketapi.Socket{Path: s.Path, Mode: 0o600}) // the failure holds no lock
	}
}
