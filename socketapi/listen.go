package socketapi

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Socket says where to listen and who may connect.
type Socket struct {
	Path  string
	Mode  os.FileMode // permission bits
	Group string      // name of the owning group; "" for the group of DeviceNode
	// DeviceNode is the device file whose group owns the socket when no group is
	// named; "" where there is none.
	DeviceNode string
}

// InUseError means that another manager serves the path.
type InUseError struct{ Path string }

func (e *InUseError) Error() string {
	return fmt.Sprintf("another device manager already listens on %s; stop it first, or use another path", e.Path)
}

// Listener is a listening socket whose file goes away with it.
type Listener struct {
	*net.UnixListener
	path string
	lock *os.File
}

// Addr is the socket's own path, not the one that it was bound under.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// Listen creates the socket. Its file appears under its path complete with mode
// and group. A stale file is replaced, but only when a connection shows that
// nobody listens, and a lock decides between managers that start together.
func Listen(s Socket) (*Listener, error) {
	if s.Path == "" || len(s.Path) > 100 { // sun_path holds 108 bytes; the temporary name needs a few
		return nil, fmt.Errorf("socket path %q: expected 1 to 100 bytes", s.Path)
	}
	if err := os.MkdirAll(filepath.Dir(s.Path), 0o755); err != nil {
		return nil, fmt.Errorf("the socket's folder: %w", err)
	}
	lock, err := lockFile(s.Path)
	if err != nil {
		return nil, err
	}
	l, err := s.bind()
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Listener{UnixListener: l, path: s.Path, lock: lock}, nil
}

// lockFile holds PATH.lock for the life of the process. The file stays behind:
// removing it would let two managers hold two locks.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the socket's lock: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = &InUseError{path}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (s Socket) bind() (*net.UnixListener, error) {
	if err := s.checkStale(); err != nil {
		return nil, err
	}
	gid, err := s.groupID()
	if err != nil {
		return nil, err
	}
	// Bound under another name and renamed, so that the socket is never there
	// with a wrong mode.
	temporary := s.Path + ".new"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: temporary, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", s.Path, err)
	}
	l.SetUnlinkOnClose(false) // the name changes; Close removes the right one
	err = os.Chmod(temporary, s.Mode)
	if err == nil && gid >= 0 {
		err = os.Chown(temporary, -1, gid)
	}
	if err == nil {
		err = os.Rename(temporary, s.Path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the socket %s: %w", s.Path, err), l.Close(), os.Remove(temporary))
	}
	return l, nil
}

// checkStale refuses a path that is taken: by a listener, or by another kind of file.
func (s Socket) checkStale() error {
	info, err := os.Lstat(s.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s exists and is not a socket; it is left alone", s.Path)
	}
	conn, err := net.DialTimeout("unix", s.Path, time.Second)
	switch {
	case err == nil:
		return errors.Join(&InUseError{s.Path}, conn.Close())
	case errors.Is(err, unix.ECONNREFUSED):
		return nil // stale: rename replaces it
	}
	return fmt.Errorf("cannot tell whether somebody listens on %s: %w", s.Path, err)
}

// groupID is the owning group's number, -1 to leave the process's own.
func (s Socket) groupID() (int, error) {
	if s.Group != "" {
		g, err := user.LookupGroup(s.Group)
		if err != nil {
			return -1, fmt.Errorf("the socket's group: %w", err)
		}
		return strconv.Atoi(g.Gid)
	}
	if s.DeviceNode == "" {
		return -1, nil
	}
	var stat unix.Stat_t
	if err := unix.Stat(s.DeviceNode, &stat); err != nil {
		return -1, fmt.Errorf("the group of %s: %w", s.DeviceNode, err)
	}
	return int(stat.Gid), nil
}

// Close stops listening and removes the socket's file. A second call removes
// nothing: the file may be another manager's by then.
func (l *Listener) Close() error {
	err := l.UnixListener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	if removeErr := os.Remove(l.path); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	return errors.Join(err, l.lock.Close())
}
