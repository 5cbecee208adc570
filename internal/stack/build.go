package stack

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
)

// WithPrograms builds programs of cmd/ into a temporary folder, calls use with
// it and removes it. It is for the tests of a package in cmd/: paths are
// relative to the current folder. When the calling program looks for data
// races, the daemons do as well: one that finds a race does not end with 0.
func WithPrograms(programs []string, use func(dir string) error) error {
	dir, err := os.MkdirTemp("", "hailo-bin")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	for _, program := range programs {
		args := []string{"build", "-o", dir}
		if !strings.HasPrefix(program, "hailo-worker-") && racing() {
			args = append(args, "-race")
		}
		if out, err := exec.Command("go", append(args, "../"+program)...).CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w: %s", program, err, out)
		}
	}
	return use(dir)
}

func racing() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
