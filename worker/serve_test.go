package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hailo-depth/tensor"
)

// fakeBackend knows networks by their path: what they do is written there.
type fakeBackend struct {
	mu     sync.Mutex
	open   int // networks
	closed bool
	hold   chan struct{} // a load of "/hold" waits for it
}

func (b *fakeBackend) Identify() Identity { return Identity{Backend: "fake", DeviceID: "0"} }

func (b *fakeBackend) Statistics() Statistics { return Statistics{MemoryTotalBytes: 100} }

func (b *fakeBackend) Close() error {
	b.closed = true
	return nil
}

func (b *fakeBackend) Load(spec LoadSpec) (LoadedNetwork, error) {
	switch spec.Path {
	case "/missing":
		return nil, &Error{Kind: KindModel, Status: 13, Message: "no such file"}
	case "/plain":
		return nil, errors.New("plain error")
	case "/long":
		return nil, errors.New(strings.Repeat("é", maxMessage))
	case "/binary":
		return nil, errors.New("node \xff\xfe of the graph")
	case "/hold":
		<-b.hold
	}
	n := &fakeLoaded{backend: b, path: spec.Path, signature: small}
	if spec.Path == "/wide" {
		n.signature = Signature{Inputs: small.Inputs}
		for i := range 3000 {
			n.signature.Outputs = append(n.signature.Outputs, info(fmt.Sprintf("an output with a long name %d", i), tensor.Uint8, 1))
		}
	}
	if spec.Path == "/huge" {
		n.signature = Signature{Inputs: []TensorInfo{info("in", tensor.Float64, 1<<30)}}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
	return n, nil
}

func (b *fakeBackend) networks() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// fakeLoaded copies the first bytes of the input to the output; a first byte n
// over 100 makes an output of n elements, all n.
type fakeLoaded struct {
	backend         *fakeBackend
	path            string
	signature       Signature
	inputs, outputs [][]byte
	free            bool
}

func (n *fakeLoaded) Signature() Signature { return n.signature }

func (n *fakeLoaded) Bind(inputs, outputs [][]byte) error {
	if n.path == "/unbound" {
		return errors.New("cannot bind")
	}
	n.inputs, n.outputs = inputs, outputs
	return nil
}

func (n *fakeLoaded) Infer(timeout time.Duration) ([]tensor.Tensor, error) {
	if timeout == time.Millisecond {
		return nil, FromHailoStatus(OpInfer, 4, "fake")
	}
	v := n.inputs[0][0]
	switch {
	case v == 255:
		return []tensor.Tensor{}, nil
	case v > 100:
		n.free = true
		return []tensor.Tensor{{DType: tensor.Uint8, Shape: tensor.Shape{int(v)}, Data: []byte(strings.Repeat(string(rune(v&0x7f)), int(v)))}}, nil
	}
	if n.free { // from then on outputs are never in the bound memory
		return []tensor.Tensor{{DType: tensor.Float32, Shape: tensor.Shape{2}, Data: slices.Clone(n.inputs[0][:8])}}, nil
	}
	copy(n.outputs[0], n.inputs[0])
	return nil, nil
}

func (n *fakeLoaded) Close() error {
	n.backend.mu.Lock()
	defer n.backend.mu.Unlock()
	n.backend.open--
	return nil
}

// bothSides is both sides of the protocol in this process.
func bothSides(t testing.TB, b Backend) (*Process, func()) {
	t.Helper()
	process, err := gone()
	if err != nil {
		t.Fatal(err)
	}
	ours, file, err := newChannelPair()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := openChannel(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{channel: ours, process: process, log: slog.New(slog.DiscardHandler),
		reaped: make(chan struct{}), done: make(chan struct{}), pending: map[uint64]*call{}}
	readers := p.read()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- serve(ctx, theirs, b) }()
	return p, sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		close(p.reaped)
		p.fail(errDied("the test ended it"))
		if err := ours.close(); err != nil {
			t.Error(err)
		}
		<-readers
	})
}

func picture(v byte) []tensor.Tensor {
	data := make([]byte, 12)
	for i := range data {
		data[i] = v
	}
	return []tensor.Tensor{{DType: tensor.Uint8, Shape: tensor.Shape{2, 2, 3}, Data: data}}
}

func TestServe(t *testing.T) {
	noLeak(t, func() {
		b := &fakeBackend{}
		p, end := bothSides(t, b)
		defer end()
		ctx := t.Context()
		r, err := p.ask(ctx, request{Verb: verbIdentify})
		if err != nil || r.Identity == nil || r.Identity.Protocol != Version || r.Identity.Backend != "fake" {
			t.Fatalf("%+v, %v", r.Identity, err)
		}
		n, err := p.Load(ctx, LoadSpec{Path: "/a"})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []byte{7, 101, 8, 200, 200, 101, 9} { // to and fro between shapes
			outputs, _, err := n.Infer(ctx, time.Second, picture(v))
			if err != nil {
				t.Fatal(err)
			}
			want := 8
			if v > 100 {
				want = int(v)
			}
			if got := outputs[0].Tensor; len(got.Data) != want || got.Check() != nil || (v < 100 && got.Data[0] != v) {
				t.Errorf("input %d gave %s % x", v, got.Describe(), got.Data[:1])
			}
		}
		for _, c := range []struct {
			name    string
			timeout time.Duration
			inputs  []tensor.Tensor
			kind    Kind
		}{
			{"no inputs", time.Second, nil, KindInvalid},
			{"too short", time.Second, []tensor.Tensor{{Data: make([]byte, 11)}}, KindInvalid},
			{"the library gave up", time.Millisecond, picture(1), KindTimeout},
			{"no outputs came out", time.Second, picture(255), KindInvalid},
		} {
			if _, _, err := n.Infer(ctx, c.timeout, c.inputs); KindOf(err) != c.kind || err == nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if err := n.Unload(ctx); err != nil || b.networks() != 0 {
			t.Errorf("%v, %d networks are left", err, b.networks())
		}
		for _, v := range []verb{verbInfer, verbUnload} {
			if _, err := p.ask(ctx, request{Verb: v, Network: n.id}); KindOf(err) != KindInvalid {
				t.Errorf("%s of a network that is gone: %v", v, err)
			}
		}
		if _, err := p.ask(ctx, request{Verb: verbLoad}); KindOf(err) != KindInvalid {
			t.Errorf("load of nothing: %v", err)
		}
		if _, err := p.ask(ctx, request{Verb: "dance"}); KindOf(err) != KindUnsupported {
			t.Errorf("unknown verb: %v", err)
		}
	})
}

// TestServeFailedLoads: each is answered, whatever its message or signature is,
// and leaves nothing loaded.
func TestServeFailedLoads(t *testing.T) {
	noLeak(t, func() {
		b := &fakeBackend{}
		p, end := bothSides(t, b)
		defer end()
		for _, want := range []struct {
			path string
			kind Kind
			text string
		}{
			{"/plain", KindInternal, "plain error"},
			{"/long", KindInternal, "éééé"},
			{"/binary", KindInternal, "node \ufffd\ufffd of the graph"},
			{"/wide", KindUnsupported, "the limit is 65536"},
			{"/huge", KindModel, "a network may have"},
			{"/unbound", KindInternal, "cannot bind"},
			{"/missing", KindModel, "no such file"},
		} {
			path := want.path
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			_, err := p.Load(ctx, LoadSpec{Path: path})
			cancel()
			if err == nil || KindOf(err) != want.kind || !strings.Contains(err.Error(), want.text) {
				t.Errorf("%s: %.200v (%s), want %s with %q", path, err, KindOf(err), want.kind, want.text)
			}
			if n := b.networks(); n != 0 {
				t.Fatalf("%s left %d networks", path, n)
			}
		}
	})
}

// TestStatisticsDuringALoad are answered beside it.
func TestStatisticsDuringALoad(t *testing.T) {
	b := &fakeBackend{hold: make(chan struct{})}
	p, end := bothSides(t, b)
	defer end()
	loaded := make(chan error)
	go func() {
		n, err := p.Load(t.Context(), LoadSpec{Path: "/hold"})
		loaded <- errors.Join(err, n.Release())
	}()
	for range 5 {
		if s, err := p.Statistics(t.Context()); err != nil || s.MemoryTotalBytes != 100 {
			t.Errorf("%+v, %v", s, err)
		}
	}
	close(b.hold)
	if err := <-loaded; err != nil {
		t.Error(err)
	}
}

func TestServeEndsWithClose(t *testing.T) {
	b := &fakeBackend{}
	p, end := bothSides(t, b)
	if _, err := p.ask(t.Context(), request{Verb: verbClose}); err != nil {
		t.Error(err)
	}
	end()
	if !b.closed {
		t.Error("the backend was not closed")
	}
}

func TestServeByHand(t *testing.T) {
	t.Setenv(channelEnv, "")
	if err := Serve(t.Context(), &fakeBackend{}); !errors.Is(err, ErrByHand) {
		t.Errorf("%v", err)
	}
	t.Setenv(channelEnv, "999999")
	if err := Serve(t.Context(), &fakeBackend{}); !errors.Is(err, ErrByHand) {
		t.Errorf("%v", err)
	}
}
