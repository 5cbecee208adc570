//go:build hailort

package hailort

import (
	"context"
	"errors"
	"testing"
	"time"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

func loadSpeech(t *testing.T, b *Backend, lines ...string) worker.LoadedGenerator {
	t.Helper()
	g, err := b.LoadGenerator(worker.LoadSpec{Path: hef(t, append([]string{"queue 1"}, lines...)...), Task: worker.TaskSpeech})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func transcribe(ctx context.Context, g worker.LoadedGenerator, q worker.Generation) ([]worker.Segment, worker.Ending, error) {
	var segments []worker.Segment
	ending, err := g.Generate(ctx, 50*time.Millisecond, q, func(p worker.Piece) error {
		segments = append(segments, *p.Segment)
		return nil
	})
	return segments, ending, err
}

func TestSpeech(t *testing.T) {
	script(t)
	b := open(t, Config{})
	g := loadSpeech(t, b, "segment 0 1.5  two blanks before", "segment 1.5 2.25 none")
	recording := worker.Generation{Language: "en", Tensors: []tensor.Tensor{floats(0, 0.5, -0.75, 0)}}
	segments, ending, err := transcribe(t.Context(), g, recording)
	if err != nil || ending.Finish != worker.FinishEnd || len(segments) != 2 {
		t.Fatalf("got %+v, %+v, %v", segments, ending, err)
	}
	if segments[0] != (worker.Segment{End: 1.5, Text: " two blanks before"}) || segments[1] != (worker.Segment{Start: 1.5, End: 2.25, Text: "none"}) {
		t.Errorf("got %+v", segments)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	// What is asked comes through.
	g = loadSpeech(t, b)
	for _, c := range []struct {
		language  string
		translate bool
		text      string
	}{
		{"de", false, " task=transcribe language=de samples=4 loudest=0.75"},
		{"", true, " task=translate language= samples=4 loudest=0.75"},
	} {
		recording.Language, recording.Translate = c.language, c.translate
		if segments, _, err := transcribe(t.Context(), g, recording); err != nil || len(segments) != 1 || segments[0].Text != c.text {
			t.Errorf("got %+v, %v; want %q", segments, err, c.text)
		}
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// The library does not keep the time limit, which is no error: who asks decides
// for how long he waits.
func TestSpeechIgnoresItsTimeout(t *testing.T) {
	script(t, "set speech_ms 200")
	g := loadSpeech(t, open(t, Config{}), "segment 0 1 late")
	began := time.Now()
	segments, _, err := transcribe(t.Context(), g, worker.Generation{Tensors: []tensor.Tensor{floats(1)}})
	if took := time.Since(began); err != nil || len(segments) != 1 || took < 200*time.Millisecond {
		t.Errorf("%+v after %v, %v", segments, took, err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

func TestRefusedSpeech(t *testing.T) {
	script(t)
	g := loadSpeech(t, open(t, Config{}), "segment 0 1 x")
	for name, q := range map[string]worker.Generation{
		"no recording":    {},
		"an empty one":    {Tensors: []tensor.Tensor{floats()}},
		"two":             {Tensors: []tensor.Tensor{floats(1), floats(1)}},
		"of another type": {Tensors: []tensor.Tensor{picture(1)}},
	} {
		if _, _, err := transcribe(t.Context(), g, q); worker.KindOf(err) != worker.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ending, err := transcribe(ctx, g, worker.Generation{Tensors: []tensor.Tensor{floats(1)}}); err != nil || ending.Finish != worker.FinishCancelled {
		t.Errorf("cancelled before: %+v, %v", ending, err)
	}
	if n := counted(t, "calls.Speech2Text::generate_all_segments"); n != 0 {
		t.Errorf("the library was asked %d times", n)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

func TestSpeechFails(t *testing.T) {
	for rule, c := range map[string]struct {
		kind   worker.Kind
		status int
	}{
		"status 6": {worker.KindBusy, 6},
		"lose":     {worker.KindLost, 62},
		"throw":    {worker.KindInternal, 0},
	} {
		script(t, "on Speech2Text::generate_all_segments 1 "+rule)
		b := mustOpen(t, Config{})
		g := loadSpeech(t, b, "segment 0 1 x")
		_, _, err := transcribe(t.Context(), g, worker.Generation{Tensors: []tensor.Tensor{floats(1)}})
		wantError(t, err, c.kind, c.status)
		if err := errors.Join(g.Close(), b.Close()); err != nil {
			t.Error(err)
		}
		nothingLeft(t)
	}
}
