package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hailo-depth/tensor"
)

// fakeGenerator generates what its prompt says.
type fakeGenerator struct{ backend *fakeBackend }

func (b *fakeBackend) LoadGenerator(spec LoadSpec) (LoadedGenerator, error) {
	if spec.Path == "/missing" {
		return nil, FromHailoStatus(OpLoad, 13, "fake")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
	return &fakeGenerator{b}, nil
}

func (g *fakeGenerator) Signature() Signature {
	return Signature{MemoryBytes: 7, FrameShape: tensor.Shape{2, 2, 3}}
}

func (g *fakeGenerator) Close() error { return (&fakeLoaded{backend: g.backend}).Close() }

func (g *fakeGenerator) Generate(ctx context.Context, timeout time.Duration, what Generation, emit func(Piece) error) (Ending, error) {
	words := append(strings.SplitAfter(what.Prompt, " "), what.Messages...)
	for i, t := range what.Tensors {
		words = append(words, fmt.Sprintf(" %d:%s=%d", i, t.Describe(), t.Data[:min(1, len(t.Data))]))
	}
	if what.Temperature != nil && what.Seed != nil {
		words = append(words, fmt.Sprintf(" %g %d %d %s %v %v", *what.Temperature, *what.Seed, what.MaxTokens, what.Language, what.Translate, timeout))
	}
	for i, word := range words {
		var err error
		switch word {
		case "refuse ":
			return Ending{}, FromHailoStatus(OpGenerate, 6, "fake")
		case "until-cancelled ":
			if err := emit(Piece{Token: "waiting"}); err != nil {
				return Ending{}, err
			}
			<-ctx.Done()
			return Ending{FinishCancelled, 1}, nil
		case "segment ":
			err = emit(Piece{Segment: &Segment{Start: 0.5, End: 1, Text: " hello \xff"}})
		case "long ":
			err = emit(Piece{Token: strings.Repeat("x", maxMessage)})
		case "bytes ":
			for _, b := range []byte("né \xff日本") { // tokens end anywhere
				err = errors.Join(err, emit(Piece{Token: string([]byte{b})}))
			}
			err = errors.Join(err, emit(Piece{Token: "\xe6"}))
		default:
			err = emit(Piece{Token: word})
		}
		if err != nil {
			return Ending{Tokens: i}, err
		}
	}
	return Ending{FinishEnd, len(words)}, nil
}

func loadGenerator(t *testing.T, p *Process) *Network {
	t.Helper()
	n, err := p.Load(t.Context(), LoadSpec{Path: "/g", Task: TaskVLM})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestGenerate(t *testing.T) {
	noLeak(t, func() {
		b := &fakeBackend{}
		p, end := bothSides(t, b)
		defer end()
		n := loadGenerator(t, p)
		if s := n.Signature(); s.MemoryBytes != 7 || !slices.Equal(s.FrameShape, []int{2, 2, 3}) {
			t.Errorf("%+v", s)
		}
		temperature, seed := 0.5, uint32(1<<32-1)
		frames := append(picture(3), picture(4)...)
		for _, c := range []struct {
			name string
			g    Generation
			text string
			kind Kind
		}{
			{"words", Generation{Prompt: "one two three"}, "one two three", ""},
			{"messages", Generation{Messages: []string{`{"a":1}`, "\u00e9"}}, `{"a":1}` + "\u00e9", ""},
			{"everything", Generation{Prompt: "p", Temperature: &temperature, Seed: &seed, MaxTokens: 9, Language: "en", Translate: true, Tensors: frames},
				"p 0:uint8 [2, 2, 3]=[3] 1:uint8 [2, 2, 3]=[4] 0.5 4294967295 9 en true 1m0s", ""},
			{"broken characters", Generation{Prompt: "bytes "}, "né \ufffd日本\ufffd", ""},
			{"segment", Generation{Prompt: "segment "}, "", ""},
			{"refused", Generation{Prompt: "a refuse "}, "", KindBusy},
			{"a token beyond a message", Generation{Prompt: "long "}, "", KindInvalid},
			{"a prompt beyond a message", Generation{Prompt: strings.Repeat("x", maxMessage)}, "", KindInvalid},
			{"a tensor that does not hold together", Generation{Prompt: "x", Tensors: []tensor.Tensor{{DType: tensor.Uint8, Shape: tensor.Shape{3}}}}, "", KindInvalid},
			{"afterwards", Generation{Prompt: "still here"}, "still here", ""},
		} {
			var heard strings.Builder
			got, _, err := n.Generate(t.Context(), nil, time.Minute, c.g, func(p Piece) { heard.WriteString(p.Token) })
			if c.kind != "" {
				if err == nil || KindOf(err) != c.kind {
					t.Errorf("%s: %v (%s), want %s", c.name, err, KindOf(err), c.kind)
				}
				continue
			}
			if err != nil || got.Text != c.text || heard.String() != c.text || got.Finish != FinishEnd || got.Tokens == 0 {
				t.Errorf("%s: %+v, heard %q, %v; want %q", c.name, got, heard.String(), err, c.text)
			}
			if c.name == "segment" && !slices.Equal(got.Segments, []Segment{{0.5, 1, " hello \ufffd"}}) {
				t.Errorf("%s: %+v", c.name, got.Segments)
			}
		}
		if _, _, err := n.Infer(t.Context(), time.Second, nil); KindOf(err) != KindInvalid {
			t.Errorf("infer on a generative network: %v", err)
		}
		if _, err := p.ask(t.Context(), request{Verb: verbInfer, Network: n.id}); KindOf(err) != KindInvalid {
			t.Errorf("infer on a generative network: %v", err)
		}
		if err := n.Unload(t.Context()); err != nil || b.networks() != 0 {
			t.Errorf("%v, %d networks are left", err, b.networks())
		}
		if _, _, err := n.Generate(t.Context(), nil, time.Second, Generation{}, nil); KindOf(err) != KindInvalid {
			t.Errorf("generate after unload: %v", err)
		}
	})
}

// TestGenerateNeedsAGenerator: of the backend and of the network.
func TestGenerateNeedsAGenerator(t *testing.T) {
	p, end := bothSides(t, struct{ Backend }{&fakeBackend{}})
	defer end()
	if _, err := p.Load(t.Context(), LoadSpec{Path: "/g", Task: TaskSpeech}); KindOf(err) != KindUnsupported || !strings.Contains(err.Error(), "need the backend hailort") {
		t.Errorf("%v", err)
	}
	n, err := p.Load(t.Context(), LoadSpec{Path: "/a"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.Generate(t.Context(), nil, time.Second, Generation{Prompt: "x"}, nil); KindOf(err) != KindInvalid {
		t.Errorf("%v", err)
	}
	if err := n.Unload(t.Context()); err != nil {
		t.Error(err)
	}
	other, endOther := bothSides(t, &fakeBackend{})
	defer endOther()
	if _, err := other.Load(t.Context(), LoadSpec{Path: "/missing", Task: TaskVLM}); KindOf(err) != KindModel {
		t.Errorf("%v", err)
	}
}

// TestGenerateCancelled: status calls are answered meanwhile, a cancel ends this
// generation and not the next, and one for a generation that is over is nothing.
func TestGenerateCancelled(t *testing.T) {
	noLeak(t, func() {
		p, end := bothSides(t, &fakeBackend{})
		defer end()
		n := loadGenerator(t, p)
		for range 3 {
			cancelled, heard := make(chan struct{}), make(chan struct{})
			go func() {
				<-heard
				if s, err := p.Statistics(t.Context()); err != nil || s.MemoryTotalBytes != 100 {
					t.Errorf("%+v, %v", s, err)
				}
				close(cancelled)
			}()
			got, _, err := n.Generate(t.Context(), cancelled, time.Minute, Generation{Prompt: "until-cancelled x", Tensors: picture(1)}, func(Piece) { close(heard) })
			if err != nil || got.Text != "waiting" || got.Finish != FinishCancelled {
				t.Errorf("%+v, %v", got, err)
			}
			if err := p.channel.send(t.Context(), request{ID: p.lastID, Verb: verbCancel}, -1); err != nil {
				t.Error(err)
			}
			if got, _, err := n.Generate(t.Context(), nil, time.Minute, Generation{Prompt: "the next"}, nil); err != nil || got.Text != "the next" {
				t.Errorf("%+v, %v", got, err)
			}
		}
	})
}

// TestCancelBeforeItBegins: the cancel overtakes nothing, but comes while the
// generation still waits for the one before it.
func TestCancelBeforeItBegins(t *testing.T) {
	p, end := bothSides(t, &fakeBackend{})
	defer end()
	n := loadGenerator(t, p)
	gone := make(chan struct{})
	close(gone)
	for range 200 {
		got, _, err := n.Generate(t.Context(), gone, time.Minute, Generation{Prompt: "until-cancelled "}, nil)
		if err != nil || got.Finish != FinishCancelled {
			t.Fatalf("%+v, %v", got, err)
		}
	}
}

// TestCloseEndsAGeneration that would go on for ever.
func TestCloseEndsAGeneration(t *testing.T) {
	b := &fakeBackend{}
	p, end := bothSides(t, b)
	n := loadGenerator(t, p)
	heard, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, _, err := n.Generate(t.Context(), nil, time.Minute, Generation{Prompt: "until-cancelled "}, func(Piece) { close(heard) })
		ended <- err
	}()
	<-heard
	if _, err := p.ask(t.Context(), request{Verb: verbClose}); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	end()
	if !b.closed {
		t.Error("the backend was not closed")
	}
}

// TestGenerateGivenUp: the call ends with its context; what comes later harms nobody.
func TestGenerateGivenUp(t *testing.T) {
	p, end := bothSides(t, &fakeBackend{})
	defer end()
	n := loadGenerator(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := n.Generate(ctx, nil, time.Minute, Generation{Prompt: "until-cancelled "}, func(Piece) { cancel() })
	if KindOf(err) != KindTimeout || !strings.Contains(err.Error(), `"generate"`) {
		t.Errorf("%v", err)
	}
	if len(p.pending) != 0 {
		t.Errorf("%d calls wait", len(p.pending))
	}
}

// TestPiecesOfASlowListener: those that came while it was busy are in the
// result, also when the end came too.
func TestPiecesOfASlowListener(t *testing.T) {
	p, end := bothSides(t, &fakeBackend{})
	defer end()
	n := loadGenerator(t, p)
	for range 30 {
		first := true
		got, _, err := n.Generate(t.Context(), nil, time.Minute, Generation{Prompt: "a b c d e"}, func(Piece) {
			for first { // until the end has come
				p.mu.Lock()
				first = len(p.pending) > 0
				p.mu.Unlock()
			}
		})
		if err != nil || got.Text != "a b c d e" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
}
