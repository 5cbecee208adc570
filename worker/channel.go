package worker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/go-json-experiment/json"
	"golang.org/x/sys/unix"
)

// channel carries messages and file descriptors. One goroutine may read while
// several write: the kernel keeps packets whole.
type channel struct{ conn *net.UnixConn }

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
	return &channel{conn: u}, nil
}

// send writes one message, with the descriptor fd when it is not negative.
func (c *channel) send(message any, fd int) error {
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(body) > maxMessage {
		return fmt.Errorf("message of %d bytes; the limit is %d", len(body), maxMessage)
	}
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	_, _, err = c.conn.WriteMsgUnix(body, rights, nil)
	return err
}

// receive reads one message into message and returns the descriptor that came
// with it, or -1. It ends with io.EOF when the other side is gone.
func (c *channel) receive(message any) (int, error) {
	body := make([]byte, maxMessage)
	control := make([]byte, unix.CmsgSpace(4))
	n, controlLen, flags, _, err := c.conn.ReadMsgUnix(body, control)
	if err != nil {
		return -1, err
	}
	fd, err := descriptor(control[:controlLen])
	if err != nil {
		return -1, err
	}
	switch {
	case n == 0 && fd < 0:
		return -1, io.EOF
	case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		err = fmt.Errorf("message over %d bytes or with too many descriptors", maxMessage)
	default:
		err = json.Unmarshal(body[:n], message)
	}
	if err != nil && fd >= 0 {
		err = errors.Join(err, unix.Close(fd))
		fd = -1
	}
	return fd, err
}

func descriptor(control []byte) (int, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(messages) == 0 {
		return -1, err
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return -1, err
	}
	unix.CloseOnExec(fds[0])
	return fds[0], nil
}

func (c *channel) close() error { return c.conn.Close() }
