package stack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
)

// Process is a running daemon whose log lines are JSON objects.
type Process struct {
	Name string
	cmd  *exec.Cmd
	log  string

	mu    sync.Mutex
	lines []map[string]any
	seen  int           // lines that Await has passed
	more  chan struct{} // closed and replaced with every line
	ended chan struct{}
	err   error
}

// Run starts a program; what it logs goes to the file logs/NAME.log as well.
func Run(binary, logs string, env []string, args ...string) (*Process, error) {
	p := &Process{Name: filepath.Base(binary), more: make(chan struct{}), ended: make(chan struct{})}
	p.log = filepath.Join(logs, p.Name+".log")
	file, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Env = append(append(os.Environ(), "XDG_STATE_HOME="+logs), env...) // not the user's own
	// A group of its own: Ctrl-C reaches us, and we stop it in good order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := p.cmd.StderrPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w (run `make build` first)", p.Name, err), file.Close())
	}
	go p.follow(stderr, file) // ends with the process
	return p, nil
}

func (p *Process) follow(stderr io.Reader, file *os.File) {
	lines := bufio.NewScanner(io.TeeReader(stderr, file))
	for lines.Scan() {
		var line map[string]any
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			line = map[string]any{"msg": lines.Text()} // a program's last words are plain text
		}
		p.mu.Lock()
		p.lines = append(p.lines, line)
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
	p.err = errors.Join(p.cmd.Wait(), file.Close())
	close(p.ended)
}

// Await waits for the next log line with that message and returns the line. It
// goes on after the line that it returned last.
func (p *Process) Await(ctx context.Context, message string) (map[string]any, error) {
	for {
		line, more := p.next(message)
		if line != nil {
			return line, nil
		}
		select {
		case <-more:
		case <-p.ended:
			if line, _ := p.next(message); line != nil { // it came with the end
				return line, nil
			}
			return nil, fmt.Errorf("%s ended (%v); its last words: %v", p.Name, p.err, p.lastLine())
		case <-ctx.Done():
			return nil, fmt.Errorf("%s did not say %q in time; see %s", p.Name, message, p.log)
		}
	}
}

// next looks for message among the lines that were not looked at; without it,
// more is closed when there are further lines.
func (p *Process) next(message string) (line map[string]any, more <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.seen < len(p.lines) {
		line := p.lines[p.seen]
		p.seen++
		if line["msg"] == message {
			return line, nil
		}
	}
	return nil, p.more
}

func (p *Process) lastLine() any {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lines) == 0 {
		return "none"
	}
	return p.lines[len(p.lines)-1]["msg"]
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Signal sends a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// ExitCode is that of a process that has ended: -1 when a signal ended it.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// LastWords is the last line that the process logged.
func (p *Process) LastWords() string { return fmt.Sprint(p.lastLine()) }

// Stop ends the process in good order, or by force after patience. A clean exit
// is no error.
func (p *Process) Stop(patience time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("%s: %w; see %s", p.Name, p.err, p.log)
		}
		return nil
	case <-time.After(patience):
		err := errors.Join(fmt.Errorf("%s did not stop within %v", p.Name, patience), p.cmd.Process.Kill())
		<-p.ended
		return err
	}
}
