package manager

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// fakeDevice outlives the fake workers that open it: it has memory, carries out
// faults, and records what was done to it.
type fakeDevice struct {
	t        *testing.T
	capacity int64
	took     time.Duration // of every load and every inference
	hidden   int64         // bytes that each network takes beyond what its signature says
	system   int64         // bytes in use without a network
	release  time.Duration // from an unload until its memory is free

	mu         sync.Mutex
	fault      func(operation string) error        // asked before each start, load, infer, unload, close, statistics; may be nil
	modelFault func(operation, model string) error // asked before each infer; may be nil
	workers    []*fakeWorker
	noEarly    bool // every network has one set of buffers
	faultsLate bool // faults hit an inference after its time
	early      int  // inferences that were sent while another was under way
	dropped    int  // of them, those that nobody waited for
	late       []lateMemory
	stuck      time.Time // since when a job of the library does not end; zero: none
	log        []string  // "start", "load a", "infer a", "unload a", "close", "kill", "die"
}

type lateMemory struct {
	of    *fakeWorker
	bytes int64
	free  time.Time
}

// Faults that are no answers.
var (
	errHang  = errors.New("hang")
	errCrash = errors.New("crash")
	errDeaf  = errors.New("deaf") // goes on when it is told to end
)

func lostDevice(status int) error { return worker.FromHailoStatus(worker.OpInfer, status, "fake") }

// start implements Options.Start.
func (d *fakeDevice) start(ctx context.Context) (Worker, error) {
	d.record("start")
	if err := d.strike(ctx, "start", nil); err != nil {
		return nil, err
	}
	w := &fakeWorker{device: d, done: make(chan struct{}), loaded: map[*fakeNetwork]bool{}}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, old := range d.workers {
		if old.died == nil {
			d.t.Error("a worker was started beside a living one")
		}
	}
	d.workers = append(d.workers, w)
	return w, nil
}

func (d *fakeDevice) record(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, what)
}

// setFault replaces the faults; nil for none.
func (d *fakeDevice) setFault(fault func(string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = fault
}

// setModelFault is setFault for faults of one model.
func (d *fakeDevice) setModelFault(fault func(operation, model string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.modelFault = fault
}

// events returns what happened since it was last called.
func (d *fakeDevice) events() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	log := d.log
	d.log = nil
	return log
}

func (d *fakeDevice) living() *fakeWorker {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.workers {
		if w.died == nil {
			return w
		}
	}
	return nil
}

// strike carries out a fault in w, which is nil during a start.
func (d *fakeDevice) strike(ctx context.Context, operation string, w *fakeWorker) error {
	var err error
	d.mu.Lock()
	if d.fault != nil {
		err = d.fault(operation)
	}
	d.mu.Unlock()
	var dead chan struct{} // a nil channel: nobody can kill what has not started
	if w != nil {
		dead = w.done
	}
	switch {
	case errors.Is(err, errHang):
		select {
		case <-ctx.Done():
			return &worker.Error{Kind: worker.KindTimeout, Message: "fake: no answer"}
		case <-dead:
			return w.Err()
		}
	case errors.Is(err, errCrash) && w != nil:
		w.die("die")
		return w.Err()
	}
	return err
}

// try carries out a fault, or tells that the worker is dead.
func (w *fakeWorker) try(ctx context.Context, operation string) error {
	if err := w.device.strike(ctx, operation, w); err != nil {
		return err
	}
	return w.Err()
}

type fakeWorker struct {
	device *fakeDevice
	done   chan struct{}
	died   error // under device.mu
	loaded map[*fakeNetwork]bool
	busy   bool
	sent   []*fakeInference // under device.mu: those that have not ended
}

func (w *fakeWorker) Identity() worker.Identity {
	return worker.Identity{Backend: "fake", DeviceID: "fake0", Architecture: "FAKE", Firmware: "1"}
}

func (w *fakeWorker) Statistics(ctx context.Context) (worker.Statistics, error) {
	if err := w.try(ctx, "statistics"); err != nil {
		return worker.Statistics{}, err
	}
	celsius := 40.0
	s := worker.Statistics{TemperatureCelsius: &celsius, MemoryTotalBytes: w.device.capacity, MemoryUsedBytes: w.used()}
	w.device.mu.Lock()
	defer w.device.mu.Unlock()
	if !w.device.stuck.IsZero() {
		s.UnfinishedJobs, s.OldestUnfinishedMS = 1, time.Since(w.device.stuck).Milliseconds()
	}
	return s, nil
}

func (w *fakeWorker) used() int64 {
	w.device.mu.Lock()
	defer w.device.mu.Unlock()
	n := w.device.system
	for network := range w.loaded {
		n += network.bytes + w.device.hidden
	}
	for _, l := range w.device.late {
		if l.of == w && time.Now().Before(l.free) {
			n += l.bytes
		}
	}
	return n
}

// begin enters an operation; the returned func leaves it.
func (w *fakeWorker) begin(what string) func() {
	d := w.device
	d.mu.Lock()
	defer d.mu.Unlock()
	if w.busy {
		d.t.Errorf("%s while another operation is under way", what)
	}
	w.busy = true
	d.log = append(d.log, what)
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		w.busy = false
	}
}

// Load takes the size of the file.
func (w *fakeWorker) Load(ctx context.Context, spec worker.LoadSpec) (Network, error) {
	name := filepath.Base(spec.Path)
	defer w.begin("load " + name)()
	time.Sleep(w.device.took)
	if err := w.try(ctx, "load"); err != nil {
		return nil, err
	}
	info, err := os.Stat(spec.Path)
	if err != nil {
		return nil, &worker.Error{Kind: worker.KindModel, Message: err.Error()}
	}
	if used := w.used(); used+info.Size()+w.device.hidden > w.device.capacity {
		return nil, &worker.Error{Kind: worker.KindMemoryFull, Status: 81, Message: fmt.Sprintf("fake: %d of %d in use, %d wanted", used, w.device.capacity, info.Size()),
			NeededBytes: info.Size(), TotalBytes: w.device.capacity}
	}
	n := &fakeNetwork{worker: w, name: name, bytes: info.Size(), speech: spec.Task == worker.TaskSpeech}
	if spec.Task == worker.TaskVLM {
		for other := range w.loaded { // under no lock: only the job that holds the device loads
			if other.vlm {
				w.device.t.Errorf("%s is loaded beside %s", name, other.name)
				return nil, lostDevice(62)
			}
		}
		n.vlm = true
	}
	w.device.mu.Lock()
	defer w.device.mu.Unlock()
	w.loaded[n] = true
	return n, nil
}

func (w *fakeWorker) names() []string {
	w.device.mu.Lock()
	defer w.device.mu.Unlock()
	var names []string
	for n := range w.loaded {
		names = append(names, n.name)
	}
	slices.Sort(names)
	return names
}

func (w *fakeWorker) Close(ctx context.Context) {
	if w.device.strike(ctx, "close", w) != nil {
		w.die("kill")
		return
	}
	w.die("close")
}

func (w *fakeWorker) Kill() { w.die("kill") }

func (w *fakeWorker) die(how string) {
	w.device.mu.Lock()
	defer w.device.mu.Unlock()
	if w.died == nil {
		w.device.log = append(w.device.log, how)
		w.device.stuck = time.Time{} // it died with it
		w.died = &worker.Error{Kind: worker.KindLost, Message: "the worker process died: " + how}
		close(w.done)
	}
}

func (w *fakeWorker) Done() <-chan struct{} { return w.done }

func (w *fakeWorker) Err() error {
	w.device.mu.Lock()
	defer w.device.mu.Unlock()
	return w.died
}

// fakeNetwork takes a [2, 2, 3] picture and answers one value: its first byte.
type fakeNetwork struct {
	worker   *fakeWorker
	name     string
	bytes    int64
	vlm      bool
	speech   bool
	released bool // by the manager's side; only the job that holds the device touches it
}

var fakeSignature = worker.Signature{
	Inputs:  []worker.TensorInfo{{Name: "in", DType: tensor.Uint8, Shape: tensor.Shape{2, 2, 3}}},
	Outputs: []worker.TensorInfo{{Name: "out", DType: tensor.Float32, Shape: tensor.Shape{1}}},
}

func (n *fakeNetwork) Signature() worker.Signature {
	s := fakeSignature
	if n.vlm || n.speech {
		s = worker.Signature{}
	}
	if n.vlm {
		s.FrameShape = tensor.Shape{2, 2, 3}
	}
	s.MemoryBytes = n.bytes
	return s
}

func (n *fakeNetwork) Infer(ctx context.Context, _ time.Duration, inputs []tensor.Tensor) ([]worker.Output, time.Duration, error) {
	return n.send(inputs).Wait(ctx)
}

// Send begins an inference that runs when the one before it has ended. There may
// be two, of one network.
func (n *fakeNetwork) Send(_ context.Context, _ time.Duration, inputs []tensor.Tensor) (worker.Pending, error) {
	if n.worker.device.noEarly {
		return nil, &worker.Error{Kind: worker.KindBusy, Message: "fake: one set of buffers"}
	}
	return n.send(inputs), nil
}

func (n *fakeNetwork) send(inputs []tensor.Tensor) *fakeInference {
	w, d := n.worker, n.worker.device
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(w.sent) > 1 || len(w.sent) == 1 && w.sent[0].network != n {
		d.t.Errorf("infer of %s while %d others are under way", n.name, len(w.sent))
	}
	if len(w.sent) == 1 {
		d.early++
	}
	p := &fakeInference{network: n, input: inputs[0].Data[0], ended: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	var before *fakeInference
	if len(w.sent) > 0 {
		before = w.sent[len(w.sent)-1]
	}
	w.sent = append(w.sent, p)
	go p.run(before)
	return p
}

// fakeInference is one that was sent.
type fakeInference struct {
	network *fakeNetwork
	input   byte
	ctx     context.Context // of a hang: ends with its waiter's
	cancel  context.CancelFunc
	ended   chan struct{}
	outputs []worker.Output
	err     error
}

func (p *fakeInference) run(before *fakeInference) {
	w := p.network.worker
	defer func() {
		p.cancel()
		w.device.mu.Lock()
		w.sent = slices.DeleteFunc(w.sent, func(q *fakeInference) bool { return q == p })
		w.device.mu.Unlock()
		close(p.ended)
	}()
	if before != nil {
		<-before.ended
	}
	if p.err = w.Err(); p.err != nil {
		return
	}
	p.outputs, p.err = p.network.compute(p.ctx, p.input)
	if worker.KindOf(p.err) == worker.KindTimeout && p.ctx.Err() != nil {
		<-w.done // what hangs goes on hanging
	}
}

func (p *fakeInference) Wait(ctx context.Context) ([]worker.Output, time.Duration, error) {
	select {
	case <-p.ended:
		return p.outputs, p.network.worker.device.took, p.err
	case <-ctx.Done():
		p.cancel()
		return nil, 0, &worker.Error{Kind: worker.KindTimeout, Message: "fake: no answer"}
	}
}

func (p *fakeInference) Drop() {
	p.network.worker.device.mu.Lock()
	defer p.network.worker.device.mu.Unlock()
	p.network.worker.device.dropped++
}

func (n *fakeNetwork) compute(ctx context.Context, input byte) ([]worker.Output, error) {
	defer n.worker.begin("infer " + n.name)()
	if n.worker.device.faultsLate {
		time.Sleep(n.worker.device.took)
	}
	if err := n.worker.try(ctx, "infer"); err != nil {
		return nil, err
	}
	n.worker.device.mu.Lock()
	fault := n.worker.device.modelFault
	n.worker.device.mu.Unlock()
	if fault != nil && errors.Is(fault("infer", n.name), errCrash) {
		n.worker.die("die")
		return nil, n.worker.Err()
	}
	select {
	case <-time.After(n.worker.device.took):
	case <-n.worker.done:
		return nil, n.worker.Err()
	}
	out, err := tensor.FromFloat32([]float32{float32(input)}, 1)
	return []worker.Output{{Name: "out", Tensor: out}}, err
}

// Generate gives one token a word of the prompt, each after the device's time;
// speech gives one segment.
func (n *fakeNetwork) Generate(ctx context.Context, cancelled <-chan struct{}, _ time.Duration, g worker.Generation, onPiece func(worker.Piece)) (worker.Generated, time.Duration, error) {
	defer n.worker.begin("generate " + n.name)()
	if err := n.worker.try(ctx, "generate"); err != nil {
		return worker.Generated{}, 0, err
	}
	if errors.Is(n.worker.try(ctx, "cancel"), errDeaf) {
		cancelled = nil
	}
	var r worker.Generated
	for word := range strings.SplitAfterSeq(g.Prompt, " ") {
		if err := n.worker.try(ctx, "token"); err != nil {
			return worker.Generated{}, 0, err
		}
		select {
		case <-time.After(n.worker.device.took):
		case <-n.worker.done:
			return worker.Generated{}, 0, n.worker.Err()
		case <-ctx.Done():
			return worker.Generated{}, 0, &worker.Error{Kind: worker.KindTimeout, Message: "fake: no answer"}
		case <-cancelled:
			r.Finish = worker.FinishCancelled
			return r, 0, nil
		}
		r.Text += word
		r.Tokens++
		onPiece(worker.Piece{Token: word})
	}
	r.Finish = worker.FinishEnd
	if n.speech {
		r.Text, r.Segments = "", []worker.Segment{{Start: 0, End: 1, Text: fmt.Sprintf(" %s %v %s", g.Language, g.Translate, g.Tensors[0].Describe())}}
	}
	return r, time.Duration(r.Tokens) * n.worker.device.took, nil
}

func (n *fakeNetwork) Unload(ctx context.Context) error {
	n.worker.device.mu.Lock()
	sent := slices.Clone(n.worker.sent)
	n.worker.device.mu.Unlock()
	for _, p := range sent { // an aborted model may go while the next inference is with the worker
		<-p.ended
	}
	defer n.worker.begin("unload " + n.name)()
	err := n.worker.try(ctx, "unload")
	n.worker.device.mu.Lock()
	delete(n.worker.loaded, n)
	if d := n.worker.device; d.release > 0 {
		d.late = append(d.late, lateMemory{n.worker, n.bytes + d.hidden, time.Now().Add(d.release)})
	}
	n.worker.device.mu.Unlock()
	return errors.Join(err, n.Release())
}

func (n *fakeNetwork) Release() error {
	if n.released {
		n.worker.device.t.Errorf("memory of %s released twice", n.name)
	}
	n.released = true
	return nil
}
