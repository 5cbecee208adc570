package sim

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// opToken is what faults call the making of one token.
const opToken worker.Operation = "token"

const (
	// tokenBytes is the length of a token: some end within a character, as real
	// ones do.
	tokenBytes = 8
	// speechRate is samples a second; segmentSamples is how much of a recording
	// is one segment.
	speechRate     = 16000
	segmentSamples = 30 * speechRate
)

// LoadGenerator places a generative network on the device. A second
// vision-language model is refused as HailoRT does: with 62, as if the
// connection were lost.
func (d *Device) LoadGenerator(spec worker.LoadSpec) (worker.LoadedGenerator, error) {
	file, err := d.place(spec, func() error {
		if spec.Task == worker.TaskVLM && d.conversing {
			return worker.FromHailoStatus(worker.OpLoad, 62, "a vision-language model is loaded already")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.conversing = d.conversing || spec.Task == worker.TaskVLM
	return &generator{device: d, file: file, path: spec.Path, task: spec.Task}, nil
}

// generator is a generative network. What it answers depends on its input
// only, not on temperature and seed.
type generator struct {
	device *Device
	file   modelFile
	path   string
	task   worker.Task
}

func (g *generator) Signature() worker.Signature {
	return worker.Signature{MemoryBytes: g.file.bytes, FrameShape: g.file.frame}
}

func (g *generator) Close() error {
	if g.task == worker.TaskVLM {
		g.device.conversing = false
	}
	return g.device.free(g.file, g.path)
}

func (g *generator) Generate(ctx context.Context, _ time.Duration, what worker.Generation, emit func(worker.Piece) error) (worker.Ending, error) {
	if err := g.device.strike(worker.OpGenerate, g.path); err != nil {
		return worker.Ending{}, err
	}
	if g.task == worker.TaskSpeech {
		return g.listen(what, emit)
	}
	answer, err := g.answer(what)
	if err != nil {
		return worker.Ending{}, err
	}
	tokens := (len(answer) + tokenBytes - 1) / tokenBytes
	end := worker.Ending{Finish: worker.FinishEnd, Tokens: max(tokens, g.file.tokens)}
	if what.MaxTokens > 0 && what.MaxTokens < end.Tokens {
		end = worker.Ending{Finish: worker.FinishMaxTokens, Tokens: what.MaxTokens}
	}
	time.Sleep(g.device.latency()) // the pictures are looked at, which nothing interrupts
	for i := range end.Tokens {
		select {
		case <-ctx.Done():
			return worker.Ending{Finish: worker.FinishCancelled, Tokens: i}, nil
		case <-time.After(g.file.token):
		}
		if err := g.device.strike(opToken, g.path); err != nil {
			return worker.Ending{}, err
		}
		at := i % tokens * tokenBytes // a model of many tokens repeats itself
		if err := emit(worker.Piece{Token: answer[at:min(at+tokenBytes, len(answer))]}); err != nil {
			return worker.Ending{}, err
		}
	}
	return end, nil
}

// answer says what was asked about which pictures.
func (g *generator) answer(what worker.Generation) (string, error) {
	prompt := what.Prompt
	for _, raw := range what.Messages {
		text, err := textOf(raw)
		if err != nil {
			return "", worker.FromHailoStatus(worker.OpGenerate, 8, fmt.Sprintf("message %.60q: %v", raw, err))
		}
		prompt += text
	}
	var pictures []string
	for _, t := range what.Tensors {
		if want := g.file.frame; t.DType != tensor.Uint8 || len(t.Data) == 0 || len(want) > 0 && t.Shape.String() != want.String() {
			return "", &worker.Error{Kind: worker.KindInvalid, Status: 6, Message: fmt.Sprintf("a picture is %s, wanted uint8 %v", t.Describe(), want)}
		}
		sum := 0
		for _, b := range t.Data {
			sum += int(b)
		}
		size := strings.ReplaceAll(strings.Trim(t.Shape.String(), "[]"), ", ", "x")
		pictures = append(pictures, fmt.Sprintf("%s mean %.3f", size, float64(sum)/float64(len(t.Data))))
	}
	text := fmt.Sprintf("fake answer to [%s] about %d frame(s)", prompt, len(pictures))
	if len(pictures) > 0 {
		text += ": " + strings.Join(pictures, ", ")
	}
	return text, nil
}

// textOf is the text in a message {role, content}.
func textOf(raw string) (string, error) {
	var message struct {
		Content jsontext.Value `json:"content"`
	}
	if err := json.Unmarshal([]byte(raw), &message); err != nil {
		return "", err
	}
	var text string
	if message.Content.Kind() == '"' {
		return text, json.Unmarshal(message.Content, &text)
	}
	var entries []struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(message.Content, &entries); err != nil {
		return "", err
	}
	for _, e := range entries {
		text += e.Text
	}
	return text, nil
}

// listen gives all segments at the end and cannot be interrupted.
func (g *generator) listen(what worker.Generation, emit func(worker.Piece) error) (worker.Ending, error) {
	if len(what.Tensors) != 1 || what.Tensors[0].DType != tensor.Float32 || len(what.Tensors[0].Data) == 0 {
		return worker.Ending{}, worker.FromHailoStatus(worker.OpGenerate, 2, "speech needs one recording, float32")
	}
	samples := len(what.Tensors[0].Data) / tensor.Float32.Size()
	task := "transcribe"
	if what.Translate {
		task = "translate"
	}
	time.Sleep(g.device.latency())
	var segments []worker.Segment
	for from := 0; from < samples; from += segmentSamples {
		time.Sleep(g.file.token)
		to := min(from+segmentSamples, samples)
		segments = append(segments, worker.Segment{
			Start: float64(from) / speechRate,
			End:   float64(to) / speechRate,
			Text:  fmt.Sprintf(" fake %s (%s) of %d samples", task, what.Language, to-from),
		})
	}
	for i := range segments {
		if err := emit(worker.Piece{Segment: &segments[i]}); err != nil {
			return worker.Ending{}, err
		}
	}
	return worker.Ending{Finish: worker.FinishEnd}, nil
}
