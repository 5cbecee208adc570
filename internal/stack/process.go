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
	more  chan struct{} // closed and replaced with every line
	ended chan struct{}
	err   error
}

// run starts a program; what it logs goes to the file logs/NAME.log as well.
func run(binary, logs string, env []string, args ...string) (*Process, error) {
	p := &Process{Name: filepath.Base(binary), more: make(chan struct{}), ended: make(chan struct{})}
	p.log = filepath.Join(logs, p.Name+".log")
	file, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Env = append(os.Environ(), env...)
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

// await waits for a log line with that message and returns the line.
func (p *Process) await(ctx context.Context, message string) (map[string]any, error) {
	for next := 0; ; {
		p.mu.Lock()
		lines, more := p.lines, p.more
		p.mu.Unlock()
		for ; next < len(lines); next++ {
			if lines[next]["msg"] == message {
				return lines[next], nil
			}
		}
		select {
		case <-more:
		case <-p.ended:
			return nil, fmt.Errorf("%s ended (%v); its last words: %v", p.Name, p.err, p.lastLine())
		case <-ctx.Done():
			return nil, fmt.Errorf("%s did not say %q in time; see %s", p.Name, message, p.log)
		}
	}
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

// stop ends the process in good order, or by force after patience. A clean exit
// is no error.
func (p *Process) stop(patience time.Duration) error {
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
		return errors.Join(fmt.Errorf("%s did not stop within %v", p.Name, patience), p.cmd.Process.Kill())
	}
}
