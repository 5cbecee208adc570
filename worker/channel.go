package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sys/unix"
)

// channel carries messages and file descriptors. One goroutine may read while
// several write: the kernel keeps packets whole.
type channel struct {
	conn *net.UnixConn
	body []byte // what was received last; the reader's
}

// newChannelPair makes both ends; the second is a file to pass to a child.
func newChannelPair() (*channel, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "worker channel")
	ours, err := openChannel(os.NewFile(uintptr(fds[0]), "manager channel"))
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return ours, theirs, nil
}

// openChannel takes f over.
func openChannel(f *os.File) (*channel, error) {
	conn, err := net.FileConn(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("worker channel: %w", err)
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("worker channel: the descriptor is a %T, not a Unix socket", conn), conn.Close())
	}
	return &channel{conn: u, body: make([]byte, maxMessage)}, nil
}

// sendRetry is how often a channel that is full is tried again.
const sendRetry = 10 * time.Millisecond

// send writes one message, with the descriptor fd when it is not negative. A
// message that cannot be one is an *Error; nothing was sent then. The kernel
// holds few messages for a side that does not read: send waits until ctx ends.
func (c *channel) send(ctx context.Context, message any, fd int) error {
	body, err := json.Marshal(message, jsontext.AllowInvalidUTF8(true)) // names in model files may be anything
	if err != nil {
		return invalid("%v", err)
	}
	if len(body) > maxMessage {
		return invalid("message of %d bytes; the limit is %d", len(body), maxMessage)
	}
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return err
	}
	for {
		var sent error
		err := raw.Control(func(to uintptr) {
			sent = unix.Sendmsg(int(to), body, rights, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		})
		if err != nil || sent != unix.EAGAIN && sent != unix.EINTR {
			return errors.Join(err, sent)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(sendRetry):
		}
	}
}

// receive reads one message into message and returns the descriptor that came
// with it, or -1. It ends with io.EOF when the other side is gone.
func (c *channel) receive(message any) (int, error) {
	body := c.body
	control := make([]byte, unix.CmsgSpace(4))
	n, controlLen, flags, _, err := c.conn.ReadMsgUnix(body, control)
	fds := descriptors(control[:controlLen]) // also with an error: they are open
	switch {
	case err != nil:
	case n == 0 && len(fds) == 0:
		err = io.EOF
	case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 || len(fds) > 1:
		err = fmt.Errorf("message over %d bytes or with too many descriptors", maxMessage)
	default:
		err = json.Unmarshal(body[:n], message)
	}
	if err == nil && len(fds) == 1 {
		return fds[0], nil
	}
	for _, fd := range fds {
		closeDescriptor(fd)
	}
	return -1, err
}

// descriptors lists what came with a message; there may be room for more than
// the one that was asked for.
func descriptors(control []byte) []int {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil
	}
	var all []int
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue // another kind of message
		}
		all = append(all, fds...)
	}
	return all
}

func (c *channel) close() error { return c.conn.Close() }
