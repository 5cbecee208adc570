package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"hailo-depth/internal/buffers"
)

// channelEnv tells a worker program which descriptor its channel is.
const channelEnv = "HAILO_WORKER_CHANNEL"

// Command is the worker program to run.
type Command struct {
	Path string
	Args []string
	Env  []string // added to this process's environment, "NAME=value"
}

// Process is a running worker, as the manager sees it. Its methods are safe for
// concurrent use; identify and statistics do not wait for a load or an infer.
type Process struct {
	identity Identity
	channel  *channel
	process  *os.Process
	log      *slog.Logger
	lastLine atomic.Pointer[string] // of what the worker said on stderr
	outputs  buffers.Pool           // memory of inferences' outputs

	reaped chan struct{} // closed when the process has ended
	done   chan struct{} // closed when, besides, every call has ended

	mu      sync.Mutex
	lastID  uint64
	pending map[uint64]*call
	died    *Error // set once; no call is accepted after
}

// call is a request that was sent and not answered.
type call struct {
	id      uint64
	waiting chan answer // has room for the one answer
	pieces  *pieces     // of a generation, whose pieces come before the answer
}

type answer struct {
	reply reply
	fd    int
	err   error
}

// open returns the answer with its descriptor, or the error that it is.
func (a answer) open() (reply, int, error) {
	if a.err == nil && a.reply.Error != nil {
		closeDescriptor(a.fd)
		a.err = a.reply.Error
	}
	if a.err != nil {
		return reply{}, -1, a.err
	}
	return a.reply, a.fd, nil
}

// Start runs the program and waits until it has identified itself. A worker that
// cannot open its device says so instead: the error, an *Error, has the status
// and is of KindHeld, KindVersion or KindLost. The process ends with this one,
// whatever happens: it sees its channel close, and the kernel kills it.
func Start(ctx context.Context, command Command, log *slog.Logger) (*Process, error) {
	ours, theirs, err := newChannelPair()
	if err != nil {
		return nil, err
	}
	p := &Process{channel: ours, log: log, reaped: make(chan struct{}), done: make(chan struct{}), pending: map[uint64]*call{}}
	if err := p.spawn(command, theirs); err != nil {
		return nil, errors.Join(err, theirs.Close(), ours.close())
	}
	r, err := p.ask(ctx, request{Verb: verbIdentify})
	switch {
	case err != nil:
	case r.Identity == nil:
		err = errors.New("it did not identify itself")
	case r.Identity.Protocol != Version:
		err = fmt.Errorf("it speaks protocol %d; this manager speaks %d", r.Identity.Protocol, Version)
	default:
		p.identity = *r.Identity
		return p, nil
	}
	p.Kill()
	<-p.done
	failure := &Error{Kind: KindLost, Message: fmt.Sprintf("starting %s: %v%s", command.Path, err, p.lastWords())}
	if told, ok := errors.AsType[*Error](err); ok { // it could not open its device, and says why
		failure.Status = told.Status
		if told.Kind == KindHeld || told.Kind == KindVersion {
			failure.Kind = told.Kind
		}
	}
	return nil, failure
}

// endGrace is how long stderr and the channel are each read after the worker's
// end, where another process has them open.
const endGrace = 500 * time.Millisecond

// spawn starts the program on a thread that lives as long as the child, because
// the kernel takes the end of that thread for the death of the parent.
func (p *Process) spawn(command Command, channelFile *os.File) error {
	cmd := exec.Command(command.Path, command.Args...)
	cmd.Env = append(os.Environ(), append(command.Env, channelEnv+"=3")...)
	cmd.ExtraFiles = []*os.File{channelFile}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	// What the worker started may hold its stderr open for ever: Wait gives it up
	// then, as it could not with a StderrPipe.
	stderr, words := io.Pipe()
	cmd.Stderr, cmd.WaitDelay = words, endGrace
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := cmd.Start()
		if err == nil {
			p.process = cmd.Process
		}
		started <- err
		if err != nil {
			return
		}
		readers := p.read()
		logged := make(chan struct{})
		go func() {
			defer close(logged)
			p.logLines(stderr)
		}()
		waitErr := cmd.Wait()
		_ = words.Close() // ends logLines; it never fails
		<-logged
		// Nothing that the worker started may keep the device. The error is that
		// there is nothing; a group's number is not given away so soon.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		close(p.reaped)
		select {
		case <-readers: // they have delivered what it answered before its end
		case <-time.After(endGrace): // another process has its channel open
		}
		if err := p.channel.close(); err != nil {
			p.log.Debug("closing a worker's channel", "error", err)
		}
		<-readers
		p.fail(errDied(cause(cmd, waitErr) + p.lastWords()))
		close(p.done)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("starting the worker: %w", err)
	}
	return channelFile.Close()
}

func cause(cmd *exec.Cmd, err error) string {
	if cmd.ProcessState != nil {
		return cmd.ProcessState.String()
	}
	return fmt.Sprint(err)
}

// logLines passes on what the worker says until it closes stderr.
func (p *Process) logLines(stderr io.Reader) {
	lines := bufio.NewReader(stderr)
	for {
		text, _, err := lines.ReadLine() // a long line comes in pieces
		if err != nil {
			return // the pipe's only error is its end
		}
		line := string(text)
		p.lastLine.Store(&line)
		p.log.Info(line, "component", "worker")
	}
}

func (p *Process) lastWords() string {
	if line := p.lastLine.Load(); line != nil {
		return fmt.Sprintf(" (its last words: %q)", *line)
	}
	return ""
}

// leaveGrace is how long a worker may take to exit after it closed its channel.
const leaveGrace = 2 * time.Second

// read hands answers to their callers until the channel ends. A worker whose
// channel has ended is of no use: it is killed unless it leaves by itself. One
// that sends what is no message is killed at once.
func (p *Process) read() <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var r reply
			fd, err := p.channel.receive(&r)
			if errors.Is(err, syscall.ECONNRESET) {
				continue // it left requests unread; its answers come next
			}
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
					p.log.Warn("the worker's channel broke", "error", err)
					p.Kill()
				}
				select {
				case <-p.reaped:
				case <-time.After(leaveGrace):
					p.Kill()
				}
				return
			}
			if !p.deliver(answer{reply: r, fd: fd}) {
				p.log.Warn("the worker answered a call that nobody waits for", "id", r.ID)
				closeDescriptor(fd)
			}
		}
	}()
	return ended
}

// deliver reports whether somebody waits for the answer. It is given under the
// lock, so that abandon finds it when the call is no longer pending.
func (p *Process) deliver(a answer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.pending[a.reply.ID]
	if !ok {
		return false
	}
	if a.reply.Piece != nil && c.pieces != nil {
		closeDescriptor(a.fd)
		if c.pieces.add(*a.reply.Piece) {
			return true
		}
		a = answer{fd: -1, err: &Error{Kind: KindLost, Message: fmt.Sprintf(
			"the worker generated more than %d pieces or %d bytes and was killed", MaxPieces, maxGeneratedText)}}
		p.Kill()
	}
	delete(p.pending, c.id)
	c.waiting <- a
	return true
}

func closeDescriptor(fd int) {
	if fd >= 0 {
		_ = syscall.Close(fd) // nothing was written through it
	}
}

// fail ends every call with why, and those to come.
func (p *Process) fail(why *Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.died = why
	for id, c := range p.pending {
		delete(p.pending, id)
		c.waiting <- answer{fd: -1, err: why}
	}
}

// call sends a request and waits for its answer or the end of ctx. The
// descriptor that came with the answer is the caller's, or -1.
func (p *Process) call(ctx context.Context, q request) (reply, int, error) {
	c, err := p.begin(ctx, q, -1, nil)
	if err != nil {
		return reply{}, -1, err
	}
	select {
	case a := <-c.waiting:
		return a.open()
	case <-ctx.Done():
		return reply{}, -1, p.abandon(ctx, c, q.Verb)
	}
}

// begin sends a request, with the descriptor fd when it is not negative.
func (p *Process) begin(ctx context.Context, q request, fd int, pieces *pieces) (*call, error) {
	c := &call{waiting: make(chan answer, 1), pieces: pieces}
	p.mu.Lock()
	if p.died != nil {
		p.mu.Unlock()
		return nil, p.died
	}
	p.lastID++
	c.id, q.ID = p.lastID, p.lastID
	p.pending[c.id] = c
	p.mu.Unlock()

	if err := p.channel.send(ctx, q, fd); err != nil {
		if e, ok := errors.AsType[*Error](err); ok { // the request is at fault, not the worker
			p.forget(c)
			return nil, e
		}
		if ctx.Err() == nil {
			p.Kill() // then the reaper answers; the cause of death is worth more than "broken pipe"
		}
	}
	return c, nil
}

// abandon gives a call up for the end of ctx.
func (p *Process) abandon(ctx context.Context, c *call, what verb) error {
	p.forget(c)
	return &Error{Kind: KindTimeout, Message: fmt.Sprintf("the worker did not answer %q in time: %v", what, context.Cause(ctx))}
}

// ask is call for what is answered without a descriptor.
func (p *Process) ask(ctx context.Context, q request) (reply, error) {
	r, fd, err := p.call(ctx, q)
	closeDescriptor(fd)
	return r, err
}

// forget gives up a call whose answer may just be arriving.
func (p *Process) forget(c *call) {
	p.mu.Lock()
	delete(p.pending, c.id)
	p.mu.Unlock()
	select {
	case a := <-c.waiting:
		closeDescriptor(a.fd)
	default:
	}
}

// Identity is what the worker said of itself when it started.
func (p *Process) Identity() Identity { return p.identity }

// Statistics asks for what changes: temperature, memory, jobs that do not end.
func (p *Process) Statistics(ctx context.Context) (Statistics, error) {
	r, err := p.ask(ctx, request{Verb: verbStatistics})
	if err != nil || r.Statistics == nil {
		return Statistics{}, err
	}
	return *r.Statistics, nil
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says why the process ended; nil while it lives.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.died == nil {
		return nil
	}
	return p.died
}

// Kill ends the process at once.
func (p *Process) Kill() { _ = p.process.Kill() } // an error means that it has ended

// Close asks the worker to release its device and leave, kills it when ctx ends
// first, and returns when it is gone.
func (p *Process) Close(ctx context.Context) {
	if _, err := p.ask(ctx, request{Verb: verbClose}); err != nil && KindOf(err) != KindLost {
		p.log.Warn("the worker did not close; killing it", "error", err)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		p.Kill()
		<-p.done
	}
}
