package socketapi

import (
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

// PeerName says whose requests come over a connection of a Unix socket, by the
// user and the program that connected: pi/python3. A user without a name is
// named by number, a program that is hidden or has ended by its process's
// number. It is empty where the kernel does not tell.
func PeerName(conn net.Conn) string {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return ""
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return ""
	}
	var peer *unix.Ucred
	var credErr error
	if err := control.Control(func(fd uintptr) { peer, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil || credErr != nil || peer.Pid == 0 {
		return ""
	}
	return peerName(peer, "/proc")
}

func peerName(peer *unix.Ucred, proc string) string {
	who, program := strconv.Itoa(int(peer.Uid)), strconv.Itoa(int(peer.Pid))
	if u, err := user.LookupId(who); err == nil {
		who = u.Username
	}
	if comm, err := os.ReadFile(filepath.Join(proc, program, "comm")); err == nil {
		program = strings.TrimSuffix(string(comm), "\n")
	}
	readable := func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}
	name := strings.Map(readable, fmt.Sprintf("%s/%s", who, program))
	if len(name) > device.MaxClientName {
		name = strings.ToValidUTF8(name[:device.MaxClientName], "")
	}
	return name
}
