package inferapi_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"hailo-depth/device"
	"hailo-depth/sim/simtest"
	"hailo-depth/tensor"
)

// writeModel makes a simulated model file.
func writeModel(t testing.TB, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// gray is a simulated model: a picture of 4 by 4 pixels to its luma.
const gray = `{"fake_hef": 1, "inputs": [{"name": "in", "shape": [4, 4, 3]}], "outputs": [{"name": "out", "shape": [4, 4, 1]}]}` + "\n"

func picture(grey byte) *tensor.Tensor {
	return &tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{4, 4, 3}, Data: bytes.Repeat([]byte{grey}, 48)}
}

// A client's life on a real manager and a real worker process.
func TestClientOnARealManager(t *testing.T) {
	m := startManager(t, simtest.Command())
	c := client(t, serve(t, newAPI(m)))
	model := device.Model{Type: "depth", Path: writeModel(t, "gray.hef", gray)}
	l, err := c.Load(t.Context(), model)
	if err != nil || l.Already {
		t.Fatal(l, err)
	}
	if l, err = c.Load(t.Context(), model); err != nil || !l.Already {
		t.Error(l, err)
	}
	r, err := c.Infer(t.Context(), model, device.Input{Input: picture(100)})
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.Infer(t.Context(), model, device.Input{Input: picture(100)})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Tensor.Data, want.Tensor.Data) || r.Tensor.DType != tensor.Float32 || r.Tensor.Describe() != want.Tensor.Describe() {
		t.Errorf("%v, want %v", r.Tensor, want.Tensor)
	}
	if r.Timing.Infer <= 0 {
		t.Errorf("timing %+v", r.Timing)
	}
	index, err := c.Index(t.Context())
	if err != nil || len(index) != 1 || index[0] != (device.IndexEntry{Name: "gray", Version: "1", State: "READY", ModelType: "depth"}) {
		t.Error(index, err)
	}
	s, err := c.Status(t.Context())
	if err != nil || len(s.Models) != 1 || s.Models[0].Path != model.Path {
		t.Error(s, err)
	}
	if _, err := c.LoadNamed(t.Context(), "gray.hef"); err != nil {
		t.Error(err)
	}
	if was, err := c.UnloadNamed(t.Context(), "gray"); !was || err != nil {
		t.Error(was, err)
	}
	if was, err := c.Unload(t.Context(), model); was || err != nil {
		t.Error(was, err)
	}
	_, err = c.UnloadNamed(t.Context(), "gray")
	if device.KindOf(err) != device.KindNotFound {
		t.Error(err)
	}
}

// The memory of a request that failed is not used again: it may still be running.
func TestBodiesOfFailedRequestsAreLeftAlone(t *testing.T) {
	held := make(chan *tensor.Tensor, 8)
	m := &fake{infer: func(_ context.Context, _ device.Model, in device.Input) (device.Result, error) {
		held <- in.Input
		return device.Result{}, &device.Error{Kind: device.KindTimeout, Message: "gave up"}
	}}
	c := client(t, serve(t, newAPI(m)))
	for grey := range 8 {
		if _, err := c.Infer(t.Context(), device.Model{Type: "depth", Path: "/m"}, device.Input{Input: picture(byte(grey))}); device.KindOf(err) != device.KindTimeout {
			t.Fatal(err)
		}
	}
	for grey := range 8 {
		if got := <-held; !bytes.Equal(got.Data, picture(byte(grey)).Data) {
			t.Errorf("picture %d became %v", grey, got.Data)
		}
	}
}
