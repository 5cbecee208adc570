// Package cmd holds the programs. This test keeps a promise about them.
package cmd

import (
	"os/exec"
	"strings"
	"testing"
)

// The daemons and the simulator must build without cgo and must not come to
// depend on a device's library through some import.
func TestDaemonsArePureGo(t *testing.T) {
	for _, program := range []string{"hailo-device-manager", "hailo-depth", "hailo-worker-sim"} {
		out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{len .CgoFiles}}", "./"+program).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for line := range strings.Lines(string(out)) {
			path, files, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch {
			case strings.Contains(path, "onnxruntime") || path == "hailo-depth/onnx" || path == "hailo-depth/hailort":
				t.Errorf("%s depends on %s", program, path)
			case strings.HasPrefix(path, "hailo-depth/") && files != "0":
				t.Errorf("%s depends on %s, which uses cgo", program, path)
			}
		}
	}
}
