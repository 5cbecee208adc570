package device

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Priorities: a request of a higher one is served before those of lower ones
// that have not waited long (see docs/scheduling.md).
const (
	LeastPriority   = 0
	DefaultPriority = 5
	MostPriority    = 9
)

// Terms are on what terms a request waits for the device. They travel with the
// context, beside its deadline, because they belong to whoever asked, not to
// the model or its input. Requests without terms get those of Default.
type Terms struct {
	Priority int    // LeastPriority to MostPriority, which is served first
	Client   string // whom fairness and figures count the request for; may be empty
}

// DefaultTerms are those of a request that states none.
func DefaultTerms() Terms { return Terms{Priority: DefaultPriority} }

// Check refuses priorities that there are not and names that nobody could read.
func (t Terms) Check() error {
	if t.Priority < LeastPriority || t.Priority > MostPriority {
		return &Error{Kind: KindInvalid, Message: fmt.Sprintf("priority must be %d to %d, got %d", LeastPriority, MostPriority, t.Priority)}
	}
	if len(t.Client) > MaxClientName {
		return &Error{Kind: KindInvalid, Message: fmt.Sprintf("client must have at most %d bytes, got %d", MaxClientName, len(t.Client))}
	}
	return nil
}

// MaxClientName bounds a client's name in bytes.
const MaxClientName = 64

type termsKey struct{}

// WithTerms returns a context whose requests are served on t.
func WithTerms(ctx context.Context, t Terms) context.Context {
	return context.WithValue(ctx, termsKey{}, t)
}

// TermsOf returns the terms in ctx, or DefaultTerms.
func TermsOf(ctx context.Context) Terms {
	if t, ok := ctx.Value(termsKey{}).(Terms); ok {
		return t
	}
	return DefaultTerms()
}

// deadlineMS is how long the request may take from now, as requests say it: in
// milliseconds, at least 1; 0 without a deadline.
func deadlineMS(ctx context.Context) int64 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(1, int64(math.Ceil(float64(time.Until(deadline))/float64(time.Millisecond))))
}
