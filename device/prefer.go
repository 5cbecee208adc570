package device

import (
	"context"
	"errors"
	"sync/atomic"
)

// PreferringHTTP is a Service over the manager's HTTP socket where somebody
// listens on it, and over the old protocol where nobody does. Each call decides
// anew: a manager that is replaced by one without HTTP, or the other way round,
// costs nothing but a connection that is refused at once. A call that was sent
// over HTTP is never sent again over the old protocol.
type PreferringHTTP struct {
	HTTP *HTTPClient // Path empty, unlike elsewhere: not used
	Old  *Client
	// Changed, when not nil, is told of the first call's protocol and of every
	// change after it. It may be called from several goroutines.
	Changed func(http bool)

	last atomic.Int32 // 0: no call yet, 1: the old protocol, 2: HTTP
}

var _ Service = (*PreferringHTTP)(nil)

// Close ends the idle connections; calls after it still work, unpooled.
func (p *PreferringHTTP) Close() error { return errors.Join(p.HTTP.Close(), p.Old.Close()) }

// Load implements Service.
func (p *PreferringHTTP) Load(ctx context.Context, m Model) (Loaded, error) {
	return prefer(p, func(s Service) (Loaded, error) { return s.Load(ctx, m) })
}

// Unload implements Service.
func (p *PreferringHTTP) Unload(ctx context.Context, m Model) (bool, error) {
	return prefer(p, func(s Service) (bool, error) { return s.Unload(ctx, m) })
}

// Infer implements Service.
func (p *PreferringHTTP) Infer(ctx context.Context, m Model, in Input) (Result, error) {
	return prefer(p, func(s Service) (Result, error) { return s.Infer(ctx, m, in) })
}

// Status implements Service.
func (p *PreferringHTTP) Status(ctx context.Context) (Status, error) {
	return prefer(p, func(s Service) (Status, error) { return s.Status(ctx) })
}

func prefer[T any](p *PreferringHTTP, call func(Service) (T, error)) (T, error) {
	if p.HTTP.Path != "" {
		result, err := call(p.HTTP)
		if _, ok := errors.AsType[*absent](err); !ok {
			p.note(2)
			return result, err
		}
	}
	result, err := call(p.Old)
	if _, ok := errors.AsType[*absent](err); !ok {
		p.note(1)
	}
	return result, err
}

func (p *PreferringHTTP) note(protocol int32) {
	if p.last.Swap(protocol) != protocol && p.Changed != nil {
		p.Changed(protocol == 2)
	}
}
