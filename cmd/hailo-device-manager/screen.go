package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// screen is a terminal that is drawn in place. It needs nothing but the
// sequences of ECMA-48 and xterm's second screen, which terminals over ssh know.
type screen struct {
	out  io.Writer
	tty  *os.File      // for keys; nil: there are none
	was  *unix.Termios // of tty, before
	left chan struct{} // closed when the user leaves
	keys sync.WaitGroup
}

const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // the second screen, without cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
)

// openScreen takes the terminal until close.
func openScreen(out io.Writer) (*screen, error) {
	s := &screen{out: out, left: make(chan struct{})}
	// Opened anew, so that waiting for a key can be ended without changing the
	// file that the shell shares with us.
	if tty, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NONBLOCK, 0); err == nil {
		if err := s.takeKeys(tty); err != nil {
			return nil, errors.Join(err, tty.Close())
		}
	}
	_, err := io.WriteString(out, enterScreen)
	if err != nil {
		err = errors.Join(err, s.close())
	}
	return s, err
}

// takeKeys has keys come one by one and unseen, Ctrl-C among them.
func (s *screen) takeKeys(tty *os.File) error {
	var was *unix.Termios
	err := control(tty, func(fd int) (err error) {
		if was, err = unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
			return err
		}
		single := *was
		single.Lflag &^= unix.ICANON | unix.ECHO | unix.ISIG
		single.Cc[unix.VMIN], single.Cc[unix.VTIME] = 1, 0
		return unix.IoctlSetTermios(fd, unix.TCSETS, &single)
	})
	if err != nil {
		return err
	}
	s.tty, s.was = tty, was
	s.keys.Go(func() {
		key := make([]byte, 1)
		for {
			if _, err := tty.Read(key); err != nil {
				return // closed
			}
			if strings.ContainsRune("qQ\x03\x04", rune(key[0])) {
				close(s.left)
				return
			}
		}
	})
	return nil
}

// draw replaces what is shown by as many of the lines as there is room for.
func (s *screen) draw(lines []string) error {
	rows, columns := s.size()
	var b strings.Builder
	b.WriteString(home)
	if len(lines) > rows {
		lines = append(lines[:rows-1:rows-1], fmt.Sprintf("... %d more lines", len(lines)-rows+1))
	}
	for i, line := range lines {
		if i > 0 {
			b.WriteString("\r\n")
		}
		// Cleared first: behind a full line there is no place to clear from.
		b.WriteString(clearLine + cut(line, columns))
	}
	if len(lines) < rows {
		b.WriteString("\r\n" + clearBelow)
	}
	_, err := io.WriteString(s.out, b.String()) // at once: no flicker
	return err
}

// size is that of the terminal now: windows change.
func (s *screen) size() (rows, columns int) {
	if f, ok := s.out.(*os.File); ok {
		if w, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && w.Row > 1 && w.Col > 1 {
			return int(w.Row), int(w.Col)
		}
	}
	return 24, 80
}

func cut(line string, columns int) string {
	if utf8.RuneCountInString(line) <= columns {
		return line
	}
	return string([]rune(line)[:columns-1]) + "…"
}

// close gives the terminal back as it was.
func (s *screen) close() error {
	_, err := io.WriteString(s.out, leaveScreen)
	if s.tty != nil {
		restore := func(fd int) error { return unix.IoctlSetTermios(fd, unix.TCSETS, s.was) }
		err = errors.Join(err, control(s.tty, restore), s.tty.Close())
		s.keys.Wait()
	}
	return err
}

// control uses the file's descriptor without making it block, as Fd would.
func control(f *os.File, use func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = use(int(fd)) })
	return errors.Join(err, inner)
}
