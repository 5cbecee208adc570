// Package depth turns pictures into depth maps: it decodes and resizes them,
// has a depth network run on a device, and makes the outputs. It knows pictures,
// not devices: those are behind device.Service.
package depth

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hailo-depth/depthmap"
	"hailo-depth/device"
	"hailo-depth/manifest"
	"hailo-depth/picture"
	"hailo-depth/representation"
)

// Limits bounds memory and waiting.
type Limits struct {
	Pictures   int   // requests in the service: being read, worked on, or at the device
	Queue      int   // requests that may wait for a place among them
	MaxPixels  int   // of one picture
	WorkPixels int64 // of all pictures that are being decoded, resized or encoded at once
}

// Estimator estimates depth. Make one with New.
type Estimator struct {
	device  device.Service
	limits  Limits
	gate    *gate
	keeper  *keeper
	encoder depthmap.PNGEncoder

	done    atomic.Int64
	lastErr atomic.Pointer[string]
}

// Request is a picture and what to make of it.
type Request struct {
	Data   []byte // a picture file
	Orient bool   // turn it upright by its EXIF orientation
	// Representation is the quantity that the map and all outputs hold; empty: Raw.
	Representation representation.Name
	Within         representation.Range // what is known of the scene, for Depth; see package representation
	// Scale fixes what the ends of the colours, of 16-bit PNGs and of normalised
	// values stand for, so that pictures can be compared and videos do not flicker;
	// zero: the smallest and the largest value of this picture.
	Scale     depthmap.Scale
	Normalize bool // map the values to 0..1
	Stats     bool
	NPZ       bool               // NumPy archive with the float32 map
	Color     *depthmap.Colormap // coloured 8-bit PNG, unless nil
	Gray16    bool               // 16-bit grey PNG
}

// Result is a depth map at the picture's size, with what was asked for.
type Result struct {
	Model   manifest.Manifest
	Map     *depthmap.Map // float32
	About   About         // what its numbers mean
	Stats   *depthmap.Stats
	NPZ     []byte
	Color   []byte
	Gray16  []byte
	Timing  Timing
	Elapsed time.Duration // decode to encode, waiting included
}

// Timing says where an estimate's time went.
type Timing struct {
	Decode, Resize time.Duration
	Queue          time.Duration // waiting: for a place, for a core, for the device
	Load           time.Duration // of the model, when it had to be loaded first
	Infer          time.Duration // the device's work and the way there and back
	Post           time.Duration // map to the picture's size, normalising, statistics
	Encode         time.Duration
}

// Estimate waits for a place and estimates one picture.
func (e *Estimator) Estimate(ctx context.Context, r Request) (*Result, error) {
	t, err := e.Admit(ctx)
	if err != nil {
		return nil, err
	}
	defer t.Leave()
	return t.Estimate(ctx, r)
}

// Ticket is a place in the service. A server takes one before it reads a
// request's body, so that bodies in memory are bounded.
type Ticket struct {
	estimator *Estimator
	waited    time.Duration
}

// Admit waits for a place. It fails with device.KindBusy when too many wait,
// and Leave must be called when it does not fail.
func (e *Estimator) Admit(ctx context.Context) (*Ticket, error) {
	began := time.Now()
	if err := e.gate.enter(ctx); err != nil {
		return nil, err
	}
	return &Ticket{estimator: e, waited: time.Since(began)}, nil
}

// Leave gives the place back.
func (t *Ticket) Leave() { t.estimator.gate.leave() }

// Estimate estimates one picture. Errors: *picture.Error for a bad picture,
// *representation.Error for one that the model's numbers do not allow, *device.Error for the device and for waiting, others are internal.
func (t *Ticket) Estimate(ctx context.Context, r Request) (*Result, error) {
	e := t.estimator
	e.keeper.begin()
	defer e.keeper.end()
	result, err := e.estimate(ctx, r)
	if err != nil {
		e.noteError(ctx, err)
		return nil, err
	}
	e.done.Add(1)
	result.Timing.Queue += t.waited
	return result, nil
}

// noteError keeps the last failure that was not the caller's, whose own deadline
// in ctx may have passed.
func (e *Estimator) noteError(ctx context.Context, err error) {
	var bad *picture.Error
	var refused *representation.Error
	kind := device.KindOf(err)
	if errors.As(err, &bad) || errors.As(err, &refused) || kind == device.KindCanceled || kind == device.KindBusy ||
		ctx.Err() != nil {
		return
	}
	text := err.Error()
	e.lastErr.Store(&text)
	if kind == device.KindUnavailable {
		e.keeper.look()
	}
}

func (e *Estimator) estimate(ctx context.Context, r Request) (*Result, error) {
	began := time.Now()
	model, err := e.keeper.ready()
	if err != nil {
		return nil, err
	}
	conversion, err := representation.New(model.Output, cmp.Or(r.Representation, representation.Raw), r.Within)
	if err != nil {
		return nil, err
	}
	result := &Result{Model: model.Manifest}
	p, input, err := e.prepare(ctx, r, model.Manifest.Input, &result.Timing)
	if err != nil {
		return nil, err
	}
	m, err := e.infer(ctx, model.device(), input, &result.Timing)
	if err != nil {
		return nil, err
	}
	if err := e.finish(ctx, r, conversion, m, p, result); err != nil {
		return nil, err
	}
	result.Elapsed = time.Since(began)
	return result, nil
}

// size is a picture's.
type size struct{ width, height int }

func (s size) pixels() int64 { return int64(s.width) * int64(s.height) }

// prepare makes the network's input. The picture itself is let go: what waits
// for the device is small.
func (e *Estimator) prepare(ctx context.Context, r Request, in manifest.Input, timing *Timing) (size, device.Input, error) {
	options := picture.Options{MaxPixels: e.limits.MaxPixels, Orient: r.Orient}
	width, height, err := picture.Size(r.Data, options)
	if err != nil {
		return size{}, device.Input{}, err
	}
	asked := time.Now()
	end, err := e.gate.begin(ctx, size{width, height}.pixels())
	if err != nil {
		return size{}, device.Input{}, err
	}
	defer end()
	decoding := time.Now()
	timing.Queue += decoding.Sub(asked)
	p, err := picture.Decode(r.Data, options)
	if err != nil {
		return size{}, device.Input{}, err
	}
	resizing := time.Now()
	timing.Decode = resizing.Sub(decoding)
	t := toTensor(p.Resize(in.Width, in.Height), in)
	timing.Resize = time.Since(resizing)
	return size{p.Width, p.Height}, device.Input{Input: &t}, nil
}

func (e *Estimator) infer(ctx context.Context, model device.Model, input device.Input, timing *Timing) (*depthmap.Map, error) {
	asked := time.Now()
	result, err := e.device.Infer(ctx, model, input)
	if err != nil {
		return nil, err
	}
	timing.Queue += result.Timing.Queue
	timing.Load = result.Timing.Load
	timing.Infer = time.Since(asked) - result.Timing.Queue - result.Timing.Load
	m, err := toMap(result.Tensor)
	result.Recycle() // the map has a copy
	return m, err
}

// finish makes the representation of the map at the picture's size and encodes it.
func (e *Estimator) finish(ctx context.Context, r Request, c representation.Conversion, m *depthmap.Map, to size, result *Result) error {
	asked := time.Now()
	end, err := e.gate.begin(ctx, to.pixels())
	if err != nil {
		return err
	}
	defer end()
	working := time.Now()
	result.Timing.Queue += working.Sub(asked)
	c.Before(m)
	m = m.Resize(to.width, to.height)
	if err := c.After(m); err != nil {
		return err
	}
	scale := cmp.Or(r.Scale, m.Scale())
	result.About = about(result.Model, c.Values, scale, r.Normalize)
	if r.Normalize {
		m, scale = m.Scaled(scale), depthmap.Scale{Low: 0, High: 1}
	}
	result.Map = m
	if r.Stats {
		stats := m.Stats()
		result.Stats = &stats
	}
	encoding := time.Now()
	result.Timing.Post = encoding.Sub(working)
	err = e.encode(r, scale, result)
	result.Timing.Encode = time.Since(encoding)
	return err
}

// encode makes the outputs side by side: a single request should not leave
// cores idle while it waits.
func (e *Estimator) encode(r Request, scale depthmap.Scale, result *Result) error {
	pixels := len(result.Map.Values)
	var group errgroup.Group
	// room is about what the output takes: growing a buffer step by step would
	// copy it several times.
	into := func(dst *[]byte, wanted bool, room int, encode func(io.Writer) error) {
		if !wanted {
			return
		}
		group.Go(func() error {
			var b bytes.Buffer
			b.Grow(room + 4096)
			err := encode(&b)
			*dst = b.Bytes()
			return err
		})
	}
	about := result.About
	into(&result.NPZ, r.NPZ, 4*pixels, func(w io.Writer) error {
		text, err := about.JSON()
		if err != nil {
			return err
		}
		return result.Map.EncodeNPZ(w, text)
	})
	into(&result.Color, r.Color != nil, pixels, func(w io.Writer) error {
		return e.encoder.EncodeColor(w, result.Map, scale, r.Color, about.text(depthmap.Text{Key: "Colormap", Value: r.Color.Name}))
	})
	into(&result.Gray16, r.Gray16, 3*pixels/2, func(w io.Writer) error {
		return e.encoder.EncodeGray16(w, result.Map, scale, about.text(depthmap.Text{Key: "Depth formula", Value: about.Formula()}))
	})
	return group.Wait()
}
