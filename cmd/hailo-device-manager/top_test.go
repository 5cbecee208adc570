package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sys/unix"

	"hailo-depth/device"
)

// top looks once an interval, compares with the look before, waits for a manager
// that is away, and ends when it is told to. The clock is synctest's.
func TestTopLooksAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var shots []shot
		looks := 0
		err := top{
			interval: 2 * time.Second, count: 5,
			look: func(context.Context) (device.Overview, error) {
				looks++
				if looks == 3 {
					return device.Overview{}, errors.New("gone")
				}
				return device.Overview{At: time.Now(), Queue: device.QueueOverview{Waiting: looks}}, nil
			},
			show: func(s shot) error { shots = append(shots, s); return nil },
		}.run(t.Context())
		if err != nil || len(shots) != 5 || time.Since(begin) != 8*time.Second {
			t.Fatalf("%v, %d pages after %v", err, len(shots), time.Since(begin))
		}
		for i, compared := range []bool{false, true, true, false, true} {
			s := shots[i]
			if (s.before != nil) != compared || (s.err != nil) != (i == 2) || s.at.Sub(begin) != time.Duration(i)*2*time.Second {
				t.Errorf("page %d: %+v", i, s)
			}
			if compared && s.before.Queue.Waiting != i {
				t.Errorf("page %d is compared with page %d", i, s.before.Queue.Waiting-1)
			}
		}
		if lines := shots[2].lines(2 * time.Second); len(lines) != 2 || !strings.HasSuffix(lines[0], ", every 2s") || lines[1] != "the manager does not answer: gone" {
			t.Errorf("%q", lines)
		}
	})
}

func TestTopEnds(t *testing.T) {
	broken := errors.New("broken pipe")
	for _, c := range []struct {
		name string
		harm func(*top, context.CancelFunc)
		want error
	}{
		{"no manager at the beginning", func(top *top, _ context.CancelFunc) {
			top.look = func(context.Context) (device.Overview, error) { return device.Overview{}, broken }
		}, broken},
		{"nobody reads", func(top *top, _ context.CancelFunc) { top.show = func(shot) error { return broken } }, broken},
		{"signal", func(top *top, cancel context.CancelFunc) { time.AfterFunc(90*time.Second, cancel) }, nil},
		{"signal while looking", func(top *top, cancel context.CancelFunc) {
			top.look = func(ctx context.Context) (device.Overview, error) { cancel(); return device.Overview{}, ctx.Err() }
		}, nil},
		{"key", func(top *top, _ context.CancelFunc) {
			left := make(chan struct{})
			top.leave = left
			time.AfterFunc(90*time.Second, func() { close(left) })
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				top := top{interval: time.Minute, look: func(context.Context) (device.Overview, error) { return device.Overview{}, nil }, show: func(shot) error { return nil }}
				c.harm(&top, cancel)
				if err := top.run(ctx); !errors.Is(err, c.want) || c.want == nil && err != nil {
					t.Errorf("%v, want %v", err, c.want)
				}
			})
		})
	}
}

// Where nobody draws, a page follows the one before, without a sequence of a
// terminal; JSON is an object a line.
func TestTopToFile(t *testing.T) {
	d := start(t, "")
	d.mustInfer(t)
	text := d.mustAsk(t, "top", "--count", "2", "--interval", "100ms")
	if strings.Count(text, ", every 100ms\n") != 2 || strings.Count(text, "\nmodel  depth  idle ") != 2 || strings.Count(text, "RATE") != 1 || strings.Contains(text, "\x1b") {
		t.Errorf("%s", text)
	}
	text = d.mustAsk(t, "top", "--json", "--count", "2", "--interval", "100ms")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines:\n%s", len(lines), text)
	}
	for _, line := range lines {
		var o device.Overview
		if err := json.Unmarshal([]byte(line), &o, json.RejectUnknownMembers(true)); err != nil || len(o.Models) != 1 {
			t.Errorf("%v: %s", err, line)
		}
	}
	d.terminate(t, patience)
}

// On a terminal the page is drawn in place until q, or Ctrl-C, is pressed; the
// terminal is as before then.
func TestTopOnTerminal(t *testing.T) {
	d := start(t, "")
	d.mustInfer(t)
	empty := write(t, t.TempDir(), "config.yaml", "backend: sim\n")
	for _, key := range []string{"q", "xQ", "\x03"} {
		terminal := openTerminal(t, 12, 40)
		before := terminal.settings(t)
		cmd := exec.CommandContext(within(t), filepath.Join(bin, "hailo-device-manager"), "top", "--config", empty, "--socket", d.socket, "--interval", "100ms")
		cmd.Env = append(os.Environ(), "TERM=xterm", "GORACE=atexit_sleep_ms=0")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal.inside, terminal.inside, terminal.inside
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		shown := terminal.read(t, func(all string) bool { return strings.Count(all, home) >= 3 && strings.HasSuffix(all, clearBelow) })
		if during := terminal.settings(t); during.Lflag&unix.ECHO != 0 || during.Lflag&unix.ICANON != 0 {
			t.Error("keys are shown, or wait for the line's end")
		}
		if _, err := terminal.outside.WriteString(key); err != nil {
			t.Fatal(err)
		}
		shown += terminal.read(t, func(all string) bool { return strings.Contains(all, "1049l") })
		if err := cmd.Wait(); err != nil {
			t.Errorf("%q: %v", key, err)
		}
		if after := terminal.settings(t); *after != *before {
			t.Errorf("%q: the terminal was %+v and is %+v", key, before, after)
		}
		if !strings.HasPrefix(shown, enterScreen+home) || !strings.HasSuffix(shown, leaveScreen) || !strings.Contains(shown, "\n"+clearLine+"model  depth  idle ") {
			t.Errorf("%q: it shows %q", key, shown)
		}
		for _, page := range strings.Split(shown, home)[1:] {
			for _, line := range strings.Split(strings.TrimSuffix(page, leaveScreen), "\n") {
				if n := len([]rune(strings.NewReplacer(clearLine, "", clearBelow, "", "\r", "").Replace(line))); n > 40 {
					t.Errorf("a line of %d columns on a terminal of 40: %q", n, line)
				}
			}
		}
		terminal.close(t)
	}
	d.terminate(t, patience)
}

// The doctor prints in colour on a terminal, unless it can not or the user does
// not want it.
func TestColour(t *testing.T) {
	for env, want := range map[string]bool{"TERM=xterm": true, "TERM=dumb": false, "NO_COLOR=1": false} {
		terminal := openTerminal(t, 50, 200)
		cmd := exec.CommandContext(within(t), filepath.Join(bin, "hailo-device-manager"), "doctor", "--socket", filepath.Join(shortDir(t), "none"))
		cmd.Env = append(os.Environ(), "TERM=xterm", env, "GORACE=atexit_sleep_ms=0")
		cmd.Stdout, cmd.Stderr = terminal.inside, terminal.inside
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		shown := terminal.read(t, func(all string) bool { return strings.Contains(all, "hailo-device-manager: to fix: ") })
		if err := cmd.Wait(); err == nil {
			t.Error("without a manager all is well")
		}
		if got := strings.Contains(shown, "\x1b[1;31mfix\x1b[0m"); got != want {
			t.Errorf("%s: colour is %v:\n%q", env, got, shown)
		}
		terminal.close(t)
	}
}

// A window that is too low has the last line say so.
func TestScreenFits(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out}
	lines := make([]string, 30)
	for i := range lines {
		lines[i] = strconv.Itoa(i)
	}
	if err := s.draw(lines); err != nil { // no terminal: 24 lines of 80 columns
		t.Fatal(err)
	}
	got := strings.Split(out.String(), "\r\n")
	if len(got) != 24 || got[0] != home+clearLine+"0" || got[22] != clearLine+"22" || got[23] != clearLine+"... 7 more lines" {
		t.Errorf("%q", got)
	}
	out.Reset()
	if err := s.draw([]string{strings.Repeat("ä", 81)}); err != nil || out.String() != home+clearLine+strings.Repeat("ä", 79)+"…\r\n"+clearBelow {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// terminal is a pseudo-terminal: what a program sees, and what a person does.
type terminal struct{ inside, outside *os.File }

func openTerminal(t *testing.T, rows, columns uint16) terminal {
	t.Helper()
	outside, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var number int
	err = control(outside, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		var err error
		number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return errors.Join(err, unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}))
	})
	if err != nil {
		t.Fatal(err)
	}
	inside, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return terminal{inside, outside}
}

func (p terminal) settings(t *testing.T) *unix.Termios {
	t.Helper()
	var s *unix.Termios
	if err := control(p.inside, func(fd int) (err error) { s, err = unix.IoctlGetTermios(fd, unix.TCGETS); return err }); err != nil {
		t.Fatal(err)
	}
	return s
}

// read returns what is written to the terminal until that is enough.
func (p terminal) read(t *testing.T, enough func(string) bool) string {
	t.Helper()
	if err := p.outside.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	buffer := make([]byte, 4096)
	for !enough(all.String()) {
		n, err := p.outside.Read(buffer)
		if err != nil {
			t.Fatalf("%v after %q", err, all.String())
		}
		all.Write(buffer[:n])
	}
	return all.String()
}

func (p terminal) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(p.inside.Close(), p.outside.Close()); err != nil {
		t.Error(err)
	}
}
