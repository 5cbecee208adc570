//go:build hailort

package hailort

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

func TestShapes(t *testing.T) {
	script(t)
	b := open(t, Config{})
	for _, c := range []struct {
		stream, shape string
		dtype         tensor.DType
	}{
		{"2 3 4 NHWC uint8", "[2, 3, 4]", tensor.Float32},
		{"2 3 1 NHW uint8", "[2, 3]", tensor.Float32},
		{"1 1 7 NC uint16", "[7]", tensor.Float32},
		{"2 3 4 NCHW uint8", "[4, 2, 3]", tensor.Float32},
		{"2 3 4 NHWC float32", "[2, 3, 4]", tensor.Float32},
		{"80 10 0 NMS_BY_CLASS float32", "[4080]", tensor.Float32},
		{"80 10 0 NMS_BY_CLASS uint16", "[4080]", tensor.Float32},
		{"80 10 0 NMS_BY_SCORE uint8", "[242]", tensor.Uint8},
	} {
		r := load(t, b, worker.LoadSpec{Path: hef(t, depthInput, "output net/out "+c.stream)})
		s := r.Signature()
		if out := s.Outputs[0]; out.Name != "net/out" || out.Shape.String() != c.shape || out.DType != c.dtype {
			t.Errorf("%s: %+v, want %s %s", c.stream, out, c.dtype, c.shape)
		}
		if in := s.Inputs[0]; in.Name != "net/in" || in.Shape.String() != "[2, 3, 3]" || in.DType != tensor.Uint8 {
			t.Errorf("input %+v", in)
		}
		if err := r.infer(t, 1, time.Minute); err != nil {
			t.Errorf("%s: %v", c.stream, err)
		}
		r.unload(t)
	}
}

// A file that is no model of this device is refused, and nothing else touched.
func TestUnusableFiles(t *testing.T) {
	script(t)
	b := open(t, Config{})
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	loaded := load(t, b, worker.LoadSpec{Path: depth(t)})
	for _, c := range []struct {
		name, path string
		kind       worker.Kind
		status     int
	}{
		{"missing", filepath.Join(dir, "absent.hef"), worker.KindModel, 0}, // seen before the library is asked
		{"a directory", dir, worker.KindModel, 14},
		{"empty", write("empty.hef", ""), worker.KindModel, 14},
		{"cut off in its header", write("header.hef", "hailort"), worker.KindModel, 14},
		{"noise", write("noise.hef", strings.Repeat("noise", 100)), worker.KindModel, 92},
		{"cut off", write("cut.hef", "hailort-double-hef 1\n"+depthInput+"\n"), worker.KindModel, 91},
		{"appended to", write("longer.hef", "hailort-double-hef 1\n"+depthInput+"\nend\nmore\n"), worker.KindModel, 91},
		{"of another device", hef(t, "architecture hailo8", depthInput, depthOutput), worker.KindModel, 93},
		{"of another release", hef(t, "runtime 5.1", depthInput, depthOutput), worker.KindModel, 26},
		{"of several networks", hef(t, "network a", "network b", depthInput, depthOutput), worker.KindInvalid, 2},
		{"with a zero in its name", "/\x00", worker.KindModel, 0},
	} {
		_, err := b.Load(worker.LoadSpec{Path: c.path})
		if worker.KindOf(err) != c.kind || statusOf(err) != c.status {
			t.Errorf("%s: %v (%s, %d), want %s, %d", c.name, err, worker.KindOf(err), statusOf(err), c.kind, c.status)
		}
		loaded.mustInfer(t, 3)
	}
	loaded.unload(t)
}

// Every status that a load can end with has its consequence.
func TestLoadStatuses(t *testing.T) {
	for _, c := range []struct {
		status int
		kind   worker.Kind
	}{
		{2, worker.KindInvalid}, {3, worker.KindMemoryFull}, {4, worker.KindLost}, {6, worker.KindInvalid}, {7, worker.KindUnsupported},
		{8, worker.KindLost}, {13, worker.KindModel}, {14, worker.KindModel}, {26, worker.KindModel}, {36, worker.KindLost},
		{57, worker.KindAborted}, {61, worker.KindInvalid}, {62, worker.KindLost}, {63, worker.KindAborted}, {71, worker.KindMemoryFull},
		{76, worker.KindVersion}, {77, worker.KindLost}, {78, worker.KindVersion}, {79, worker.KindUnsupported}, {81, worker.KindMemoryFull},
		{82, worker.KindTransient}, {87, worker.KindLost}, {88, worker.KindTransient}, {89, worker.KindLost}, {91, worker.KindModel},
		{92, worker.KindModel}, {93, worker.KindModel}, {95, worker.KindAborted}, {96, worker.KindLost}, {97, worker.KindLost},
		{1234, worker.KindInternal},
	} {
		for _, call := range []string{"VDevice::create_infer_model", "InferModel::configure"} {
			script(t, fmt.Sprintf("on %s 1 status %d", call, c.status))
			b := mustOpen(t, Config{})
			_, err := b.Load(worker.LoadSpec{Path: depth(t)})
			wantError(t, err, c.kind, c.status)
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			nothingLeft(t)
		}
	}
}

// What a network takes is measured; it is given back.
func TestMemory(t *testing.T) {
	script(t, "set memory_bytes 10485760", "set configure_factor 0.5")
	b := open(t, Config{})
	r := load(t, b, worker.LoadSpec{Path: depth(t, "bytes 4194304")})
	if got := r.Signature().MemoryBytes; got != 6<<20 {
		t.Errorf("it takes %d bytes, want %d", got, 6<<20)
	}
	_, err := b.Load(worker.LoadSpec{Path: depth(t, "bytes 5242880")}) // full when it is created
	wantError(t, err, worker.KindMemoryFull, 81)
	_, err = b.Load(worker.LoadSpec{Path: depth(t, "bytes 3145728")}) // full when it is configured
	wantError(t, err, worker.KindMemoryFull, 81)
	r.mustInfer(t, 1)
	r.unload(t)
	eventually(t, "the memory is seen to be free", func() bool { return b.Statistics().MemoryUsedBytes == 0 })
	load(t, b, worker.LoadSpec{Path: depth(t, "bytes 5242880")}).unload(t)
	if got := b.monitor.memory(); got.used != 0 || got.total != 10<<20 {
		t.Errorf("%+v is in use after the end", got)
	}
}

// A model that is larger than the device is said to be.
func TestLargerThanTheDevice(t *testing.T) {
	script(t, "set memory_bytes 65536")
	b := open(t, Config{})
	path := depth(t, "bytes 100000", "# "+strings.Repeat("x", 100000))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The double reads no comments: the rest is after the last line it needs.
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "# ", "reply ", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = b.Load(worker.LoadSpec{Path: path})
	e, ok := err.(*worker.Error)
	if !ok || !e.NeverFits() || e.TotalBytes != 65536 || e.NeededBytes < 100000 {
		t.Errorf("got %+v", err)
	}
}

// Memory that is only just being given back is waited for.
func TestFullWhileReleasing(t *testing.T) {
	script(t, "set memory_bytes 6291456", "on ConfiguredInferModel::~ConfiguredInferModel 1 delay 2000")
	b := open(t, Config{})
	b.patience.unload = time.Millisecond
	load(t, b, worker.LoadSpec{Path: depth(t, "bytes 4194304")}).unload(t)
	load(t, b, worker.LoadSpec{Path: depth(t, "bytes 4194304")}).unload(t)
	if n := counted(t, "calls.VDevice::create_infer_model"); n != 3 {
		t.Errorf("%d attempts to load, want 3", n)
	}
}

// Fragmented memory is full however much of it is free, also a second time.
func TestFragmented(t *testing.T) {
	script(t, "set fragmented 1")
	b := open(t, Config{})
	for range 2 {
		_, err := b.Load(worker.LoadSpec{Path: depth(t)})
		wantError(t, err, worker.KindMemoryFull, 81)
	}
	if n := counted(t, "calls.VDevice::create_infer_model"); n != 2 {
		t.Errorf("it was tried %d times; it must not be tried in a loop", n)
	}
}

// What leaks comes back with a new connection.
func TestLeaky(t *testing.T) {
	script(t, "set memory_bytes 6291456", "set leaky 1")
	path := depth(t, "bytes 4194304")
	b := mustOpen(t, Config{})
	load(t, b, worker.LoadSpec{Path: path}).unload(t)
	_, err := b.Load(worker.LoadSpec{Path: path})
	wantError(t, err, worker.KindMemoryFull, 81)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	load(t, open(t, Config{}), worker.LoadSpec{Path: path}).unload(t)
}

// A timeout of a load may be false, and has left an orphan on the device: it
// means that the connection must be renewed.
func TestFalseTimeoutsOfLoading(t *testing.T) {
	for _, call := range []string{"VDevice::create_infer_model", "InferModel::configure"} {
		script(t, "on "+call+" 1 false_timeout", "set memory_bytes 6291456", "set configure_factor 0.2")
		path := depth(t, "bytes 4194304")
		b := mustOpen(t, Config{})
		_, err := b.Load(worker.LoadSpec{Path: path})
		wantError(t, err, worker.KindLost, 4)
		if used := b.monitor.memory().used; used == 0 {
			t.Errorf("%s: nothing was orphaned; the test is blind", call)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		b = mustOpen(t, Config{})
		load(t, b, worker.LoadSpec{Path: path}).unload(t)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		nothingLeft(t)
	}
}

// Whatever throws, the caller gets an error and the worker lives.
func TestExceptions(t *testing.T) {
	for _, call := range []string{"VDevice::create_infer_model", "InferModel::configure"} {
		script(t, "on "+call+" 1 throw")
		b := mustOpen(t, Config{})
		_, err := b.Load(worker.LoadSpec{Path: depth(t)})
		wantError(t, err, worker.KindInternal, 0)
		r := load(t, b, worker.LoadSpec{Path: depth(t)})
		r.mustInfer(t, 4)
		change(t, "on ConfiguredInferModel::wait_for_async_ready 2 throw")
		wantError(t, r.infer(t, 4, time.Minute), worker.KindInternal, 0)
		r.mustInfer(t, 5)
		r.unload(t)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		nothingLeft(t)
	}
}

func TestRefusedSpecs(t *testing.T) {
	script(t)
	b := open(t, Config{})
	path := depth(t)
	for name, c := range map[string]struct {
		spec worker.LoadSpec
		kind worker.Kind
	}{
		"a type that nothing converts from": {worker.LoadSpec{Path: path, InputType: tensor.Int8}, worker.KindUnsupported},
		"a shape of another size":           {worker.LoadSpec{Path: path, InputShapes: map[string]tensor.Shape{"net/in": {4, 4, 3}}}, worker.KindInvalid},
		"an input that is none":             {worker.LoadSpec{Path: path, InputShapes: map[string]tensor.Shape{"other": {2, 3, 3}}}, worker.KindInvalid},
		"no frames":                         {worker.LoadSpec{Path: path, InputShapes: map[string]tensor.Shape{"net/in": {0, 2, 3, 3}}}, worker.KindInvalid},
		"too many frames":                   {worker.LoadSpec{Path: path, InputShapes: map[string]tensor.Shape{"net/in": {65, 2, 3, 3}}}, worker.KindInvalid},
	} {
		if _, err := b.Load(c.spec); worker.KindOf(err) != c.kind {
			t.Errorf("%s: %v (%s), want %s", name, err, worker.KindOf(err), c.kind)
		}
	}
	if _, err := b.LoadGenerator(worker.LoadSpec{Path: path, Task: "song"}); worker.KindOf(err) != worker.KindUnsupported {
		t.Errorf("an unknown task: %v", err)
	}
}
