// Package holder finds the processes that hold an accelerator's device node
// open, for messages that name who is in the way.
package holder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Holder is a process that has a device node open.
type Holder struct {
	PID     int
	Command string // program and arguments, at most maxCommand characters
	User    string // its name, else the user's number
	Node    string // "/dev/hailo0"
}

func (h Holder) String() string {
	return fmt.Sprintf("%s (process %d of %s, on %s)", h.Command, h.PID, h.User, h.Node)
}

// HiddenError says that the holders found may not be all: the kernel lets only
// root see what another user's process has open.
type HiddenError struct{ Processes int }

func (e *HiddenError) Error() string {
	return fmt.Sprintf("what other users' processes (%d) have open cannot be seen from here; root sees it", e.Processes)
}

// maxCommand bounds a command in characters; arguments can be megabytes long.
const maxCommand = 200

// patterns are the names of the nodes: the first up to driver 5.2, the second since.
var patterns = [...]string{"hailo[0-9]*", "h1x-[0-9]*"}

// Nodes lists the device nodes in root's /dev, sorted; root is "/" on a real machine.
func Nodes(root string) []string {
	var nodes []string
	for _, pattern := range patterns {
		found, err := fs.Glob(os.DirFS(filepath.Join(root, "dev")), pattern)
		if err != nil {
			continue // only for a malformed pattern
		}
		for _, name := range found {
			nodes = append(nodes, "/dev/"+name)
		}
	}
	slices.Sort(nodes)
	return nodes
}

// Holders lists who has a node open, by process number, as root's /proc tells;
// root is "/" on a real machine. With a *HiddenError the list may lack some.
// Any other error means that /proc cannot be read at all.
func Holders(root string) ([]Holder, error) {
	proc := filepath.Join(root, "proc")
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, fmt.Errorf("looking for who holds the device: %w", err)
	}
	var holders []Holder
	hidden := 0
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid <= 0 {
			continue
		}
		nodes, err := openNodes(filepath.Join(proc, e.Name(), "fd"))
		if errors.Is(err, fs.ErrPermission) {
			hidden++ // any other error: it has just ended
		}
		for _, node := range nodes {
			dir := filepath.Join(proc, e.Name())
			holders = append(holders, Holder{PID: pid, Command: command(dir), User: user(root, dir), Node: node})
		}
	}
	slices.SortFunc(holders, func(a, b Holder) int {
		if a.PID != b.PID {
			return a.PID - b.PID
		}
		return strings.Compare(a.Node, b.Node)
	})
	if hidden > 0 {
		return holders, &HiddenError{hidden}
	}
	return holders, nil
}

// openNodes lists the device nodes behind the descriptors in dir, each once.
func openNodes(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var nodes []string
	for _, e := range entries {
		target, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil {
			continue // closed since
		}
		// A node that the driver made anew keeps its holders under this name.
		target = strings.TrimSuffix(target, " (deleted)")
		if isNode(target) && !slices.Contains(nodes, target) {
			nodes = append(nodes, target)
		}
	}
	return nodes, nil
}

func isNode(target string) bool {
	for _, pattern := range patterns {
		if ok, err := path.Match("/dev/"+pattern, target); ok && err == nil {
			return true
		}
	}
	return false
}

// command is the program with its arguments, else the name that the kernel keeps.
func command(dir string) string {
	if text, err := os.ReadFile(filepath.Join(dir, "cmdline")); err == nil {
		if line := printable(strings.ReplaceAll(string(text), "\x00", " ")); line != "" {
			return line
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "comm"))
	if line := printable(string(text)); err == nil && line != "" {
		return line
	}
	return "unknown program"
}

// printable is text fit for one line of a message: a process chooses its own name.
func printable(text string) string {
	runes := []rune(strings.TrimSpace(strings.ToValidUTF8(text, "?")))
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = '?'
		}
	}
	if len(runes) > maxCommand {
		runes = append(runes[:maxCommand-1], '…')
	}
	return string(runes)
}

// user names the owner of a process.
func user(root, dir string) string {
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return "an unknown user"
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "Uid:" {
			continue
		}
		if name := userName(root, fields[1]); name != "" {
			return name
		}
		return "user " + fields[1]
	}
	return "an unknown user"
}

func userName(root, number string) string {
	text, err := os.ReadFile(filepath.Join(root, "etc/passwd"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Split(line, ":"); len(fields) > 2 && fields[2] == number {
			return fields[0]
		}
	}
	return ""
}
