package worker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"hailo-depth/tensor"
)

// Generator is a Backend that can also run generative networks. Serve refuses
// them for a Backend that is none.
type Generator interface {
	Backend
	// LoadGenerator loads a network whose spec.Task is not TaskTensors; it is
	// called like Load.
	LoadGenerator(spec LoadSpec) (LoadedGenerator, error)
}

// LoadedGenerator is a generative network on a Generator. Its methods are
// called one at a time.
type LoadedGenerator interface {
	// Signature has no inputs and outputs; of a vlm it has FrameShape.
	Signature() Signature
	// Generate hands each piece to emit as soon as it is there, in calls one after
	// another, and returns when nothing of it runs in the library any more. When
	// ctx ends it ends early where the library can, with FinishCancelled and no
	// error; timeout is what it may take at all, for libraries that want to know.
	// The tensors are valid until it returns. When emit fails, so does Generate.
	// A context that the network keeps is cleared before it returns.
	Generate(ctx context.Context, timeout time.Duration, g Generation, emit func(Piece) error) (Ending, error)
	Close() error
}

// generations are the contexts of generations by their request's ID: a cancel
// may come before the generation has begun, and must not hit the next one.
type generations struct {
	mu   sync.Mutex
	ends map[uint64]context.CancelFunc
}

// begin is called in the order of the requests, before they are carried out.
func (g *generations) begin(ctx context.Context, id uint64) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if before, ok := g.ends[id]; ok {
		before() // an ID that is used twice
	}
	g.ends[id] = cancel
	return ctx
}

func (g *generations) cancel(id uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if cancel, ok := g.ends[id]; ok {
		cancel()
	}
}

func (g *generations) cancelAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, cancel := range g.ends {
		cancel()
	}
}

func (g *generations) done(id uint64) {
	g.cancel(id)
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.ends, id)
}

func (s *server) loadGenerator(spec LoadSpec) (LoadedGenerator, error) {
	backend, ok := s.backend.(Generator)
	if !ok {
		return nil, &Error{Kind: KindUnsupported, Message: fmt.Sprintf(
			"the backend %s runs networks of tensors only; generative ones (%s) need the backend hailort", s.backend.Identify().Backend, spec.Task)}
	}
	g, err := backend.LoadGenerator(spec)
	if err != nil {
		return nil, err
	}
	if signature := g.Signature(); len(signature.Inputs)+len(signature.Outputs) > 0 {
		return nil, &Error{Kind: KindInternal, Message: "a generative network has no tensors of its own"}
	}
	return g, nil
}

// generate takes the memory of j over.
func (s *server) generate(j job) (reply, error) {
	defer closeDescriptor(j.fd)
	n, ok := s.networks[j.Network]
	if !ok {
		return reply{}, invalid("no network %d is loaded", j.Network)
	}
	if n.generator == nil || j.Generate == nil {
		return reply{}, invalid("generate needs a generative network and what to generate")
	}
	g := j.Generate.Generation
	if len(j.Generate.Tensors) > 0 {
		if j.Region == nil || j.fd < 0 {
			return reply{}, invalid("generate came with %d tensors and without their memory", len(j.Generate.Tensors))
		}
		signature := Signature{Inputs: j.Generate.Tensors}
		m, err := checkMemory(j.fd, *j.Region, signature)
		if err != nil {
			return reply{}, invalid("%v", err)
		}
		defer func() { _ = m.close() }() // nothing is lost with it
		for i, view := range m.views(signature.Inputs, m.layout.Inputs) {
			g.Tensors = append(g.Tensors, tensor.Tensor{DType: signature.Inputs[i].DType, Shape: signature.Inputs[i].Shape, Data: view})
		}
	}
	began := time.Now()
	text := textPieces{emit: func(p Piece) error { return s.channel.send(j.ctx, reply{ID: j.ID, Piece: &p}, -1) }}
	ending, err := n.generator.Generate(j.cancelled, time.Duration(j.TimeoutMS)*time.Millisecond, g, text.take)
	if err == nil {
		err = text.flush()
	}
	return reply{Ending: &ending, DeviceUS: time.Since(began).Microseconds()}, err
}

// textPieces passes pieces on. Tokens may end in the middle of a character,
// which a message cannot: such an end waits for the next token.
type textPieces struct {
	emit func(Piece) error
	rest string
}

func (t *textPieces) take(p Piece) error {
	if p.Segment == nil {
		p.Token, t.rest = splitIncomplete(t.rest + p.Token)
		if p.Token == "" {
			return nil
		}
	}
	p.Token = strings.ToValidUTF8(p.Token, "\uFFFD")
	return t.emit(p)
}

// flush passes on a character that was never completed.
func (t *textPieces) flush() error {
	if t.rest == "" {
		return nil
	}
	t.rest = ""
	return t.emit(Piece{Token: "\uFFFD"})
}

// splitIncomplete cuts off a last character of which only the beginning is there.
func splitIncomplete(s string) (whole, rest string) {
	for i := len(s) - 1; i >= 0 && i > len(s)-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			if !utf8.FullRuneInString(s[i:]) {
				return s[:i], s[i:]
			}
			break
		}
	}
	return s, ""
}
