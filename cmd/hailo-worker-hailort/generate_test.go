//go:build hailort

package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/device"
	"hailo-depth/tensor"
)

// question is a conversation about one picture.
var question = []jsontext.Value{
	jsontext.Value(`{"role": "system", "content": "Be brief."}`),
	jsontext.Value(`{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " What is it?"}]}`),
}

func asked(frames ...tensor.Tensor) device.Input {
	return device.Input{Messages: question, Frames: frames}
}

// vlm is a model that takes pictures of 2 by 3 pixels.
func vlm(t *testing.T, lines ...string) device.Model {
	t.Helper()
	return model(t, "vlm_chat", append([]string{"frame 2 3 3"}, lines...)...)
}

// Both types of vision-language models, and what is asked of them.
func TestVLM(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	zero, seed := 0.0, int64(11)
	in := asked(*picture(2))
	in.Temperature, in.Seed = &zero, &seed
	for _, kind := range []string{"vlm_chat", "vlm"} {
		m := vlm(t, "bytes "+mib)
		m.Type = kind
		for range 2 { // each stands by itself
			r, err := d.client.Infer(within(t), m, in)
			if err != nil {
				t.Fatal(err)
			}
			if want := "frames=1 sum=36 seed=11 temperature=0.700 sample=0 context=0: Be brief. What is it?"; r.Text == nil || *r.Text != want {
				t.Errorf("%s: got %v, want %q", kind, r.Text, want)
			}
		}
	}
	// Loading the second has evicted the first, since the chip has one cache, and
	// in the same worker: the library was not let run into it.
	if n := d.counted(t, "calls.VLM::create"); n != 2 {
		t.Errorf("this worker loaded %d models, want 2", n)
	}
	if s := d.status(t); len(s.Models) != 1 || s.Models[0].Type != "vlm" {
		t.Errorf("models %+v", s.Models)
	}
	r, err := d.client.Infer(within(t), device.Model{Type: "vlm", Path: d.status(t).Models[0].Path}, device.Input{Prompt: "word for word", MaxTokens: 3})
	if err != nil || *r.Text != "frames=0 sum=0 seed=4294967295 " {
		t.Errorf("got %v, %v", r.Text, err)
	}
	d.leavesNothing(t)
}

func TestVLMRefusals(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	m := vlm(t)
	large := tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{4, 3, 3}, Data: make([]byte, 36)}
	for name, in := range map[string]device.Input{
		"a picture of another size": asked(large),
		"a picture too few":         asked(),
		"a picture too many":        asked(*picture(1), *picture(2)),
	} {
		if _, err := d.client.Infer(within(t), m, in); device.KindOf(err) != device.KindInvalid {
			t.Errorf("%s: %v (%s)", name, err, device.KindOf(err))
		}
	}
	if _, err := d.client.Infer(within(t), m, asked(*picture(1))); err != nil {
		t.Error(err)
	}
	d.leavesNothing(t)
}

// Busy is asked once more.
func TestVLMBusy(t *testing.T) {
	t.Parallel()
	d := start(t, "", "on VLM::generate 1 status 6")
	if _, err := d.client.Infer(within(t), vlm(t), asked(*picture(1))); err != nil {
		t.Error(err)
	}
	d.leavesNothing(t)
}

// A long generation does not delay status, and ends when nobody wants it.
func TestLongGeneration(t *testing.T) {
	t.Parallel()
	d := start(t, "", "set token_ms 20")
	m := vlm(t, "reply "+strings.Repeat("word ", 3000)) // a minute
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() {
		_, err := d.client.Infer(ctx, m, asked(*picture(1)))
		done <- err
	}()
	eventually(t, "tokens come", func() bool { return d.counted(t, "calls.token") > 10 })
	began := time.Now()
	d.status(t)
	if took := time.Since(began); took > time.Second {
		t.Errorf("status took %v", took)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("it ended well")
	}
	eventually(t, "it is aborted", func() bool { return d.counted(t, "calls.LLMGeneratorCompletion::abort") == 1 })
	d.mustInfer(t, depth(t), 1)
	d.leavesNothing(t)
}

// The connection dies in mid-generation: the client is told, the worker lives to
// say so, and the next one works.
func TestVLMLost(t *testing.T) {
	t.Parallel()
	d := start(t, "", "on LLMGeneratorCompletion::read 3 lose")
	m := vlm(t, "reply a b c d e")
	_, err := d.client.Infer(within(t), m, asked(*picture(1)))
	wantKind(t, err, device.KindUnavailable, "HAILO_COMMUNICATION_CLOSED(62)")
	d.script(t)
	eventually(t, "the next one works", func() bool {
		r, err := d.client.Infer(within(t), m, asked(*picture(1)))
		return err == nil && *r.Text == "a b c d e "
	})
	d.leavesNothing(t)
}

// Speech: segments as the library gives them, beside a vision-language model.
func TestWhisper(t *testing.T) {
	t.Parallel()
	d := start(t, "", "set speech_ms 100")
	if _, err := d.client.Load(within(t), vlm(t)); err != nil {
		t.Fatal(err)
	}
	m := model(t, "whisper", "segment 0 1.5  hello", "segment 1.5 2 world")
	audio := tensor.Tensor{DType: tensor.Float32, Shape: tensor.Shape{16000}, Data: make([]byte, 64000)}
	r, err := d.client.Infer(within(t), m, device.Input{Audio: &audio, Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Speech == nil || len(r.Speech.Segments) != 2 || r.Speech.Segments[0] != (device.Segment{End: 1.5, Text: " hello"}) || r.Speech.Segments[1].Text != "world" {
		t.Errorf("got %+v", r.Speech)
	}
	if s := d.status(t); len(s.Models) != 2 {
		t.Errorf("models %+v", s.Models)
	}
	asks := model(t, "whisper", "queue 1")
	r, err = d.client.Infer(within(t), asks, device.Input{Audio: &audio, Language: "de", Task: "translate"})
	if err != nil || len(r.Speech.Segments) != 1 || r.Speech.Segments[0].Text != " task=translate language=de samples=16000 loudest=0.00" {
		t.Errorf("got %+v, %v", r.Speech, err)
	}
	d.leavesNothing(t)
}
