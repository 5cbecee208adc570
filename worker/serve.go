package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"hailo-depth/tensor"
)

// Backend is a device, as a worker program implements it. Load is called from
// one goroutine; Statistics may be called beside it.
type Backend interface {
	Identify() Identity
	Statistics() Statistics
	Load(spec LoadSpec) (LoadedNetwork, error)
	Close() error
}

// LoadedNetwork is a network on a Backend. Its methods are called one at a time.
type LoadedNetwork interface {
	Signature() Signature
	// Bind gives the network the shared memory of its inputs and outputs, valid
	// until the next Bind or Close. A network may be bound anew for each inference.
	Bind(inputs, outputs [][]byte) error
	// Infer reads the bound inputs and fills the bound outputs. When outputs came
	// out in other shapes than the signature says, it returns all of them instead,
	// in memory of its own: what was bound is given up.
	Infer(timeout time.Duration) ([]tensor.Tensor, error)
	Close() error
}

// ErrByHand is returned by Serve when the program was not started by a manager.
var ErrByHand = errors.New("a worker is started by hailo-device-manager, which gives it its channel; it does nothing by itself")

// Serve answers the manager until it says close or goes away. It returns while
// a call into the library may still be blocked: the program must then exit.
func Serve(ctx context.Context, backend Backend) error {
	c, err := inherited()
	if err != nil {
		return err
	}
	return serve(ctx, c, backend)
}

// inherited is the channel that the manager gave to this program.
func inherited() (*channel, error) {
	number, err := strconv.Atoi(os.Getenv(channelEnv))
	if err != nil {
		return nil, ErrByHand
	}
	unix.CloseOnExec(number)
	c, err := openChannel(os.NewFile(uintptr(number), "manager"))
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrByHand, err)
	}
	return c, nil
}

// Refuse is Serve for a worker that cannot open its device: it answers whatever
// the manager asks with why, until the manager goes away, which it does after
// the first answer.
func Refuse(ctx context.Context, why *Error) error {
	c, err := inherited()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.close() }) // ends receive
	defer stop()
	for {
		var q request
		fd, err := c.receive(&q)
		closeDescriptor(fd)
		if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err == nil {
			err = c.send(ctx, reply{ID: q.ID, Error: why}, -1)
		}
		if err != nil {
			return fmt.Errorf("refusing: %w", err)
		}
	}
}

// mostWaiting is how many requests wait for the one that is carried out; more
// would keep the loop from answering identify and statistics. The manager sends
// one.
const mostWaiting = 4

func serve(ctx context.Context, c *channel, backend Backend) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = c.close() }) // ends receive
	defer stop()

	device := &server{channel: c, backend: backend, networks: map[uint64]*served{}, work: make(chan job, mostWaiting), running: generations{ends: map[uint64]context.CancelFunc{}}}
	failed := make(chan error, 1)
	go func() { failed <- device.run(ctx) }()
	for {
		var q request
		fd, err := c.receive(&q)
		if err == nil && q.Verb != verbGenerate {
			closeDescriptor(fd) // others carry none
		}
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
				return nil // the manager is gone, or said close
			}
			return fmt.Errorf("reading a request: %w", err)
		}
		switch q.Verb {
		case verbIdentify:
			identity := backend.Identify()
			identity.Protocol = Version
			err = c.send(ctx, reply{ID: q.ID, Identity: &identity}, -1)
		case verbStatistics:
			statistics := backend.Statistics()
			err = c.send(ctx, reply{ID: q.ID, Statistics: &statistics}, -1)
		case verbCancel:
			device.running.cancel(q.ID)
		case verbLoad, verbInfer, verbGenerate, verbUnload, verbClose:
			j := job{request: q, ctx: ctx, fd: -1}
			switch q.Verb {
			case verbGenerate:
				j.fd, j.cancelled = fd, device.running.begin(ctx, q.ID)
			case verbClose:
				device.running.cancelAll()
			}
			select {
			case device.work <- j:
			case err = <-failed:
				closeDescriptor(j.fd)
				return err
			}
		default:
			err = c.send(ctx, reply{ID: q.ID, Error: &Error{Kind: KindUnsupported, Message: fmt.Sprintf("unknown verb %q", q.Verb)}}, -1)
		}
		if err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
}

// server carries out what touches the device, one request after another.
type server struct {
	channel  *channel
	backend  Backend
	networks map[uint64]*served
	work     chan job
	running  generations
}

// job is a request that touches the device.
type job struct {
	request
	ctx       context.Context // of the loop
	cancelled context.Context // of a generate: ends when the manager wants no more of it
	fd        int             // that came with a generate, or -1
}

// served is a network of tensors, or a generator.
type served struct {
	network   LoadedNetwork
	signature Signature // of what is bound
	memory    *memory
	bound     int // the set that is bound; negative: none
	replaced  int // how often an inference has replaced memory
	generator LoadedGenerator
}

func (n *served) close() error {
	if n.generator != nil {
		return n.generator.Close()
	}
	return errors.Join(n.network.Close(), n.memory.close())
}

func (s *server) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case j := <-s.work:
			if err := s.answer(ctx, j); err != nil {
				return err
			}
			if j.Verb == verbClose {
				return s.channel.close()
			}
		}
	}
}

func (s *server) answer(ctx context.Context, q job) error {
	r, fd, err := s.do(q)
	defer closeDescriptor(fd)
	if err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			e = &Error{Kind: KindInternal, Message: err.Error()}
		}
		const most = 8 << 10
		if len(e.Message) > most {
			short := *e
			short.Message = e.Message[:most] + "…"
			e = &short
		}
		r = reply{Error: e}
	}
	r.ID = q.ID
	err = s.channel.send(ctx, r, fd)
	if e, ok := errors.AsType[*Error](err); ok { // the answer is no message: say that instead
		failure := &Error{Kind: KindUnsupported, Message: fmt.Sprintf("the answer to %s: %v", q.Verb, e)}
		if q.Verb == verbLoad { // the manager will not know of the network
			if _, _, err := s.do(job{request: request{Verb: verbUnload, Network: q.Network}}); err != nil {
				failure.Message += "; " + err.Error()
			}
		}
		return s.channel.send(ctx, reply{ID: q.ID, Error: failure}, -1)
	}
	return err
}

func (s *server) do(j job) (reply, int, error) {
	q := j.request
	switch q.Verb {
	case verbLoad:
		return s.load(q)
	case verbInfer:
		return s.infer(q)
	case verbGenerate:
		defer s.running.done(q.ID)
		r, err := s.generate(j)
		return r, -1, err
	case verbUnload:
		n, ok := s.networks[q.Network]
		if !ok {
			return reply{}, -1, invalid("no network %d is loaded", q.Network)
		}
		delete(s.networks, q.Network)
		return reply{}, -1, n.close()
	default: // close
		return reply{}, -1, s.backend.Close()
	}
}

func (s *server) load(q request) (reply, int, error) {
	if q.Load == nil {
		return reply{}, -1, invalid("load without a file")
	}
	began := time.Now()
	if q.Load.Task != TaskTensors {
		g, err := s.loadGenerator(*q.Load)
		if err != nil {
			return reply{}, -1, err
		}
		s.networks[q.Network] = &served{generator: g}
		signature := g.Signature()
		return reply{Signature: &signature, DeviceUS: time.Since(began).Microseconds()}, -1, nil
	}
	network, err := s.backend.Load(*q.Load)
	if err != nil {
		return reply{}, -1, err
	}
	n := &served{network: network}
	signature := network.Signature()
	fd, err := n.share(signature, region.doubled)
	if err != nil {
		return reply{}, -1, errors.Join(err, network.Close())
	}
	s.networks[q.Network] = n
	return reply{Signature: &signature, Region: &n.memory.layout, DeviceUS: time.Since(began).Microseconds()}, fd, nil
}

func (s *server) infer(q request) (reply, int, error) {
	n, ok := s.networks[q.Network]
	if !ok || n.network == nil {
		return reply{}, -1, invalid("no network %d of tensors is loaded", q.Network)
	}
	if q.Replaced != n.replaced {
		return reply{}, -1, invalid("the memory of network %d was replaced %d times; the request is made for that after %d", q.Network, n.replaced, q.Replaced)
	}
	if q.Set != n.bound {
		if err := n.bind(q.Set); err != nil {
			return reply{}, -1, err
		}
	}
	began := time.Now()
	changed, err := n.network.Infer(time.Duration(q.TimeoutMS) * time.Millisecond)
	r := reply{DeviceUS: time.Since(began).Microseconds()}
	if err != nil || changed == nil {
		return r, -1, err
	}
	signature := n.network.Signature()
	if len(changed) != len(signature.Outputs) {
		return r, -1, invalid("%d outputs came out of a network with %d", len(changed), len(signature.Outputs))
	}
	outputs := make([]TensorInfo, len(changed))
	for i, t := range changed {
		outputs[i] = TensorInfo{Name: signature.Outputs[i].Name, DType: t.DType, Shape: t.Shape}
	}
	signature.Outputs = outputs
	// One set: outputs that change once change again, and what was sent early
	// then has to be sent anew.
	fd, err := n.share(signature, func(r region) region { return r })
	if err != nil {
		return r, -1, err
	}
	n.replaced++
	for i, view := range n.memory.views(outputs, n.memory.layout.Outputs) {
		copy(view, changed[i].Data)
	}
	r.Signature, r.Region = &signature, &n.memory.layout
	return r, fd, nil
}

// share gives the network fresh memory for the signature, laid out as plan and
// then arrange say, and returns its descriptor.
func (n *served) share(signature Signature, arrange func(region) region) (int, error) {
	layout, err := plan(signature)
	if err != nil {
		return -1, &Error{Kind: KindModel, Message: err.Error()}
	}
	m, fd, err := makeMemory(arrange(layout))
	if err != nil {
		return -1, &Error{Kind: KindModel, Message: err.Error()}
	}
	before := *n
	n.signature, n.memory = signature, m
	if err := n.bind(0); err != nil {
		n.signature, n.memory = before.signature, before.memory
		closeDescriptor(fd)
		return -1, errors.Join(err, m.close())
	}
	if before.memory != nil {
		err = before.memory.close()
	}
	return fd, err
}

// bind has the network work on one of the sets.
func (n *served) bind(number int) error {
	set, ok := n.memory.layout.set(number)
	if !ok {
		return invalid("the network has no set %d of inputs and outputs", number)
	}
	n.bound = -1 // also after an error
	if err := n.network.Bind(n.memory.views(n.signature.Inputs, set.Inputs), n.memory.views(n.signature.Outputs, set.Outputs)); err != nil {
		return err
	}
	n.bound = number
	return nil
}
