package socketapi

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/device"
	"hailo-depth/tensor"
)

// mostDeadline is the most milliseconds that a time.Duration holds.
const mostDeadline = math.MaxInt64 / int64(time.Millisecond)

// onTerms applies the fields that say how the request waits.
func (q *request) onTerms(ctx context.Context) (context.Context, context.CancelFunc, error) {
	terms := device.TermsOf(ctx)
	if !absent(q.Priority) {
		n, err := whole("priority", q.Priority, device.LeastPriority, device.MostPriority)
		if err != nil {
			return nil, nil, err
		}
		terms.Priority = int(n)
	}
	if !absent(q.Client) {
		if q.Client.Kind() != '"' {
			return nil, nil, invalid("client must be a string, got %s", tensor.KindName(q.Client))
		}
		terms.Client = spoken(q.Client)
	}
	if err := terms.Check(); err != nil {
		return nil, nil, err
	}
	ctx = device.WithTerms(ctx, terms)
	if absent(q.DeadlineMS) {
		return ctx, func() {}, nil
	}
	ms, err := whole("deadline_ms", q.DeadlineMS, 0, mostDeadline)
	if err != nil || ms == 0 {
		return ctx, func() {}, err
	}
	ctx, cancel := context.WithDeadline(ctx, q.arrived.Add(time.Duration(ms)*time.Millisecond))
	return ctx, cancel, nil
}

// whole reads a number of an optional field.
func whole(field string, raw jsontext.Value, least, most int64) (int64, error) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < least || n > most {
		return 0, invalid("%s must be a whole number from %d to %d, got %.40s", field, least, most, raw)
	}
	return n, nil
}
