package doctor

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Print writes the report as a page for people: a line for each finding, and
// below it what to do. With colour the statuses are coloured as terminals do it.
func (r Report) Print(w io.Writer, colour bool) error {
	const status, least = 4, 12
	width := least
	for _, f := range r.Findings {
		width = max(width, utf8.RuneCountInString(f.Check))
	}
	b := bufio.NewWriter(w)
	group := ""
	for _, f := range r.Findings {
		if f.Group != group {
			if group != "" {
				fmt.Fprintln(b)
			}
			group = f.Group
			fmt.Fprintln(b, group)
		}
		padding := strings.Repeat(" ", width-utf8.RuneCountInString(f.Check))
		fmt.Fprintf(b, "  %s%*s  %s%s  %s\n", paint(f.Status, colour), status-len(f.Status), "", f.Check, padding, f.Text)
		if f.Do != "" {
			fmt.Fprintf(b, "%*s-> %s\n", 2+status+2+width+2, "", f.Do)
		}
	}
	fmt.Fprintf(b, "\n%s\n", r.Verdict())
	return b.Flush()
}

// Verdict is the report in a line.
func (r Report) Verdict() string {
	hints := ""
	if n := r.Count(Hint); n > 0 {
		hints = fmt.Sprintf("; hints: %d", n)
	}
	if r.OK {
		return "everything needed is ok" + hints
	}
	return fmt.Sprintf("to fix: %d%s", r.Count(Fix), hints)
}

// paint colours a status with the sequences of ECMA-48.
func paint(s Status, colour bool) string {
	codes := map[Status]string{OK: "32", Hint: "33", Fix: "1;31"}
	if !colour {
		return string(s)
	}
	return "\x1b[" + codes[s] + "m" + string(s) + "\x1b[0m"
}
