package manager

import (
	"encoding/binary"
	"math"
	"strings"

	"hailo-depth/device"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// whisperType writes speech down: {audio, language, task} to segments.
type whisperType struct{}

const (
	speechRate       = 16000 // samples a second
	maxSpeechMinutes = 10
	// Samples are -1..1; a little more is only loud, far more another scale.
	mostLoud = 16
)

func (whisperType) parts(m device.Model, _ params) ([]part, error) {
	return generativePart(m, worker.TaskSpeech), nil
}

func (whisperType) check(map[string]worker.Signature) error { return nil }

func (whisperType) infer(in device.Input, _ params, use networks) (device.Result, error) {
	if in.Audio == nil || len(in.Audio.Data) == 0 {
		return device.Result{}, badInput("audio data is required for whisper")
	}
	audio, err := checkAudio(*in.Audio)
	if err != nil {
		return device.Result{}, err
	}
	g := worker.Generation{Language: in.Language, Tensors: []tensor.Tensor{audio}}
	switch in.Language {
	case "":
		g.Language = "en"
	case "auto":
		g.Language = "" // the network finds it out
	default:
		if len(in.Language) > 3 || strings.Trim(in.Language, "abcdefghijklmnopqrstuvwxyz") != "" {
			return device.Result{}, badInput("input_data.language must be a code of ISO 639-1 such as \"en\", or \"auto\", got %.20q", in.Language)
		}
	}
	switch in.Task {
	case "", "transcribe":
	case "translate":
		g.Translate = true
	default:
		return device.Result{}, badInput("input_data.task must be \"transcribe\" or \"translate\", got %.20q", in.Task)
	}
	generated, err := use.generate(mainPart, g)
	if err != nil {
		return device.Result{}, err
	}
	transcript := &device.Transcript{Segments: make([]device.Segment, len(generated.Segments))}
	for i, s := range generated.Segments {
		transcript.Segments[i] = device.Segment{ID: i, Start: s.Start, End: s.End, Text: s.Text}
	}
	return device.Result{Speech: transcript}, nil
}

// checkAudio makes float32 [samples] of a recording.
func checkAudio(t tensor.Tensor) (tensor.Tensor, error) {
	const limit = maxSpeechMinutes * 60 * speechRate
	shape := t.Shape.Squeeze(1)
	switch {
	case t.DType != tensor.Float32 && t.DType != tensor.Float16 && t.DType != tensor.Float64:
		return t, badInput("input_data.audio must be float32, -1 to 1, got %s; divide samples of 16 bits by 32768", t.DType)
	case len(shape) != 1:
		return t, badInput("input_data.audio must be one channel, [samples], got the shape %v", t.Shape)
	case shape[0] > limit:
		return t, badInput("input_data.audio has %d samples; at most %d are taken, %d minutes at %d a second", shape[0], limit, maxSpeechMinutes, speechRate)
	}
	f, err := tensor.Convert(t, tensor.Float32)
	if err != nil {
		return t, badInput("input_data.audio: %v", err)
	}
	f.Shape = shape
	for i := 0; i < len(f.Data); i += 4 {
		v := math.Float32frombits(binary.LittleEndian.Uint32(f.Data[i:]))
		if !(v >= -mostLoud && v <= mostLoud) {
			return t, badInput("input_data.audio: sample %d is %g; samples are -1 to 1", i/4, v)
		}
	}
	return f, nil
}
