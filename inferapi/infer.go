package inferapi

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"hailo-depth/device"
	"hailo-depth/oip"
)

func (s *session) infer(w http.ResponseWriter, r *http.Request) (err error) {
	b, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	done := false // the device and the answer have left the body behind
	defer func() { b.release(done) }()
	q, err := oip.DecodeRequest(b.bytes, b.head)
	if err != nil {
		return err
	}
	name, m, err := s.model(r, q.Parameters)
	if err != nil {
		return err
	}
	ctx, cancel, err := onTerms(r.Context(), q.Parameters)
	if err != nil {
		return err
	}
	defer cancel()
	if q.Raw != nil {
		if q.Inputs, err = s.rawInput(ctx, r, name, m, q.Raw); err != nil {
			return err
		}
	}
	in, err := input(m.Type, q)
	if err != nil {
		return err
	}
	result, err := s.Manager.Infer(ctx, m, in)
	if err != nil {
		return err // a request that was given up may still be running on the body
	}
	l, _, err := s.loaded(r, m) // by now it may have been evicted
	if err != nil {
		return err
	}
	answer, err := s.answer(q, name, outputs(m.Type, l.Tensors), result)
	if err != nil {
		return err
	}
	if size := answer.Size(); size > s.MaxMessage {
		return &device.Error{Kind: device.KindInternal, Message: fmt.Sprintf("Response too large: %d bytes; at most %d are sent", size, s.MaxMessage)}
	}
	s.sendMessage(w, answer, result.Timing)
	result.Recycle()
	done = true
	return nil
}

// onTerms applies the parameters that say how a request waits.
func onTerms(ctx context.Context, p oip.Parameters) (context.Context, context.CancelFunc, error) {
	terms := device.TermsOf(ctx)
	priority, given, err := p.Int("priority", device.LeastPriority, device.MostPriority)
	if err != nil {
		return nil, nil, err
	}
	if given {
		terms.Priority = int(priority)
	}
	client, given, err := p.String("client")
	if err != nil {
		return nil, nil, err
	}
	if given {
		terms.Client = client
	}
	if err := terms.Check(); err != nil {
		return nil, nil, err
	}
	ctx = device.WithTerms(ctx, terms)
	limit := time.Duration(math.MaxInt64)
	for name, unit := range map[string]time.Duration{"timeout": time.Microsecond, "deadline_ms": time.Millisecond} {
		n, given, err := p.Int(name, 0, math.MaxInt64/int64(unit))
		if err != nil {
			return nil, nil, err
		}
		if given && n > 0 {
			limit = min(limit, time.Duration(n)*unit)
		}
	}
	if limit == math.MaxInt64 {
		return ctx, func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	return ctx, cancel, nil
}

// rawInput makes the only input of a body without a head. Its type and shape
// are those that the network declares, so the model is loaded first.
func (s *session) rawInput(ctx context.Context, r *http.Request, name string, m device.Model, raw []byte) ([]oip.Tensor, error) {
	if _, err := s.Manager.Load(ctx, m); err != nil {
		return nil, err
	}
	l, err := s.needLoaded(r, name, m)
	if err != nil {
		return nil, err
	}
	if len(l.Tensors.Inputs) != 1 {
		return nil, invalid("a raw request is for models with one input; %q has %d", name, len(l.Tensors.Inputs))
	}
	info := l.Tensors.Inputs[0]
	t := oip.Tensor{Name: info.Name, Datatype: oip.DatatypeOf(info.DType), Shape: info.Shape, Data: raw}
	if err := t.Check(); err != nil {
		return nil, invalid("a raw request is the bytes of the input: %v", err)
	}
	return []oip.Tensor{t}, nil
}

func (s *session) sendMessage(w http.ResponseWriter, m oip.Message, t device.Timing) {
	ms := func(d time.Duration) string { return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 3, 64) }
	header := w.Header()
	header.Set("Server-Timing", "queue;dur="+ms(t.Queue)+", load;dur="+ms(t.Load)+", infer;dur="+ms(t.Infer)+", library;dur="+ms(t.Library))
	header.Set("Content-Type", m.ContentType())
	if n := m.HeadLength(); n != oip.NoHead {
		header.Set(oip.HeadLength, strconv.FormatInt(n, 10))
	}
	s.send(w, http.StatusOK, append([][]byte{m.Head}, m.Tensors...)...)
}
