package socketapi_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/device"
	"hailo-depth/manager"
	"hailo-depth/sim/simtest"
	"hailo-depth/tensor"
)

// generative is a server with a client and model files: quick.hef answers at
// once, slow.hef within the hour, other.hef is one more.
func generative(t *testing.T, env []string, change ...func(*manager.Limits)) (server, *device.Client) {
	t.Helper()
	s := startServer(t, device.DefaultMaxMessage, simtest.Command(env...), change...)
	if err := os.Mkdir(s.models, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, header := range map[string]string{
		"quick.hef":  `{"fake_hef": 1, "task": "vlm", "frame": [2, 2, 3]}`,
		"slow.hef":   `{"fake_hef": 1, "task": "vlm", "tokens": 16000, "token_ms": 200}`,
		"other.hef":  `{"fake_hef": 1, "task": "vlm"}`,
		"speech.hef": `{"fake_hef": 1, "task": "speech"}`,
		"depth.hef":  `{"fake_hef": 1, "inputs": [{"name": "in", "shape": [1, 1, 3]}], "outputs": [{"name": "out", "shape": [1, 1, 1]}]}`,
	} {
		if err := os.WriteFile(filepath.Join(s.models, name), append([]byte(header), '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := &device.Client{Path: s.socket}
	t.Cleanup(func() { _ = c.Close() })
	return s, c
}

func (s server) model(modelType, name string) device.Model {
	return device.Model{Type: modelType, Path: filepath.Join(s.models, name)}
}

func pixels(n int) tensor.Tensor {
	return tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{n, n, 3}, Data: make([]byte, n*n*3)}
}

// works runs a small network, which must not have to wait for anything long.
func works(t *testing.T, s server, c *device.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	in := pixels(1)
	if _, err := c.Infer(ctx, s.model("depth", "depth.hef"), device.Input{Input: &in}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestGenerativeModelsOverTheSocket: all that the client package can say.
func TestGenerativeModelsOverTheSocket(t *testing.T) {
	s, c := generative(t, nil)
	temperature, seed := 0.0, int64(7)
	message := jsontext.Value(`{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Wie groß?"}]}`)
	r, err := c.Infer(t.Context(), s.model("vlm_chat", "quick.hef"), device.Input{
		Messages: []jsontext.Value{message}, Frames: []tensor.Tensor{pixels(2)}, Temperature: &temperature, Seed: &seed, MaxTokens: 100})
	if want := "fake answer to [Wie groß?] about 1 frame(s): 2x2x3 mean 0.000"; err != nil || r.Text == nil || *r.Text != want {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = c.Infer(t.Context(), s.model("vlm", "quick.hef"), device.Input{Prompt: "hi"})
	if want := "fake answer to [hi] about 0 frame(s)"; err != nil || r.Text == nil || *r.Text != want {
		t.Errorf("%+v, %v", r, err)
	}
	sound, err := tensor.FromFloat32(make([]float32, 16000), 16000)
	if err != nil {
		t.Fatal(err)
	}
	r, err = c.Infer(t.Context(), s.model("whisper", "speech.hef"), device.Input{Audio: &sound, Language: "auto", Task: "translate"})
	if err != nil || r.Speech == nil || len(r.Speech.Segments) != 1 || r.Speech.Segments[0] != (device.Segment{End: 1, Text: " fake translate () of 16000 samples"}) {
		t.Errorf("%+v, %v", r.Speech, err)
	}
	_, err = c.Infer(t.Context(), s.model("vlm", "quick.hef"), device.Input{Prompt: "x", Frames: []tensor.Tensor{pixels(3)}})
	if device.KindOf(err) != device.KindInvalid || !strings.Contains(err.Error(), "takes pictures of shape [2, 2, 3], got [3, 3, 3]") {
		t.Errorf("%v", err)
	}
	_, err = c.Infer(t.Context(), s.model("vlm", "speech.hef"), device.Input{Prompt: "x"})
	if device.KindOf(err) != device.KindModel || !strings.HasPrefix(err.Error(), "Failed to load model: ") {
		t.Errorf("%v", err)
	}
	works(t, s, c)
}

// TestLongGenerationHoldsNothingUp: status is answered at once meanwhile, and
// when its client leaves, the generation ends and the next is served. The worker
// lives through all of it, with what it has loaded.
func TestLongGenerationHoldsNothingUp(t *testing.T) {
	s, c := generative(t, nil)
	works(t, s, c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	left := make(chan error, 1)
	go func() {
		_, err := c.Infer(ctx, s.model("vlm", "slow.hef"), device.Input{Prompt: "x"})
		left <- err
	}()
	for deadline := time.Now().Add(patience); ; {
		began := time.Now()
		status, err := c.Status(t.Context())
		if took := time.Since(began); err != nil || took > time.Second {
			t.Fatalf("status took %v, %v", took, err)
		}
		if len(status.Models) == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the model is not loaded")
		}
	}
	waiting := make(chan struct{})
	go func() {
		defer close(waiting)
		works(t, s, c) // waits for the generation
	}()
	select {
	case err := <-left:
		t.Fatalf("the generation ended: %v", err)
	case <-waiting:
		t.Fatal("it was served during the generation")
	case <-time.After(300 * time.Millisecond):
	}
	cancel()
	if err := <-left; device.KindOf(err) != device.KindCanceled {
		t.Errorf("%v", err)
	}
	<-waiting
	if status, err := c.Status(t.Context()); err != nil || len(status.Models) != 2 {
		t.Errorf("%+v, %v", status.Models, err)
	}
}

// TestGenerationsThatGoWrong: each costs its own request, soon, and no more.
func TestGenerationsThatGoWrong(t *testing.T) {
	soon := func(l *manager.Limits) { l.TokenTimeout, l.GenerateTimeout = 500*time.Millisecond, 3*time.Second }
	for _, c := range []struct {
		name, faults, model string
		kind                device.Kind
		message             string
	}{
		{"hang in the middle", "token=hang@3", "quick.hef", device.KindTimeout, "no token for 500ms"},
		{"hang at the beginning", "generate=hang@1", "quick.hef", device.KindTimeout, "no token for 500ms"},
		{"crash in the middle", "token=crash@3", "quick.hef", device.KindUnavailable, "exit status 70"},
		{"lost in the middle", "token=62@3", "quick.hef", device.KindUnavailable, "HAILO_COMMUNICATION_CLOSED(62)"},
		{"busy", "generate=6@1-2", "quick.hef", device.KindUnavailable, "HAILO_INVALID_OPERATION(6)"},
		{"busy once", "generate=6@1", "quick.hef", "", ""},
		{"longer than it may take", "", "slow.hef", device.KindTimeout, "the generation was ended after 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "faults")
			write := func(faults string) {
				if err := os.WriteFile(file, []byte(faults), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(c.faults)
			s, client := generative(t, []string{"HAILO_SIM_FAULTS=@" + file}, soon)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err := client.Infer(ctx, s.model("vlm", c.model), device.Input{Prompt: "x"})
			e, ok := errors.AsType[*device.Error](err)
			switch {
			case c.kind == "" && err != nil:
				t.Error(err)
			case c.kind != "" && (!ok || e.Kind != c.kind || !strings.HasPrefix(e.Message, "Inference failed: ") || !strings.Contains(e.Message, c.message)):
				t.Errorf("got %v (%s), want %s with %q", err, device.KindOf(err), c.kind, c.message)
			}
			write("")
			works(t, s, client)
			if _, err := client.Infer(ctx, s.model("vlm", "quick.hef"), device.Input{Prompt: "x"}); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestSecondVisionLanguageModel takes the first one's place; the simulated
// device would refuse it with the status of a lost connection.
func TestSecondVisionLanguageModel(t *testing.T) {
	s, c := generative(t, nil)
	works(t, s, c)
	for _, name := range []string{"quick.hef", "other.hef", "quick.hef"} {
		if _, err := c.Infer(t.Context(), s.model("vlm", name), device.Input{Prompt: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	status, err := c.Status(t.Context())
	if err != nil || len(status.Models) != 2 || status.Evictions != 2 || !strings.Contains(status.CapacityEvent.Reason, "made room for quick.hef (vlm)") {
		t.Errorf("%+v, %v", status, err)
	}
}

// TestFullDevice: a vision-language model is given room as any other is.
func TestFullDevice(t *testing.T) {
	s, c := generative(t, []string{"HAILO_SIM_MEMORY_MB=1"})
	for _, name := range []string{"depth.hef", "other.hef"} {
		if err := os.Truncate(filepath.Join(s.models, name), 600<<10); err != nil {
			t.Fatal(err)
		}
	}
	works(t, s, c)
	if _, err := c.Infer(t.Context(), s.model("vlm_chat", "other.hef"), device.Input{Prompt: "x", Frames: []tensor.Tensor{}}); err != nil {
		t.Error(err)
	}
	status, err := c.Status(t.Context())
	if err != nil || len(status.Models) != 1 || status.Evictions != 1 || !strings.HasPrefix(status.CapacityEvent.Reason, "RESOURCE_EXHAUSTED while loading other.hef") {
		t.Errorf("%+v, %v", status, err)
	}
}
