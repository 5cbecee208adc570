package inferapi_test

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"hailo-depth/device"
	"hailo-depth/sim/simtest"
	"hailo-depth/tensor"
)

// BenchmarkInfer is a whole inference of a 256x320 picture over the HTTP
// socket, on a simulated device that takes no time but that of its arithmetic;
// compare socketapi's of the same name.
func BenchmarkInfer(b *testing.B) {
	m := startManager(b, simtest.Command())
	path := filepath.Join(b.TempDir(), "scdepthv3.hef")
	if err := os.WriteFile(path, make([]byte, 65536), 0o644); err != nil {
		b.Fatal(err)
	}
	c := client(b, serve(b, newAPI(m)))
	input := tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{1, 256, 320, 3}, Data: make([]byte, 256*320*3)}
	model := device.Model{Type: "depth", Path: path}
	var library float64
	for b.Loop() {
		r, err := c.Infer(b.Context(), model, device.Input{Input: &input})
		if err != nil {
			b.Fatal(err)
		}
		library += r.Timing.Library.Seconds()
		r.Recycle()
	}
	b.ReportMetric(1e6*library/float64(b.N), "library-µs/op")
}

// BenchmarkWire is what of that the listener and the client take: the manager
// answers at once.
func BenchmarkWire(b *testing.B) {
	output := tensor.Tensor{DType: tensor.Float32, Shape: tensor.Shape{256, 320, 1}, Data: make([]byte, 4*256*320)}
	c := client(b, serve(b, newAPI(&fake{infer: func(context.Context, device.Model, device.Input) (device.Result, error) {
		return device.Result{Tensor: &output}, nil
	}})))
	input := tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{1, 256, 320, 3}, Data: make([]byte, 256*320*3)}
	for b.Loop() {
		r, err := c.Infer(b.Context(), device.Model{Type: "depth", Path: "/m.hef"}, device.Input{Input: &input})
		if err != nil {
			b.Fatal(err)
		}
		r.Recycle()
	}
}

// BenchmarkParallel has eight clients on a device of 1.39 ms, and says for which
// part of the time it worked.
func BenchmarkParallel(b *testing.B) {
	m := startManager(b, simtest.Command("HAILO_SIM_LATENCY_MS=1.39"))
	path := filepath.Join(b.TempDir(), "scdepthv3.hef")
	if err := os.WriteFile(path, make([]byte, 65536), 0o644); err != nil {
		b.Fatal(err)
	}
	c := client(b, serve(b, newAPI(m)))
	input := tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{1, 256, 320, 3}, Data: make([]byte, 256*320*3)}
	model := device.Model{Type: "depth", Path: path}
	var library atomic.Int64
	b.SetParallelism(4) // times two processors
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := c.Infer(b.Context(), model, device.Input{Input: &input})
			if err != nil {
				b.Error(err)
				return
			}
			library.Add(int64(r.Timing.Library))
			r.Recycle()
		}
	})
	b.ReportMetric(100*float64(library.Load())/float64(b.Elapsed()), "%device")
}
