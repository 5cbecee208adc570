package manager

import (
	"context"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/device"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

func (r *rig) typed(modelType, name string) device.Model {
	m := r.model(name)
	m.Type = modelType
	return m
}

func frame(shape ...int) tensor.Tensor {
	n, _ := tensor.Shape(shape).Elements()
	return tensor.Tensor{DType: tensor.Uint8, Shape: shape, Data: make([]byte, n)}
}

func audio(t testing.TB, values ...float32) *tensor.Tensor {
	t.Helper()
	a, err := tensor.FromFloat32(values, len(values))
	if err != nil {
		t.Fatal(err)
	}
	return &a
}

func TestGenerativeTypes(t *testing.T) {
	inBubble(t, 40, nil, func(t *testing.T, r *rig) {
		r.device.took = time.Second
		in := device.Input{Prompt: "one two three", Frames: []tensor.Tensor{frame(2, 2, 3), frame(1, 2, 2, 3)}}
		for _, modelType := range []string{"vlm", "vlm_chat"} {
			result, err := r.Infer(t.Context(), r.typed(modelType, "a10"), in)
			if err != nil || result.Text == nil || *result.Text != "one two three" || result.Timing.Library != 3*time.Second {
				t.Errorf("%s: %+v, %v", modelType, result, err)
			}
		}
		// Speech stays beside them.
		result, err := r.Infer(t.Context(), r.typed("whisper", "b10"), device.Input{Audio: audio(t, 0, 0.5), Task: "translate"})
		want := []device.Segment{{ID: 0, End: 1, Text: " en true float32 [2]"}}
		if err != nil || result.Speech == nil || !slices.Equal(result.Speech.Segments, want) {
			t.Errorf("%+v, %v", result.Speech, err)
		}
		r.expectModels(t, "a10", "b10")
	})
}

// TestOneVisionLanguageModel: a second one takes the first one's place before
// its load is tried; the device would refuse it as if it were lost.
func TestOneVisionLanguageModel(t *testing.T) {
	inBubble(t, 100, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		for _, c := range []struct{ modelType, name string }{{"vlm", "b10"}, {"whisper", "c10"}, {"vlm_chat", "b10"}, {"vlm_chat", "d10"}} {
			if _, err := r.Load(t.Context(), r.typed(c.modelType, c.name)); err != nil {
				t.Fatalf("%+v: %v", c, err)
			}
		}
		r.expectModels(t, "a10", "c10", "d10")
		r.expectEvents(t, "start", "load a10", "load b10", "load c10", "unload b10", "load b10", "unload b10", "load d10")
		s := r.status(t)
		if s.Evictions != 2 || !strings.Contains(s.CapacityEvent.Reason, "one vision-language model at a time; made room for d10 (vlm_chat)") ||
			s.CapacityEvent.Model != r.model("b10").Path {
			t.Errorf("%+v", s)
		}
		// The one that leaves may hang: the next is loaded all the same.
		r.device.setFault(onNth("unload", 1, errHang))
		if _, err := r.Load(t.Context(), r.typed("vlm", "e10")); err != nil {
			t.Error(err)
		}
		r.expectModels(t, "e10")
	})
}

func TestRivals(t *testing.T) {
	loaded := []candidate{{key: key{"depth", "a"}}, {key: key{"vlm", "b"}}, {key: key{"whisper", "b"}}, {key: key{"vlm_chat", "b"}}}
	for modelType, want := range map[string][]key{
		"depth": nil, "whisper": nil, "vlm": {{"vlm", "b"}, {"vlm_chat", "b"}}, "vlm_chat": {{"vlm", "b"}, {"vlm_chat", "b"}},
	} {
		if got := rivals(modelType, loaded); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", modelType, got, want)
		}
	}
}

// TestGenerationsThatAreRefused before the device is asked.
func TestGenerationsThatAreRefused(t *testing.T) {
	inBubble(t, 100, nil, func(t *testing.T, r *rig) {
		float := func(v float64) *float64 { return &v }
		seed := func(v int64) *int64 { return &v }
		messages := func(texts ...string) (list []jsontext.Value) {
			for _, text := range texts {
				list = append(list, jsontext.Value(text))
			}
			return list
		}
		loud := audio(t, 0, float32(math.Inf(1)))
		for _, c := range []struct {
			modelType string
			in        device.Input
			part      string
		}{
			{"vlm", device.Input{}, "input_data.prompt is required for vlm"},
			{"vlm_chat", device.Input{Prompt: "x"}, "prompt and frames are required for vlm_chat"},
			{"vlm_chat", device.Input{Frames: []tensor.Tensor{frame(2, 2, 3)}}, "prompt and frames are required for vlm_chat"},
			{"vlm", device.Input{Prompt: "x", Frames: []tensor.Tensor{frame(2, 2, 3), frame(3, 2, 3)}}, "frames[1]: the model takes pictures of shape [2, 2, 3], got [3, 2, 3]; resize"},
			{"vlm", device.Input{Prompt: "x", Frames: []tensor.Tensor{frame(2, 2, 2, 3)}}, "frames[0] must be a picture"},
			{"vlm", device.Input{Prompt: "x", Frames: []tensor.Tensor{frame(2, 2, 1)}}, "frames[0] must be a picture"},
			{"vlm", device.Input{Prompt: "x", Frames: []tensor.Tensor{*audio(t, 1)}}, "frames[0] must be a picture"},
			{"vlm", device.Input{Prompt: "x", Frames: make([]tensor.Tensor, maxFrames+1)}, "65 pictures; at most 64"},
			{"vlm", device.Input{Prompt: strings.Repeat("x", maxPrompt+1)}, "has 49153 bytes; at most 49152"},
			{"vlm", device.Input{Prompt: "x", Temperature: float(-1)}, "temperature must be 0 or more, got -1"},
			{"vlm", device.Input{Prompt: "x", Temperature: float(math.NaN())}, "temperature must be 0 or more, got NaN"},
			{"vlm", device.Input{Prompt: "x", Seed: seed(-1)}, "seed must be 0 to 4294967295, got -1"},
			{"vlm", device.Input{Prompt: "x", Seed: seed(1 << 32)}, "seed must be 0 to 4294967295, got 4294967296"},
			{"vlm", device.Input{Prompt: "x", MaxTokens: -1}, "max_generated_tokens must be 1 to 16384, got -1"},
			{"vlm", device.Input{Messages: messages(`{"role":"user","content":[{"type":"image"}]}`)}, `prompt has 1 entries {"type": "image"} and input_data.frames has 0`},
			{"vlm", device.Input{Messages: messages(`{"role":"user","content":"x"}`, `{"content":"x"}`)}, "prompt[1]: a message is an object"},
			{"vlm", device.Input{Messages: messages(`"text"`)}, "prompt[0]: a message is an object"},
			{"vlm", device.Input{Messages: messages(`{"role":"user","content":["text"]}`)}, "prompt[0]: the entries of content"},
			{"vlm", device.Input{Messages: messages(`{"role":"user"}`)}, "prompt[0]: content is a string or a list"},
			{"whisper", device.Input{}, "audio data is required for whisper"},
			{"whisper", device.Input{Audio: audio(t)}, "audio data is required for whisper"},
			{"whisper", device.Input{Audio: loud}, "sample 1 is +Inf; samples are -1 to 1"},
			{"whisper", device.Input{Audio: audio(t, 0, 12000)}, "sample 1 is 12000; samples are -1 to 1"},
			{"whisper", device.Input{Audio: &tensor.Tensor{DType: tensor.Int16, Shape: tensor.Shape{1}, Data: []byte{1, 2}}}, "divide samples of 16 bits by 32768"},
			{"whisper", device.Input{Audio: &tensor.Tensor{DType: tensor.Float32, Shape: tensor.Shape{2, 1}, Data: make([]byte, 8)}}, "must be one channel, [samples], got the shape [2, 1]"},
			{"whisper", device.Input{Audio: &tensor.Tensor{DType: tensor.Float32, Shape: tensor.Shape{9600001}, Data: make([]byte, 4*9600001)}}, "9600001 samples; at most 9600000"},
			{"whisper", device.Input{Audio: audio(t, 0), Language: "english"}, "language must be a code"},
			{"whisper", device.Input{Audio: audio(t, 0), Language: "EN"}, "language must be a code"},
			{"whisper", device.Input{Audio: audio(t, 0), Task: "summarise"}, `task must be "transcribe" or "translate", got "summarise"`},
		} {
			_, err := r.Infer(t.Context(), r.typed(c.modelType, "a10"), c.in)
			if e, ok := err.(*device.Error); !ok || e.Kind != device.KindInvalid || !strings.HasPrefix(e.Message, "Inference failed: ") || !strings.Contains(e.Message, c.part) {
				t.Errorf("%s: got %v (%s), want %q", c.modelType, err, errorKind(err), c.part)
			}
		}
		for _, event := range r.device.events() {
			if strings.HasPrefix(event, "generate") {
				t.Errorf("the device was asked: %s", event)
			}
		}
	})
}

// TestGenerationWhoseAskerLeaves ends within a token, and the device is free.
func TestGenerationWhoseAskerLeaves(t *testing.T) {
	inBubble(t, 100, nil, func(t *testing.T, r *rig) {
		r.device.took = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		_, err := r.Infer(ctx, r.typed("vlm", "a10"), device.Input{Prompt: strings.Repeat("x ", 200)})
		expectKind(t, err, device.KindTimeout, "deadline passed")
		if err := r.infer(t.Context(), "b10"); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d != 12*time.Second { // its load and its inference
			t.Errorf("the next was served after %v", d)
		}
		r.expectEvents(t, "start", "load a10", "generate a10", "load b10", "infer b10")
	})
}

// TestAskerLeavesDuringTheLoad: nothing is generated for nobody.
func TestAskerLeavesDuringTheLoad(t *testing.T) {
	inBubble(t, 100, nil, func(t *testing.T, r *rig) {
		r.device.took = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		_, err := r.Infer(ctx, r.typed("vlm", "a10"), device.Input{Prompt: "x"})
		expectKind(t, err, device.KindTimeout, "")
		time.Sleep(time.Minute)
		r.expectEvents(t, "start", "load a10")
	})
}

// TestGenerationLimits: between tokens, and in all; a model is lost only when the
// worker had to be killed.
func TestGenerationLimits(t *testing.T) {
	limits := func(l *Limits) { l.GenerateTimeout, l.TokenTimeout = 20500*time.Millisecond, 5*time.Second }
	deaf := func(operation string) error { return map[string]error{"cancel": errDeaf}[operation] }
	hangs := func(operation string, n int) func(string) error { return onNth(operation, n, errHang) }
	for _, c := range []struct {
		name, modelType string
		words           int
		fault           func(string) error
		after           time.Duration
		message         string
		models          []string
	}{
		{"long, but alive", "vlm", 19, nil, 19 * time.Second, "", []string{"a10"}},
		{"too long", "vlm", 100, nil, 20500 * time.Millisecond, "the generation was ended after 20.5s, with 20 tokens; ask for fewer", []string{"a10"}},
		{"longer than whoever asked gives it", "vlm", 19, nil, 6500 * time.Millisecond, "the generation was ended after 6.5s, with 6 tokens; ask for fewer", []string{"a10"}},
		{"silent from the beginning", "vlm", 9, hangs("generate", 1), 5 * time.Second, "no token for 5s, or did not end when it was told to; its worker was restarted", nil},
		{"silent after a while", "vlm", 19, hangs("token", 9), 13 * time.Second, "no token for 5s, or did not end", nil},
		{"deaf", "vlm", 100, deaf, 25 * time.Second, "did not end when it was told to", nil},
		{"speech that does not end", "whisper", 1, hangs("generate", 1), 25500 * time.Millisecond, "did not answer within 25.5s; its worker was restarted", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, 100, limits, func(t *testing.T, r *rig) {
				if _, err := r.Load(t.Context(), r.typed(c.modelType, "a10")); err != nil {
					t.Fatal(err)
				}
				r.device.took = time.Second
				r.device.setFault(c.fault)
				in := device.Input{Prompt: strings.TrimSpace(strings.Repeat("x ", c.words))}
				if strings.HasPrefix(c.name, "longer than") {
					in.TimeoutMS = 6500
				}
				if c.modelType == "whisper" {
					in = device.Input{Audio: audio(t, 0)}
				}
				began := time.Now()
				done := make(chan error)
				go func() {
					_, err := r.Infer(t.Context(), r.typed(c.modelType, "a10"), in)
					done <- err
				}()
				time.Sleep(3 * time.Second)
				r.status(t) // fails when it takes any time
				err := <-done
				if c.message == "" && err != nil {
					t.Error(err)
				}
				if c.message != "" {
					expectKind(t, err, device.KindTimeout, c.message)
				}
				if d := time.Since(began); d != c.after {
					t.Errorf("ended after %v, want %v", d, c.after)
				}
				r.expectModels(t, c.models...)
				killed := 0.0
				if c.models == nil {
					killed = 1
				}
				if n := r.metric(t, "hailo_device_worker_restarts_total", "reason=timeout"); n != killed {
					t.Errorf("%v workers were killed, want %v", n, killed)
				}
				if err := r.infer(t.Context(), "b10"); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestGenerationsAreNotRepeated, except those that the device refused to begin.
func TestGenerationsAreNotRepeated(t *testing.T) {
	busy := worker.FromHailoStatus(worker.OpGenerate, 6, "fake")
	for _, c := range []struct {
		name   string
		fault  func(string) error
		kind   device.Kind // empty: it works
		events []string
	}{
		{"busy once", onNth("generate", 1, busy), "", []string{"generate a10", "generate a10"}},
		{"busy", func(op string) error { return map[string]error{"generate": busy}[op] }, device.KindUnavailable, []string{"generate a10", "generate a10"}},
		{"the device is lost", onNth("token", 2, lostDevice(62)), device.KindUnavailable, []string{"generate a10", "close"}},
		{"the worker dies", onNth("token", 2, errCrash), device.KindUnavailable, []string{"generate a10", "die"}},
		{"the messages are no good", onNth("generate", 1, worker.FromHailoStatus(worker.OpGenerate, 8, "fake")), device.KindInvalid, []string{"generate a10"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, 100, nil, func(t *testing.T, r *rig) {
				m := r.typed("vlm", "a10")
				if _, err := r.Load(t.Context(), m); err != nil {
					t.Fatal(err)
				}
				r.device.events()
				r.device.setFault(c.fault)
				_, err := r.Infer(t.Context(), m, device.Input{Prompt: "a b c"})
				if got := errorKind(err); c.kind == "" && err != nil || c.kind != "" && got != string(c.kind) {
					t.Errorf("%v (%s), want %q", err, got, c.kind)
				}
				r.expectEvents(t, c.events...)
				r.device.setFault(nil)
				if _, err := r.Infer(t.Context(), m, device.Input{Prompt: "again"}); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestStopDuringAGeneration: the manager does not wait for minutes.
func TestStopDuringAGeneration(t *testing.T) {
	inBubble(t, 100, nil, func(t *testing.T, r *rig) {
		r.device.took = time.Second
		done := make(chan error)
		go func() {
			_, err := r.Infer(t.Context(), r.typed("vlm", "a10"), device.Input{Prompt: strings.Repeat("x ", 200)})
			done <- err
		}()
		synctest.Wait()
		time.Sleep(5 * time.Second)
		began := time.Now()
		r.stop()
		expectKind(t, <-done, device.KindUnavailable, "shutting down")
		<-r.stopped
		if d := time.Since(began); d > DefaultLimits().DrainTimeout+DefaultLimits().CloseTimeout {
			t.Errorf("it took %v", d)
		}
	})
}

func TestGenerativeInputsAreCounted(t *testing.T) {
	in := device.Input{Prompt: "12345", Messages: []jsontext.Value{jsontext.Value(`"7"`)}, Frames: []tensor.Tensor{frame(2, 2, 3)}, Audio: audio(t, 1)}
	if n := inputBytes(in); n != 5+3+12+4 {
		t.Errorf("%d bytes", n)
	}
}

// TestMissingGenerativeFile is told before anything waits.
func TestMissingGenerativeFile(t *testing.T) {
	inBubble(t, 100, nil, func(t *testing.T, r *rig) {
		m := r.typed("whisper", "a10")
		if err := os.Remove(m.Path); err != nil {
			t.Fatal(err)
		}
		_, err := r.Load(t.Context(), m)
		expectKind(t, err, device.KindNotFound, "Model file not found")
	})
}
