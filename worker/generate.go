package worker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// What one generation may give: more than any network's context holds.
const (
	MaxPieces        = 1 << 14
	maxGeneratedText = 1 << 20 // bytes
)

// pieces is what has come of a generation and was not yet fetched. The reader
// of the channel adds, and must not wait for anybody.
type pieces struct {
	mu          sync.Mutex
	fresh       []Piece
	count, text int
	came        chan struct{} // has room for one signal
}

func newPieces() *pieces { return &pieces{came: make(chan struct{}, 1)} }

// add reports whether the piece was within bounds.
func (s *pieces) add(p Piece) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	s.text += len(p.Token)
	if p.Segment != nil {
		s.text += len(p.Segment.Text)
	}
	if s.count > MaxPieces || s.text > maxGeneratedText {
		return false
	}
	s.fresh = append(s.fresh, p)
	select {
	case s.came <- struct{}{}:
	default:
	}
	return true
}

func (s *pieces) fetch() []Piece {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := s.fresh
	s.fresh = nil
	return fresh
}

// Generate runs a generative network and returns what it gave, with the time
// spent inside the library. onPiece is called for each piece as it comes; it may
// be nil. timeout is only told to the worker, as for Infer.
//
// When cancelled closes, the worker is told to end early; what had come until
// then is the result, with FinishCancelled (or another reason, when the network
// was faster). It may take long to obey, or never do. When ctx ends first the
// worker is in an unknown state and must be killed.
func (n *Network) Generate(ctx context.Context, cancelled <-chan struct{}, timeout time.Duration, g Generation, onPiece func(Piece)) (Generated, time.Duration, error) {
	q := request{Verb: verbGenerate, Network: n.id, TimeoutMS: timeout.Milliseconds(), Generate: &generate{Generation: g}}
	fd, err := q.attach(g)
	if err != nil {
		return Generated{}, 0, err
	}
	stream := newPieces()
	c, err := n.process.begin(ctx, q, fd, stream)
	closeDescriptor(fd)
	if err != nil {
		return Generated{}, 0, err
	}
	var result Generated
	var text strings.Builder
	collect := func() {
		for _, p := range stream.fetch() {
			if p.Segment != nil {
				result.Segments = append(result.Segments, *p.Segment)
			}
			text.WriteString(p.Token)
			if onPiece != nil {
				onPiece(p)
			}
		}
	}
	for {
		select {
		case <-stream.came:
			collect()
			continue
		case <-cancelled:
			cancelled = nil
			// It has no answer of its own. An error is the end of the channel or of
			// ctx, which ends the call too.
			_ = n.process.channel.send(ctx, request{ID: c.id, Verb: verbCancel}, -1)
			continue
		case a := <-c.waiting:
			r, fd, err := a.open()
			closeDescriptor(fd)
			if err == nil && r.Ending == nil {
				err = &Error{Kind: KindLost, Message: "the worker answered a generation without its end"}
			}
			if err != nil {
				return Generated{}, 0, err
			}
			collect()
			result.Text, result.Ending = text.String(), *r.Ending
			return result, time.Duration(r.DeviceUS) * time.Microsecond, nil
		case <-ctx.Done():
			return Generated{}, 0, n.process.abandon(ctx, c, verbGenerate)
		}
	}
}

// attach puts the tensors into memory to send with the request and returns its
// descriptor, which the caller closes; -1 when there are none.
func (q *request) attach(g Generation) (int, error) {
	if len(g.Tensors) == 0 {
		return -1, nil
	}
	for i, t := range g.Tensors {
		if err := t.Check(); err != nil {
			return -1, invalid("tensor %d: %v", i, err)
		}
		q.Generate.Tensors = append(q.Generate.Tensors, TensorInfo{Name: fmt.Sprint(i), DType: t.DType, Shape: t.Shape})
	}
	m, fd, err := newMemory(Signature{Inputs: q.Generate.Tensors})
	if err != nil {
		return -1, invalid("%v", err)
	}
	for i, view := range m.views(q.Generate.Tensors, m.layout.Inputs) {
		copy(view, g.Tensors[i].Data)
	}
	q.Region = &m.layout
	if err := m.close(); err != nil {
		closeDescriptor(fd)
		return -1, fmt.Errorf("unmapping: %w", err)
	}
	return fd, nil
}
