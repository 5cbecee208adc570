package onnx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	ort "github.com/yalue/onnxruntime_go"
	"golang.org/x/sys/unix"

	"hailo-depth/worker"
)

func TestFilesThatAreNoNetwork(t *testing.T) {
	b := open(t, Config{Threads: 1})
	pipe := filepath.Join(t.TempDir(), "pipe.onnx")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	f := ort.TensorElementDataType(ort.TensorElementDataTypeFloat)
	unknown := graph{
		nodes:  []message{node("NoSuchOperation", []string{"in"}, []string{"out"})},
		inputs: []message{put("in", f, dims{2})}, outputs: []message{put("out", f, dims{2})},
	}
	unconnected := graph{
		nodes:  []message{node("Add", []string{"in", "nowhere"}, []string{"out"})},
		inputs: []message{put("in", f, dims{2})}, outputs: []message{put("out", f, dims{2})},
	}
	// Its free size becomes 1, which shows to be wrong when the network runs.
	failing := graph{
		nodes:   []message{node("MatMul", []string{"in", "w"}, []string{"out"})},
		weights: []message{weights("w", make([]byte, 4*6), 3, 2)},
		inputs:  []message{put("in", f, dims{"n"})}, outputs: []message{put("out", f, dims{2})},
	}
	for name, c := range map[string]struct{ path, says string }{
		"missing":       {filepath.Join(t.TempDir(), "absent.onnx"), "no such file"},
		"a folder":      {t.TempDir(), "is not a regular file"},
		"a pipe":        {pipe, "is not a regular file"},
		"empty":         {writeFile(t, "n.onnx", nil), "ModelProto does not have a graph"},
		"text":          {writeFile(t, "n.onnx", []byte("<html>404 Not Found</html>")), "Protobuf parsing failed"},
		"no operation":  {unknown.write(t), "NoSuchOperation"},
		"unconnected":   {unconnected.write(t), "nowhere"},
		"fails to run":  {failing.write(t), "MatMul"},
		"newer version": {writeFile(t, "n.onnx", message{}.number(1, 9999).bytes(7, nil)), ""},
	} {
		_, err := b.Load(worker.LoadSpec{Path: c.path})
		if err == nil || worker.KindOf(err) != worker.KindModel || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := b.Load(worker.LoadSpec{Path: writeFile(t, "scdepthv3.HEF", []byte("x"))})
	if err == nil || worker.KindOf(err) != worker.KindUnsupported || !strings.HasPrefix(err.Error(), "scdepthv3.HEF is a HailoRT model; ") {
		t.Errorf("a file for the NPU: %v", err)
	}
	// None of them stands in the way of the next.
	n := load(t, b, worker.LoadSpec{Path: identity(f, dims{2}, dims{2}).write(t)})
	n.infer(t, floats(1, 2))
	n.unload(t)
}

// A download that broke off anywhere is refused, and never brings us down.
func TestTruncatedNetwork(t *testing.T) {
	b := open(t, Config{Threads: 1})
	whole, err := os.ReadFile("../models/pocketdepth.onnx")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 16, 100, 4096, len(whole) / 3, len(whole) / 2, len(whole) - 1000, len(whole) - 1} {
		_, err := b.Load(worker.LoadSpec{Path: writeFile(t, "cut.onnx", whole[:size])})
		if err == nil || worker.KindOf(err) != worker.KindModel {
			t.Errorf("the first %d of %d bytes: %v", size, len(whole), err)
		}
	}
	small := identity(ort.TensorElementDataType(ort.TensorElementDataTypeFloat), dims{2}, dims{2}).encode()
	for size := range small {
		n, err := b.Load(worker.LoadSpec{Path: writeFile(t, "cut.onnx", small[:size])})
		if err == nil { // only what follows the graph may be missing
			if err := n.Close(); err != nil {
				t.Error(err)
			}
			if size < len(small)-4 {
				t.Errorf("the first %d of %d bytes are a network", size, len(small))
			}
		}
	}
	if got := b.Statistics().MemoryUsedBytes; got != 0 {
		t.Errorf("%d bytes in use", got)
	}
}

func TestOpenWithoutALibrary(t *testing.T) {
	for name, path := range map[string]string{
		"missing":      filepath.Join(t.TempDir(), "libonnxruntime.so.1"),
		"no library":   writeFile(t, "libonnxruntime.so.1", []byte("x")),
		"another one":  "libc.so.6",
		"not the file": t.TempDir(),
	} {
		b, err := Open(Config{Library: path})
		if err == nil {
			t.Fatalf("%s: opened: %v", name, b.Close())
		}
		if !strings.HasPrefix(err.Error(), "loading "+path+": ") || !strings.HasSuffix(err.Error(), "(version 1.27 is needed)") {
			t.Errorf("%s: %v", name, err)
		}
	}
	open(t, Config{}) // the failures left nothing behind
}

// The version that the message asks for is the one that make onnxruntime brings.
func TestPinnedVersion(t *testing.T) {
	pin, err := os.ReadFile("../third_party/onnxruntime/package.json")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(pin), `"onnxruntime-node": "1.27.`) {
		t.Errorf("%s", pin)
	}
	b := open(t, Config{})
	if got := b.Identify().Firmware; !strings.HasPrefix(got, "ONNX Runtime 1.27.") {
		t.Error(got)
	}
}
