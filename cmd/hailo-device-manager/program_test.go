package main

import (
	"fmt"
	"os"
	"testing"

	"hailo-depth/internal/stack"
)

// bin has the real programs, built once for this package's tests.
var bin string

func TestMain(m *testing.M) {
	code := 1
	err := stack.WithPrograms([]string{"hailo-device-manager", "hailo-worker-sim"}, func(dir string) error {
		bin = dir
		code = m.Run()
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}
