package main

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// systemd is told what happens when it happens: readiness only when clients can
// connect, life as long as the scheduler turns, the end before it begins.
func TestSystemdIsTold(t *testing.T) {
	path := filepath.Join(shortDir(t), "notify")
	inbox, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer inbox.Close()
	receive := func() string {
		t.Helper()
		if err := inbox.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 4096)
		n, err := inbox.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		return string(buffer[:n])
	}
	expect := func(want string) {
		t.Helper()
		got := receive()
		for got == "WATCHDOG=1" && got != want { // it comes at any time
			got = receive()
		}
		if got != want {
			t.Fatalf("systemd was told %q, want %q", got, want)
		}
	}
	d := launch(t, bin, "", "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=60000")
	expect("READY=1")
	d.mustInfer(t)
	expect("STATUS=serving")
	for range 3 {
		expect("WATCHDOG=1")
	}
	if err := d.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	expect("STOPPING=1")
	expect("STATUS=finishing requests")
	d.ends(t, patience)
}
