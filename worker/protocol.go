// Package worker is the border between the device manager and the process that
// owns the device: the protocol both sides share, the manager's side (start,
// call, kill) and the loop that a worker program runs.
//
// Messages are JSON objects, one a packet, over a SOCK_SEQPACKET socketpair.
// Tensors never travel in messages: the answer to a load carries a memfd with
// room for every input and output, which both sides map; an infer request only
// says "go". docs/worker-protocol.md describes it for authors of workers.
package worker

import (
	"fmt"

	"hailo-depth/tensor"
)

// Version is the protocol's version, which a worker states when it identifies itself.
const Version = 1

// maxMessage bounds one message; what needs more room goes through shared memory.
const maxMessage = 64 << 10

// A verb is what the manager asks of a worker.
type verb string

const (
	verbIdentify   verb = "identify"
	verbStatistics verb = "statistics"
	verbLoad       verb = "load"
	verbInfer      verb = "infer"
	verbGenerate   verb = "generate"
	verbCancel     verb = "cancel"
	verbUnload     verb = "unload"
	verbClose      verb = "close"
)

// request is a message from the manager. Answers carry the same ID. identify
// and statistics may be answered while another request is under way; load,
// infer, generate and unload are carried out one after another, in the order in
// which they came: a second infer may be sent before the first is answered. cancel
// has the ID of the generate that it ends, and no answer of its own.
type request struct {
	ID        uint64    `json:"id"`
	Verb      verb      `json:"verb"`
	Network   uint64    `json:"network,omitzero"`    // infer, generate, unload: which; load: the number it gets
	Set       int       `json:"set,omitzero"`        // infer: which set of the region's places, 0 or 1
	Replaced  int       `json:"replaced,omitzero"`   // infer: how many regions of the network answers to infer have replaced
	Load      *LoadSpec `json:"load,omitzero"`       // load
	Generate  *generate `json:"generate,omitzero"`   // generate
	Region    *region   `json:"region,omitzero"`     // generate: of the memfd that came with it
	TimeoutMS int64     `json:"timeout_ms,omitzero"` // infer, generate: what the library may take
}

// generate is a Generation in a message: its tensors lie in the request's region.
type generate struct {
	Generation
	Tensors []TensorInfo `json:"tensors,omitzero"`
}

// reply is a worker's answer: Error, or what its verb calls for. generate has
// any number of answers with a Piece before its last.
type reply struct {
	ID         uint64      `json:"id"`
	Error      *Error      `json:"error,omitzero"`
	Identity   *Identity   `json:"identity,omitzero"`
	Statistics *Statistics `json:"statistics,omitzero"`
	Signature  *Signature  `json:"signature,omitzero"` // load; infer, when the outputs' shapes changed
	Region     *region     `json:"region,omitzero"`    // with Signature: the memfd that came with this message
	Piece      *Piece      `json:"piece,omitzero"`     // generate
	Ending     *Ending     `json:"ending,omitzero"`    // generate, in the last answer
	DeviceUS   int64       `json:"device_us,omitzero"` // load, infer, generate: microseconds inside the library
}

// region says where in the shared memory each tensor lies. Offsets are
// multiples of the page size, which device libraries ask for. With a second set
// of places the next inference can be sent before the last is answered.
type region struct {
	Bytes   int64   `json:"bytes"`
	Inputs  []int64 `json:"inputs"`
	Outputs []int64 `json:"outputs"`
	Second  *places `json:"second,omitzero"`
}

// places are the second set of a region.
type places struct {
	Inputs  []int64 `json:"inputs"`
	Outputs []int64 `json:"outputs"`
}

// set gives the places of a set, 0 or 1; false: there is none.
func (r region) set(number int) (places, bool) {
	switch {
	case number == 0:
		return places{r.Inputs, r.Outputs}, true
	case number == 1 && r.Second != nil:
		return *r.Second, true
	}
	return places{}, false
}

// LoadSpec names a network to load.
type LoadSpec struct {
	// Path is the absolute path of the model file.
	Path string `json:"path"`
	// Task is what the network does; what follows is for TaskTensors.
	Task Task `json:"task,omitzero"`
	// InputShapes fixes the inputs that the file leaves open, by input name.
	InputShapes map[string]tensor.Shape `json:"input_shapes,omitzero"`
	// InputType asks for another input type than the file's own, where the
	// library can convert (HailoRT quantises float32 inputs); 0 keeps the file's.
	InputType tensor.DType `json:"input_type,omitzero"`
}

// Identity is what does not change while a worker lives.
type Identity struct {
	Protocol     int    `json:"protocol"`
	Backend      string `json:"backend"`      // onnx, sim, hailort
	DeviceID     string `json:"device_id"`    // "0001:01:00.0", "cpu"
	Architecture string `json:"architecture"` // HAILO10H, CPU
	Firmware     string `json:"firmware"`     // of the device, or the library's version
}

// Statistics is what changes. A value that the device cannot tell is nil.
type Statistics struct {
	TemperatureCelsius *float64 `json:"temperature_celsius"`
	TemperatureError   string   `json:"temperature_error,omitzero"`
	MemoryTotalBytes   int64    `json:"memory_total_bytes,omitzero"`
	MemoryUsedBytes    int64    `json:"memory_used_bytes,omitzero"`
	// Utilization is the load of the neural cores, 0..1.
	Utilization *float64 `json:"utilization,omitzero"`
	// UnfinishedJobs counts inferences whose caller was told that the time is up
	// while the library has not given their buffers back; OldestUnfinishedMS is
	// for how long it has kept the oldest beyond that.
	UnfinishedJobs     int   `json:"unfinished_jobs,omitzero"`
	OldestUnfinishedMS int64 `json:"oldest_unfinished_ms,omitzero"`
}

// TensorInfo describes one input or output of a network.
type TensorInfo struct {
	Name  string       `json:"name"`
	DType tensor.DType `json:"dtype"`
	Shape tensor.Shape `json:"shape"`
}

// bytes is the size of the tensor's data.
func (t TensorInfo) bytes() (int64, error) {
	if t.DType.Size() == 0 {
		return 0, fmt.Errorf("tensor %q has no data type", t.Name)
	}
	n, err := t.Shape.Elements()
	return int64(n) * int64(t.DType.Size()), err
}

// Signature is what goes into a network and comes out of it.
type Signature struct {
	Inputs  []TensorInfo `json:"inputs"`
	Outputs []TensorInfo `json:"outputs"`
	// MemoryBytes is the device memory that the network occupies, as far as known.
	MemoryBytes int64 `json:"memory_bytes"`
	// FrameShape is, of a vlm, the shape [H, W, 3] that its pictures must have;
	// empty: any.
	FrameShape tensor.Shape `json:"frame_shape,omitzero"`
}
