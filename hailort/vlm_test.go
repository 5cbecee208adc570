//go:build hailort

package hailort

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// describer takes pictures of 2 by 2 pixels.
func describer(t *testing.T, lines ...string) string {
	return hef(t, append([]string{"frame 2 2 3"}, lines...)...)
}

func loadVLM(t *testing.T, b *Backend, path string) worker.LoadedGenerator {
	t.Helper()
	g, err := b.LoadGenerator(worker.LoadSpec{Path: path, Task: worker.TaskVLM})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func picture(value byte) tensor.Tensor {
	p := tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{2, 2, 3}, Data: make([]byte, 12)}
	for i := range p.Data {
		p.Data[i] = value
	}
	return p
}

// question is a message with a picture and a text.
const question = `{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "what is it?"}]}`

func ask(temperature *float64, frames ...tensor.Tensor) worker.Generation {
	return worker.Generation{Messages: []string{question}, Temperature: temperature, Tensors: frames}
}

// generate collects the pieces.
func generate(ctx context.Context, g worker.LoadedGenerator, q worker.Generation) ([]string, worker.Ending, error) {
	var pieces []string
	ending, err := g.Generate(ctx, time.Minute, q, func(p worker.Piece) error {
		pieces = append(pieces, p.Token)
		return nil
	})
	return pieces, ending, err
}

// What is asked comes through to the library; what is not stays the model's own.
func TestGenerate(t *testing.T) {
	script(t)
	g := loadVLM(t, open(t, Config{}), describer(t))
	if got := g.Signature().FrameShape.String(); got != "[2, 2, 3]" {
		t.Errorf("frames of %s", got)
	}
	zero, half, seed := 0.0, 0.5, uint32(7)
	for _, c := range []struct {
		name string
		ask  worker.Generation
		want string
	}{
		{"the model's own", ask(nil, picture(3)), "frames=1 sum=36 seed=4294967295 temperature=0.700 sample=1 context=0: what is it?"},
		{"greedy", ask(&zero, picture(3)), "frames=1 sum=36 seed=4294967295 temperature=0.700 sample=0 context=0: what is it?"},
		{"warm", ask(&half, picture(1)), "frames=1 sum=12 seed=4294967295 temperature=0.500 sample=1 context=0: what is it?"},
		{"seeded", worker.Generation{Prompt: "just this", Seed: &seed}, "frames=0 sum=0 seed=7 temperature=0.700 sample=1 context=0: just this"},
		{"a prompt with a picture", worker.Generation{Prompt: "see", Tensors: []tensor.Tensor{picture(2)}}, "frames=1 sum=24 seed=4294967295 temperature=0.700 sample=1 context=0: see"},
		{"a conversation", worker.Generation{Messages: []string{`{"role":"system","content":"be brief. "}`, question, question}, Tensors: []tensor.Tensor{picture(1), picture(2)}},
			"frames=2 sum=36 seed=4294967295 temperature=0.700 sample=1 context=0: be brief. what is it?what is it?"},
	} {
		pieces, ending, err := generate(t.Context(), g, c.ask)
		if got := strings.Join(pieces, ""); err != nil || got != c.want || ending.Finish != worker.FinishEnd || ending.Tokens != len(pieces) {
			t.Errorf("%s: %q, %+v, %v; want %q", c.name, got, ending, err, c.want)
		}
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

func TestMaxTokens(t *testing.T) {
	script(t)
	g := loadVLM(t, open(t, Config{}), describer(t, "reply a b c d e"))
	q := ask(nil, picture(1))
	q.MaxTokens = 3
	pieces, ending, err := generate(t.Context(), g, q)
	if err != nil || ending.Finish != worker.FinishMaxTokens || ending.Tokens != 3 || strings.Join(pieces, "|") != "a |b |c " {
		t.Errorf("got %q, %+v, %v", pieces, ending, err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// Tokens come one by one, as they are there.
func TestTokensAreStreamed(t *testing.T) {
	script(t, "on token 3 delay 300")
	g := loadVLM(t, open(t, Config{}), describer(t, "reply a b c d"))
	var at []time.Duration
	began := time.Now()
	_, err := g.Generate(t.Context(), time.Minute, ask(nil, picture(1)), func(worker.Piece) error {
		at = append(at, time.Since(began))
		return nil
	})
	if err != nil || len(at) != 4 || at[2]-at[1] < 250*time.Millisecond {
		t.Errorf("tokens came after %v, %v", at, err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// What the library would refuse without a reason is refused with one, and the
// library is not asked.
func TestRefusedGenerations(t *testing.T) {
	script(t)
	g := loadVLM(t, open(t, Config{}), describer(t))
	negative := -1.0
	small := picture(1)
	small.Data, small.Shape = small.Data[:6], tensor.Shape{1, 2, 3}
	for name, q := range map[string]worker.Generation{
		"nothing":                   {},
		"a picture of another size": ask(nil, small),
		"a negative temperature":    ask(&negative, picture(1)),
		"a negative limit":          {Prompt: "x", MaxTokens: -1},
	} {
		if _, _, err := generate(t.Context(), g, q); worker.KindOf(err) != worker.KindInvalid || statusOf(err) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := counted(t, "calls.VLM::generate"); n != 0 {
		t.Errorf("the library was asked %d times", n)
	}
	// What only it knows.
	for name, c := range map[string]struct {
		q      worker.Generation
		kind   worker.Kind
		status int
	}{
		"no JSON":            {worker.Generation{Messages: []string{"{"}}, worker.KindInvalid, 8},
		"a picture too many": {ask(nil, picture(1), picture(2)), worker.KindBusy, 6},
		"a picture too few":  {ask(nil), worker.KindBusy, 6},
	} {
		_, _, err := generate(t.Context(), g, c.q)
		if worker.KindOf(err) != c.kind || statusOf(err) != c.status {
			t.Errorf("%s: %v (%s)", name, err, worker.KindOf(err))
		}
	}
	if _, _, err := generate(t.Context(), g, ask(nil, picture(1))); err != nil {
		t.Errorf("a good one after them: %v", err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// Each generation stands by itself: the context is cleared, also after one that
// was cut short.
func TestContextIsCleared(t *testing.T) {
	script(t)
	g := loadVLM(t, open(t, Config{}), describer(t))
	for range 3 {
		pieces, _, err := generate(t.Context(), g, ask(nil, picture(1)))
		if err != nil || !strings.Contains(strings.Join(pieces, ""), "context=0") {
			t.Errorf("got %q, %v", pieces, err)
		}
		failed := errors.New("the manager is gone")
		if _, err := g.Generate(t.Context(), time.Minute, ask(nil, picture(1)), func(worker.Piece) error { return failed }); !errors.Is(err, failed) {
			t.Errorf("got %v", err)
		}
		if n := counted(t, "context_tokens"); n != 0 {
			t.Errorf("%d tokens are left", n)
		}
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// A generation that is no longer wanted is aborted, and read to its end.
func TestCancel(t *testing.T) {
	script(t, "set token_ms 10")
	g := loadVLM(t, open(t, Config{}), describer(t, "reply "+strings.Repeat("word ", 60)))
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	ending, err := g.Generate(ctx, time.Minute, ask(nil, picture(1)), func(worker.Piece) error {
		if seen++; seen == 3 {
			cancel()
		}
		return nil
	})
	if err != nil || ending.Finish != worker.FinishCancelled || seen != 3 {
		t.Errorf("%+v after %d, %v", ending, seen, err)
	}
	if n := counted(t, "calls.LLMGeneratorCompletion::abort"); n != 1 {
		t.Errorf("aborted %d times", n)
	}
	if n := counted(t, "alive.LLMGeneratorCompletion") - alive["LLMGeneratorCompletion"]; n != 0 {
		t.Errorf("%d completions are alive", n)
	}
	if _, ending, err := generate(ctx, g, ask(nil, picture(1))); err != nil || ending.Finish != worker.FinishCancelled {
		t.Errorf("one that is cancelled before: %+v, %v", ending, err)
	}
	if n := counted(t, "calls.VLM::generate"); n != 1 {
		t.Errorf("%d generations", n)
	}
	if pieces, _, err := generate(t.Context(), g, ask(nil, picture(1))); err != nil || len(pieces) != 60 {
		t.Errorf("the next: %d tokens, %v", len(pieces), err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// One that takes too long is ended as well.
func TestGenerationTimesOut(t *testing.T) {
	script(t, "set token_ms 20")
	g := loadVLM(t, open(t, Config{}), describer(t, "reply "+strings.Repeat("word ", 60)))
	_, err := g.Generate(t.Context(), 70*time.Millisecond, ask(nil, picture(1)), func(worker.Piece) error { return nil })
	wantError(t, err, worker.KindTimeout, 4)
	change(t)
	if pieces, _, err := generate(t.Context(), g, ask(nil, picture(1))); err != nil || len(pieces) != 60 {
		t.Errorf("the next: %d tokens, %v", len(pieces), err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// The connection dies in mid-generation: the completion, whose destruction would
// end the process, is left, and everything else can be destroyed.
func TestLostInMidGeneration(t *testing.T) {
	script(t, "on LLMGeneratorCompletion::read 3 lose")
	b := mustOpen(t, Config{})
	g := loadVLM(t, b, describer(t, "reply a b c d e f"))
	pieces, _, err := generate(t.Context(), g, ask(nil, picture(1)))
	wantError(t, err, worker.KindLost, 0)
	if len(pieces) != 2 {
		t.Errorf("%d tokens came", len(pieces))
	}
	_, _, err = generate(t.Context(), g, ask(nil, picture(1)))
	wantError(t, err, worker.KindLost, 62)
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if n := counted(t, "alive.LLMGeneratorCompletion") - alive["LLMGeneratorCompletion"]; n != 1 {
		t.Errorf("%d completions are left, want 1", n)
	}
	change(t)
	next := mustOpen(t, Config{})
	g = loadVLM(t, next, describer(t))
	if _, _, err := generate(t.Context(), g, ask(nil, picture(1))); err != nil {
		t.Errorf("on a new connection: %v", err)
	}
	if err := errors.Join(g.Close(), next.Close()); err != nil {
		t.Error(err)
	}
	wellUsed(t)
}

// There is one cache of keys and values on the device.
func TestOneVLMAtATime(t *testing.T) {
	script(t)
	b := open(t, Config{})
	first := loadVLM(t, b, describer(t))
	_, err := b.LoadGenerator(worker.LoadSpec{Path: describer(t), Task: worker.TaskVLM})
	wantError(t, err, worker.KindLost, 62)
	if _, _, err := generate(t.Context(), first, ask(nil, picture(1))); err != nil {
		t.Errorf("the first one: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	second := loadVLM(t, b, describer(t))
	whisper, err := b.LoadGenerator(worker.LoadSpec{Path: hef(t, "segment 0 1 x"), Task: worker.TaskSpeech}) // needs no cache
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(second.Close(), whisper.Close()); err != nil {
		t.Error(err)
	}
}

func TestGeneratorLoads(t *testing.T) {
	for _, c := range []struct {
		task   worker.Task
		script []string
		path   func(t *testing.T) string
		kind   worker.Kind
		status int
	}{
		{worker.TaskVLM, nil, func(t *testing.T) string { return hef(t, "reply an older kind of file") }, worker.KindModel, 92},
		{worker.TaskVLM, nil, func(*testing.T) string { return "/absent" }, worker.KindModel, 0},
		{worker.TaskVLM, []string{"set memory_bytes 1000"}, func(t *testing.T) string { return describer(t, "bytes 2000") }, worker.KindMemoryFull, 81},
		{worker.TaskVLM, []string{"on VLM::create 1 false_timeout"}, func(t *testing.T) string { return describer(t) }, worker.KindLost, 4},
		{worker.TaskVLM, []string{"on VLM::create 1 throw"}, func(t *testing.T) string { return describer(t) }, worker.KindInternal, 0},
		{worker.TaskSpeech, []string{"set fragmented 1"}, func(t *testing.T) string { return hef(t, "segment 0 1 x") }, worker.KindMemoryFull, 81},
		{worker.TaskSpeech, []string{"on Speech2Text::create 1 status 3"}, func(t *testing.T) string { return hef(t, "segment 0 1 x") }, worker.KindMemoryFull, 3},
		{worker.TaskSpeech, []string{"on Speech2Text::create 1 throw"}, func(t *testing.T) string { return hef(t, "segment 0 1 x") }, worker.KindInternal, 0},
	} {
		t.Run(fmt.Sprint(c.task, c.script, c.status), func(t *testing.T) {
			script(t, c.script...)
			b := mustOpen(t, Config{})
			_, err := b.LoadGenerator(worker.LoadSpec{Path: c.path(t), Task: c.task})
			wantError(t, err, c.kind, c.status)
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			change(t, "on Device::scan 1+ lose") // what was orphaned goes with the connection
			if _, err := Scan(); err != nil {
				t.Error(err)
			}
			wellUsed(t)
		})
	}
}

// Exceptions in a generation are errors.
func TestGenerationThrows(t *testing.T) {
	for _, call := range []string{"VLM::create_generator_params", "VLM::generate", "LLMGeneratorCompletion::read", "VLM::clear_context"} {
		script(t, "on "+call+" 1 throw")
		b := mustOpen(t, Config{})
		g := loadVLM(t, b, describer(t, "reply a b"))
		_, _, err := generate(t.Context(), g, ask(nil, picture(1)))
		if err == nil || worker.KindOf(err) != worker.KindInternal {
			t.Errorf("%s: %v", call, err)
		}
		if _, _, err := generate(t.Context(), g, ask(nil, picture(1))); err != nil {
			t.Errorf("%s: the next: %v", call, err)
		}
		if err := errors.Join(g.Close(), b.Close()); err != nil {
			t.Error(err)
		}
		nothingLeft(t)
	}
}
