package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// child is a process's child, held by a pidfd, which never means another one.
type child struct {
	pid int
	fd  int
}

// worker is the manager's child; there is exactly one while a device is open.
func (d *running) worker(t *testing.T) child {
	t.Helper()
	pids := children(t, d.PID())
	if len(pids) != 1 {
		t.Fatalf("the manager's children: %v", pids)
	}
	fd, err := unix.PidfdOpen(pids[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return child{pids[0], fd}
}

// children lists the living ones.
func children(t *testing.T, parent int) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		var state string
		var ppid int
		// The name before is in brackets and may contain anything.
		_, err = fmt.Sscan(string(text[bytes.LastIndexByte(text, ')')+1:]), &state, &ppid)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if ppid == parent && state != "Z" {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

func (c child) kill(t *testing.T) {
	t.Helper()
	if err := unix.PidfdSendSignal(c.fd, unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
}

// ends waits until the process has ended.
func (c child) ends(t *testing.T) {
	t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if err != nil || n != 1 {
			t.Fatalf("process %d lives: %v", c.pid, err)
		}
		return
	}
}
