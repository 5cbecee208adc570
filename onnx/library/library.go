// Package library finds the shared library of ONNX Runtime. It loads nothing and
// is pure Go.
package library

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Env names the shared library to use, before any other place is tried.
const Env = "HAILO_ONNXRUNTIME_LIB"

// names are the names under which ONNX Runtime is installed; the first
// is the one of the npm package that `make onnxruntime` unpacks.
var names = [...]string{"libonnxruntime.so.1", "libonnxruntime.so"}

// Find returns the ONNX Runtime library to load: the one that
// HAILO_ONNXRUNTIME_LIB names, else one beside the program, else one in
// ../lib/onnxruntime from there (where `make onnxruntime` puts it), else one on
// the system's library path. Its error lists where it looked and what to do.
func Find(getenv func(string) string, program string, systemDirs []string) (string, error) {
	if path := getenv(Env); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s=%s: %w", Env, path, err)
		}
		// The loader would look for a name without a folder in the system's alone.
		return filepath.Abs(path)
	}
	beside := filepath.Dir(program)
	dirs := append([]string{beside, filepath.Join(beside, "..", "lib", "onnxruntime")}, systemDirs...)
	for _, dir := range dirs {
		for _, name := range names {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("the ONNX Runtime library (%s) is not in %s; run `make onnxruntime` in the repository, or set %s to the file",
		names[0], strings.Join(dirs, ", "), Env)
}

// SystemDirs is where Linux distributions keep shared libraries, for both
// architectures that we support, and what LD_LIBRARY_PATH adds.
func SystemDirs(getenv func(string) string) []string {
	var dirs []string
	for _, dir := range filepath.SplitList(getenv("LD_LIBRARY_PATH")) {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	return append(dirs, "/usr/local/lib", "/usr/lib/aarch64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/lib64")
}
