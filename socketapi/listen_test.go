package socketapi_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hailo-depth/socketapi"
)

func listen(t *testing.T, s socketapi.Socket) *socketapi.Listener {
	t.Helper()
	l, err := socketapi.Listen(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // the test may have
	if got := l.Addr().String(); got != s.Path {
		t.Errorf("listening on %s says %s", s.Path, got)
	}
	return l
}

func expectInUse(t *testing.T, path string) {
	t.Helper()
	l, err := socketapi.Listen(socketapi.Socket{Path: path, Mode: 0o600})
	var inUse *socketapi.InUseError
	if !errors.As(err, &inUse) || inUse.Path != path || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, %v", l, err)
	}
}

// A second manager is refused, and the first goes on; a free path is taken again.
func TestLiveSocketIsRefused(t *testing.T) {
	path := filepath.Join(filepath.Dir(socketPath(t)), "new", "folder", "s")
	for range 2 {
		l := listen(t, socketapi.Socket{Path: path, Mode: 0o600})
		expectInUse(t, path)
		if c, err := net.Dial("unix", path); err != nil {
			t.Error(err)
		} else if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket's file is left behind: %v", err)
		}
	}
}

// Managers of before know no lock: a connection shows that they live.
func TestLiveSocketWithoutALock(t *testing.T) {
	path := socketPath(t)
	old, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	expectInUse(t, path)
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the other's socket: %v", err)
	}
}

// Of managers that start together one has the lock before either has a socket.
func TestLockDecidesBetweenStarts(t *testing.T) {
	path := socketPath(t)
	other, err := os.Create(path + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	expectInUse(t, path)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	listen(t, socketapi.Socket{Path: path, Mode: 0o600})
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := socketPath(t)
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false) // as after a crash
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", nil, 0o600); err != nil { // and within a start
		t.Fatal(err)
	}
	l := listen(t, socketapi.Socket{Path: path, Mode: 0o600})
	dial(t, path) // waits to be accepted
	if c, err := l.Accept(); err != nil {
		t.Error(err)
	} else if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary name is left behind: %v", err)
	}
}

// What is no socket is somebody's file.
func TestOtherFilesAreLeftAlone(t *testing.T) {
	path := socketPath(t)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := socketapi.Listen(socketapi.Socket{Path: path, Mode: 0o600}); err == nil || !strings.Contains(err.Error(), "is not a socket; it is left alone") {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Errorf("%q, %v", text, err)
	}
	link := path + "l" // nor what a link points to
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := socketapi.Listen(socketapi.Socket{Path: link, Mode: 0o600}); err == nil {
		t.Error("a link was replaced")
	}
}

// A listener that is closed twice leaves alone what came after the first time.
func TestSecondCloseIsHarmless(t *testing.T) {
	path := socketPath(t)
	first := listen(t, socketapi.Socket{Path: path, Mode: 0o600})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	listen(t, socketapi.Socket{Path: path, Mode: 0o600})
	if err := first.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("another's socket was removed: %v", err)
	}
	expectInUse(t, path)
}

// When Serve has returned, the path is free: the next manager can start.
func TestPathIsFreeAfterServe(t *testing.T) {
	path := socketPath(t)
	for range 20 {
		l := listen(t, socketapi.Socket{Path: path, Mode: 0o600})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := newServer(fakeManager{}).Serve(ctx, l); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("the socket's file: %v", err)
		}
	}
}
