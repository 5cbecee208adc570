package socketapi_test

import (
	"os"
	"path/filepath"
	"testing"

	"hailo-depth/device"
	"hailo-depth/sim/simtest"
	"hailo-depth/tensor"
)

// BenchmarkInfer is a whole inference of a 256x320 picture over the socket, on
// a simulated device that takes no time but that of its arithmetic.
func BenchmarkInfer(b *testing.B) {
	s := startServer(b, device.DefaultMaxMessage, simtest.Command())
	path := filepath.Join(filepath.Dir(s.socket), "scdepthv3.hef")
	if err := os.WriteFile(path, make([]byte, 65536), 0o644); err != nil {
		b.Fatal(err)
	}
	client := &device.Client{Path: s.socket}
	defer client.Close()
	input := tensor.Tensor{DType: tensor.Uint8, Shape: tensor.Shape{1, 256, 320, 3}, Data: make([]byte, 256*320*3)}
	model := device.Model{Type: "depth", Path: path}
	var library float64
	for b.Loop() {
		r, err := client.Infer(b.Context(), model, device.Input{Input: &input})
		if err != nil {
			b.Fatal(err)
		}
		library += r.Timing.Library.Seconds()
	}
	b.ReportMetric(1e6*library/float64(b.N), "library-µs/op")
}
