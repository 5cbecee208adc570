package sim

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

func loadGenerator(t *testing.T, d *Device, task worker.Task, content string) worker.LoadedGenerator {
	t.Helper()
	g, err := d.LoadGenerator(worker.LoadSpec{Path: modelPath(t, "a.hef", []byte(content)), Task: task})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// generated runs a generation to its end.
func generated(g worker.LoadedGenerator, what worker.Generation) (text string, tokens int, segments []worker.Segment, end worker.Ending, err error) {
	end, err = g.Generate(context.Background(), time.Second, what, func(p worker.Piece) error {
		if p.Segment != nil {
			segments = append(segments, *p.Segment)
			return nil
		}
		text += p.Token
		tokens++
		return nil
	})
	return text, tokens, segments, end, err
}

func grey(value byte, shape ...int) tensor.Tensor {
	n, _ := tensor.Shape(shape).Elements()
	return tensor.Tensor{DType: tensor.Uint8, Shape: shape, Data: slices.Repeat([]byte{value}, n)}
}

func TestAnswers(t *testing.T) {
	d := newDevice(t)
	vlm := loadGenerator(t, d, worker.TaskVLM, `{"fake_hef": 1, "task": "vlm", "frame": [2, 4, 3]}`)
	if s := vlm.Signature(); s.FrameShape.String() != "[2, 4, 3]" || s.MemoryBytes == 0 || s.Inputs != nil {
		t.Errorf("%+v", s)
	}
	long := loadGenerator(t, newDevice(t), worker.TaskVLM, `{"fake_hef": 1, "tokens": 12}`)
	for _, c := range []struct {
		g      worker.LoadedGenerator
		what   worker.Generation
		text   string
		finish worker.Finish
	}{
		{vlm, worker.Generation{Prompt: "hi"}, "fake answer to [hi] about 0 frame(s)", worker.FinishEnd},
		{vlm, worker.Generation{Prompt: "hi", MaxTokens: 2}, "fake answer to [", worker.FinishMaxTokens},
		{vlm, worker.Generation{Prompt: "hi", MaxTokens: 500}, "fake answer to [hi] about 0 frame(s)", worker.FinishEnd},
		{vlm, worker.Generation{Messages: []string{`{"role":"system","content":"be brief. "}`, `{"role":"user","content":[{"type":"image"},{"type":"text","text":"what?"}]}`},
			Tensors: []tensor.Tensor{grey(7, 2, 4, 3), grey(8, 2, 4, 3)}},
			"fake answer to [be brief. what?] about 2 frame(s): 2x4x3 mean 7.000, 2x4x3 mean 8.000", worker.FinishEnd},
		{long, worker.Generation{Prompt: "x"}, "fake answer to [x] about 0 frame(s)" + "fake answer to [x] about 0 frame(s)" + "fake answer to [", worker.FinishEnd},
	} {
		text, tokens, _, end, err := generated(c.g, c.what)
		if err != nil || text != c.text || end.Finish != c.finish || end.Tokens != tokens {
			t.Errorf("%q, %d tokens, %+v, %v; want %q", text, tokens, end, err, c.text)
		}
	}
	speech := loadGenerator(t, d, worker.TaskSpeech, "whisper")
	sound, err := tensor.FromFloat32(make([]float32, segmentSamples+8000), segmentSamples+8000)
	if err != nil {
		t.Fatal(err)
	}
	_, _, segments, _, err := generated(speech, worker.Generation{Language: "de", Translate: true, Tensors: []tensor.Tensor{sound}})
	want := []worker.Segment{{Start: 0, End: 30, Text: " fake translate (de) of 480000 samples"}, {Start: 30, End: 30.5, Text: " fake translate (de) of 8000 samples"}}
	if err != nil || !slices.Equal(segments, want) {
		t.Errorf("%+v, %v", segments, err)
	}
}

func TestGenerationsThatFail(t *testing.T) {
	d := newDevice(t, "FAULTS=generate=62@6, token=81@3")
	vlm := loadGenerator(t, d, worker.TaskVLM, `{"fake_hef": 1, "frame": [2, 4, 3]}`)
	speech := loadGenerator(t, d, worker.TaskSpeech, "")
	for _, c := range []struct {
		g      worker.LoadedGenerator
		what   worker.Generation
		status int
		tokens int
	}{
		{vlm, worker.Generation{Messages: []string{"no JSON"}}, 8, 0},
		{vlm, worker.Generation{Messages: []string{`{"content": 5}`}}, 8, 0},
		{vlm, worker.Generation{Prompt: "x", Tensors: []tensor.Tensor{grey(1, 2, 5, 3)}}, 6, 0},
		{speech, worker.Generation{}, 2, 0},
		{vlm, worker.Generation{Prompt: "x"}, 81, 2},
		{vlm, worker.Generation{Prompt: "x"}, 62, 0},
	} {
		_, tokens, _, _, err := generated(c.g, c.what)
		if e, ok := errors.AsType[*worker.Error](err); !ok || e.Status != c.status || tokens != c.tokens {
			t.Errorf("%+v: %v after %d tokens, want status %d after %d", c.what, err, tokens, c.status, c.tokens)
		}
	}
	gone := errors.New("nobody listens")
	if _, err := vlm.Generate(t.Context(), time.Second, worker.Generation{Prompt: "x"}, func(worker.Piece) error { return gone }); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}

// TestOneConversation: the chip's refusal of a second one looks like its loss.
func TestOneConversation(t *testing.T) {
	d := newDevice(t, "MEMORY_MB=1")
	first := loadGenerator(t, d, worker.TaskVLM, "vlm")
	_ = loadGenerator(t, d, worker.TaskSpeech, "speech")
	second := worker.LoadSpec{Path: modelPath(t, "b.hef", nil), Task: worker.TaskVLM}
	_, err := d.LoadGenerator(second)
	if e, ok := errors.AsType[*worker.Error](err); !ok || e.Status != 62 || e.Kind != worker.KindLost {
		t.Errorf("a second one: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.LoadGenerator(second); err != nil {
		t.Errorf("after the first has gone: %v", err)
	}
	if _, err := d.LoadGenerator(worker.LoadSpec{Path: sized(t, "c.hef", 1<<20), Task: worker.TaskSpeech}); worker.KindOf(err) != worker.KindMemoryFull {
		t.Errorf("more than the memory: %v", err)
	}
}

func TestFilesOfAnotherTask(t *testing.T) {
	d := newDevice(t)
	vlm := modelPath(t, "v.hef", []byte(`{"fake_hef": 1, "task": "vlm"}`))
	if _, err := d.Load(worker.LoadSpec{Path: vlm}); worker.KindOf(err) != worker.KindModel || !strings.Contains(err.Error(), `made for the task "vlm"`) {
		t.Errorf("%v", err)
	}
	if _, err := d.LoadGenerator(worker.LoadSpec{Path: vlm, Task: worker.TaskSpeech}); worker.KindOf(err) != worker.KindModel {
		t.Errorf("%v", err)
	}
	slow := modelPath(t, "s.hef", []byte(`{"fake_hef": 1, "token_ms": -1}`))
	if _, err := d.Load(worker.LoadSpec{Path: slow}); worker.KindOf(err) != worker.KindModel || !strings.Contains(err.Error(), "token_ms is -1") {
		t.Errorf("%v", err)
	}
}

func TestGenerationTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice(t, "LATENCY_MS=2000")
		vlm := loadGenerator(t, d, worker.TaskVLM, `{"fake_hef": 1, "tokens": 40, "token_ms": 100}`)
		if d := took(t, func() error { _, _, _, _, err := generated(vlm, worker.Generation{Prompt: "x"}); return err }); d != 6*time.Second {
			t.Errorf("40 tokens took %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3050*time.Millisecond)
		defer cancel()
		began := time.Now()
		end, err := vlm.Generate(ctx, time.Minute, worker.Generation{Prompt: "x"}, func(worker.Piece) error { return nil })
		if err != nil || end != (worker.Ending{Finish: worker.FinishCancelled, Tokens: 10}) || time.Since(began) != 3050*time.Millisecond {
			t.Errorf("%+v, %v after %v", end, err, time.Since(began))
		}
		speech := loadGenerator(t, d, worker.TaskSpeech, `{"fake_hef": 1, "token_ms": 1500}`)
		sound := tensor.Tensor{DType: tensor.Float32, Shape: tensor.Shape{segmentSamples + 1}, Data: make([]byte, 4*segmentSamples+4)}
		if d := took(t, func() error {
			_, _, _, _, err := generated(speech, worker.Generation{Tensors: []tensor.Tensor{sound}})
			return err
		}); d != 5*time.Second {
			t.Errorf("31 s of sound took %v", d)
		}
	})
}
