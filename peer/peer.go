// Package peer says who is at the other end of a Unix socket.
package peer

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"golang.org/x/sys/unix"

	"hailo-depth/device"
)

// Credentials are what the kernel knows of whoever connected (SO_PEERCRED in
// unix(7)): as they were at that moment, and not to be forged.
type Credentials struct {
	UID uint32
	PID int32 // 0: not in this process's PID namespace
}

// Of asks the kernel about a connection. It fails for what is no Unix socket.
func Of(conn net.Conn) (c Credentials, err error) {
	s, ok := conn.(syscall.Conn)
	if !ok {
		return c, fmt.Errorf("peer credentials: a %T has no descriptor", conn)
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return c, err
	}
	var found *unix.Ucred
	var getErr error
	err = raw.Control(func(fd uintptr) { found, getErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err = errors.Join(err, getErr); err != nil {
		return c, fmt.Errorf("peer credentials: %w", err)
	}
	if int32(found.Uid) == -1 {
		return c, errors.New("peer credentials: the connection is no Unix socket")
	}
	return Credentials{UID: found.Uid, PID: found.Pid}, nil
}

// Name is what fairness and figures call whoever connected: the user and the
// name of the process, "pi/python3"; "" for what is no Unix socket. A user
// without a name is a number, and so is a process that is hidden or gone: two
// services of one user must not pass for one. It has nothing that a terminal
// would obey, and at most device.MaxClientName bytes.
func Name(conn net.Conn) string {
	c, err := Of(conn)
	if err != nil {
		return ""
	}
	return c.name("/proc")
}

func (c Credentials) name(proc string) string {
	name := strconv.FormatUint(uint64(c.UID), 10)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	if c.PID > 0 {
		program := strconv.Itoa(int(c.PID))
		if comm, err := os.ReadFile(filepath.Join(proc, program, "comm")); err == nil {
			program = strings.TrimSuffix(string(comm), "\n")
		}
		name += "/" + program
	}
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
	return strings.ToValidUTF8(name[:min(len(name), device.MaxClientName)], "")
}
