package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"testing"
)

// bin has the real programs, built once for this package's tests.
var bin string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "hailo-bin")
	if err == nil {
		bin = dir
		err = build(dir)
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	_ = os.RemoveAll(dir) // a temporary folder
	os.Exit(code)
}

func build(dir string) error {
	for program, flags := range map[string][]string{"hailo-device-manager": likeThisTest(), "hailo-worker-sim": nil} {
		args := slices.Concat([]string{"build", "-o", dir}, flags, []string{"../" + program})
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w: %s", program, err, out)
		}
	}
	return nil
}

// likeThisTest are the build flags that find the manager's data races when
// those of the test are looked for: it then ends with another exit code than 0.
func likeThisTest() []string {
	info, ok := debug.ReadBuildInfo()
	if ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return []string{"-race"}
	}
	return nil
}
