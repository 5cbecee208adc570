// Package sdnotify tells systemd how a daemon is doing, after sd_notify(3) and
// sd_watchdog_enabled(3). Outside systemd it does nothing.
package sdnotify

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The messages of sd_notify(3).
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
	watchdog = "WATCHDOG=1"
)

// Reloading says that the configuration is being read again; Ready ends it. Units
// of Type=notify-reload need the moment, which others ignore.
func Reloading() string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return "RELOADING=1"
	}
	return fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/int64(time.Microsecond))
}

// Status is one line for `systemctl status`.
func Status(text string) string { return "STATUS=" + text }

// Notifier sends to the socket that systemd named; the zero value to nobody.
type Notifier struct {
	socket   string
	interval time.Duration // of the watchdog; 0: none
}

// FromEnv reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
func FromEnv(getenv func(string) string) Notifier {
	n := Notifier{socket: getenv("NOTIFY_SOCKET")}
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	pid := getenv("WATCHDOG_PID")
	const most = int64(math.MaxInt64 / time.Microsecond) // beyond it, a Duration overflows
	if err == nil && usec > 0 && usec <= most && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		n.interval = time.Duration(usec) * time.Microsecond
	}
	return n
}

// Send sends one message, or several joined by newlines.
func (n Notifier) Send(message string) error {
	if n.socket == "" {
		return nil
	}
	name := n.socket
	if name[0] == '@' { // an abstract socket's name begins with a zero byte
		name = "\x00" + name[1:]
	}
	conn, err := net.Dial("unixgram", name)
	if err != nil {
		return fmt.Errorf("notifying systemd: %w", err)
	}
	defer func() { _ = conn.Close() }() // the datagram is sent or has failed
	if _, err := conn.Write([]byte(message)); err != nil {
		return fmt.Errorf("notifying systemd: %w", err)
	}
	return nil
}

// Watch pings systemd's watchdog until ctx ends, three times an interval, each
// time only if alive says that real work goes on; a daemon that hangs is thus
// restarted. Without a watchdog it returns at once.
func (n Notifier) Watch(ctx context.Context, alive func(context.Context) bool) error {
	if n.socket == "" || n.interval == 0 {
		return nil
	}
	tick := time.NewTicker(n.interval / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		look, cancel := context.WithTimeout(ctx, n.interval/3)
		ok := alive(look)
		cancel()
		if !ok {
			continue
		}
		if err := n.Send(watchdog); err != nil {
			return err
		}
	}
}
