package worker

import "hailo-depth/tensor"

// Task is what a network does.
type Task string

// The tasks.
const (
	TaskTensors Task = ""       // tensors in, tensors out: Infer
	TaskVLM     Task = "vlm"    // messages and pictures in, text out: Generate
	TaskSpeech  Task = "speech" // a recording in, segments of text out: Generate
)

// Generation is what a generative network is asked for.
type Generation struct {
	// Messages is, for a vlm, the conversation: JSON objects {role, content},
	// which the network's template turns into its prompt. Prompt is the prompt
	// itself instead, without the template. Together with the rest they must fit
	// a message of 64 KiB.
	Messages []string `json:"messages,omitzero"`
	Prompt   string   `json:"prompt,omitzero"`
	// Temperature is how far a vlm strays from the likeliest token; 0: it does
	// not; nil: the network's own.
	Temperature *float64 `json:"temperature,omitzero"`
	Seed        *uint32  `json:"seed,omitzero"`       // of what is drawn; nil: a random one
	MaxTokens   int      `json:"max_tokens,omitzero"` // 0: the network's own
	// Language (ISO 639-1; empty: detect it) and Translate, into English instead
	// of writing down what is said, are for speech.
	Language  string `json:"language,omitzero"`
	Translate bool   `json:"translate,omitzero"`
	// Tensors are what else goes in: for a vlm its pictures, uint8 [H, W, 3] of
	// Signature.FrameShape, one for each image in the messages, in their order;
	// for speech one recording, float32 [samples], 16 kHz mono, -1..1.
	Tensors []tensor.Tensor `json:"-"`
}

// Piece is a part of what is generated: a stretch of text or, from speech, a segment.
type Piece struct {
	Token   string   `json:"token,omitzero"`
	Segment *Segment `json:"segment,omitzero"`
}

// Segment is a stretch of speech; times in seconds from the recording's start.
type Segment struct {
	Start float64 `json:"start"`
	End   float64 `json:"end"`
	Text  string  `json:"text"`
}

// Finish is why a generation ended.
type Finish string

// The reasons.
const (
	FinishEnd       Finish = "end"        // the network was done
	FinishMaxTokens Finish = "max_tokens" // it had generated as many tokens as it may
	FinishCancelled Finish = "cancelled"  // the manager wanted no more
)

// Ending is the end of a generation.
type Ending struct {
	Finish Finish `json:"finish"`
	Tokens int    `json:"tokens,omitzero"` // that were generated; 0 where the library does not tell
}

// Generated is all that a generation gave.
type Generated struct {
	Ending
	Text     string    // the tokens, one after another
	Segments []Segment // of speech
}
