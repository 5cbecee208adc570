// Package device is what a service imports to use the device: the models and
// tensors it exchanges with the device manager, the errors it meets, and a
// client of the manager's socket. The manager itself implements Service as
// well, so that one program can hold both.
package device

import (
	"context"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/internal/buffers"
	"hailo-depth/tensor"
)

// Service runs networks on the device.
type Service interface {
	// Load loads a model, if it is not loaded.
	Load(ctx context.Context, m Model) (Loaded, error)
	// Infer runs a model once, loading it first where needed.
	Infer(ctx context.Context, m Model, in Input) (Result, error)
	// Unload frees a model; it reports whether it was loaded.
	Unload(ctx context.Context, m Model) (bool, error)
	// Status answers at once, whatever the device does.
	Status(ctx context.Context) (Status, error)
}

// Model names a model: Type and Path are its key.
type Model struct {
	Type string
	Path string
	// Params is the JSON object model_params, or empty. Besides what the type
	// needs, ONNX models with free input sizes take
	// {"input_shapes": {"INPUT": [1, 3, 256, 320]}}.
	Params jsontext.Value
}

// Input is what goes into an inference; which fields count depends on the
// model's type.
type Input struct {
	Input     *tensor.Tensor  `json:"input,omitzero"`      // depth, pose
	Mode      string          `json:"mode,omitzero"`       // clip: image, text; ocr: detection, recognition
	Tensor    *tensor.Tensor  `json:"tensor,omitzero"`     // clip
	Image     *tensor.Tensor  `json:"image,omitzero"`      // ocr detection
	Language  string          `json:"language,omitzero"`   // ocr recognition; whisper: ISO 639-1 or auto, empty: en
	Crops     []tensor.Tensor `json:"crops,omitzero"`      // ocr recognition
	BatchSize int             `json:"batch_size,omitzero"` // ocr recognition
	TimeoutMS int64           `json:"timeout_ms,omitzero"` // for the device; 0: as long as the manager allows

	// Prompt is, for vlm and vlm_chat, what the model is given word for word.
	// Messages is a conversation instead, objects {role, content}, of which the
	// model's template makes the prompt; on the wire both are "prompt".
	Prompt      string           `json:"prompt,omitzero"`
	Messages    []jsontext.Value `json:"-"`
	Frames      []tensor.Tensor  `json:"frames,omitzero"`               // vlm, vlm_chat: uint8 [H, W, 3]
	Temperature *float64         `json:"temperature,omitzero"`          // vlm, vlm_chat: 0 is greedy; nil: the model's own
	Seed        *int64           `json:"seed,omitzero"`                 // vlm, vlm_chat; nil: a random one
	MaxTokens   int              `json:"max_generated_tokens,omitzero"` // vlm, vlm_chat; 0: the model's own
	Audio       *tensor.Tensor   `json:"audio,omitzero"`                // whisper: float32 [N], 16 kHz mono, -1..1
	Task        string           `json:"task,omitzero"`                 // whisper: transcribe, translate; empty: transcribe
}

// Result is what comes out: exactly one of its fields is set.
type Result struct {
	Tensor *tensor.Tensor
	List   []tensor.Tensor // one a crop; not nil when it is the result
	Named  []Named         // one an output, in the network's order
	Text   *string         // vlm, vlm_chat
	Speech *Transcript     // whisper

	Timing Timing

	memory []*buffers.Buffer // of the tensors
}

// Keep has Recycle recycle memory that the tensors are in.
func (r *Result) Keep(memory ...*buffers.Buffer) { r.memory = append(r.memory, memory...) }

// Recycle lets the memory of the tensors serve other results, which will write into
// it. It is for whoever has used the result up, once, when nobody has a part of it
// any more; without it the garbage collector does the rest.
func (r *Result) Recycle() {
	for _, m := range r.memory {
		m.Recycle()
	}
	r.memory = nil
}

// Named is an output of a network that has several.
type Named struct {
	Name   string
	Tensor tensor.Tensor
}

// Transcript is what was said in a recording.
type Transcript struct {
	Segments []Segment `json:"segments"`
}

// Segment is a stretch of speech; times in seconds from the recording's start.
type Segment struct {
	ID    int     `json:"id"`
	Start float64 `json:"start"`
	End   float64 `json:"end"`
	Text  string  `json:"text"`
}

// Timing says where an inference's time went.
type Timing struct {
	Queue time.Duration // waiting for the device
	Load  time.Duration // loading the model first, evictions included
	Infer time.Duration // on the device and to it and from it
	// Library is the part of Infer inside the device's library.
	Library time.Duration
}

// Loaded is the answer to a load.
type Loaded struct {
	Already bool // it was loaded before
	// DetectionInputShape is the shape [H, W, C] that an ocr model's detection takes.
	DetectionInputShape tensor.Shape
}

// Status is the manager's state.
type Status struct {
	DeviceID       string
	Architecture   string // HAILO10H, CPU; empty while no device is open
	Firmware       string
	Temperature    *float64 // °C; nil when unknown
	TemperatureErr string
	IdentifyErr    string
	MemoryTotal    int64 // bytes, 0 when unknown
	MemoryUsed     int64
	Models         []LoadedModel // in the order in which they were loaded
	Uptime         time.Duration
	SocketPath     string
	QueueDepth     int // requests that wait; the running one does not count
	Evictions      int
	RuntimeBroken  string // why the device cannot be used; empty when it can
	CapacityEvent  CapacityEvent
}

// LoadedModel is a model on the device.
type LoadedModel struct {
	Type, Path  string
	LoadedAt    time.Time
	LastUsed    time.Time
	MemoryBytes int64
	// Tensors are what its networks take and give, shared: not to be changed.
	// Empty over the old protocol.
	Tensors Signature
}

// Signature is what the networks of a model take and give.
type Signature struct{ Inputs, Outputs []TensorInfo }

// TensorInfo describes an input or output of a network.
type TensorInfo struct {
	// Network is the part of the model that it belongs to, such as "image" or
	// "recognition:en"; empty for models of one network.
	Network string
	Name    string
	DType   tensor.DType
	Shape   tensor.Shape
}

// CapacityEvent is the last time that the device's memory was full.
type CapacityEvent struct {
	Reason string
	Model  string
	At     time.Time // zero: never
}
