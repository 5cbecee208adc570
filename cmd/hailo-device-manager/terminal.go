package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// draws reports whether a person watches on a terminal that can more than print.
func (p program) draws() bool { return isTerminal(p.stdout) && p.getenv("TERM") != "dumb" }

// colour reports whether to print in colour, which the user may have refused
// (no-color.org).
func (p program) colour() bool { return p.draws() && p.getenv("NO_COLOR") == "" }
