// Package simtest lets tests run the simulated device as a real child process,
// without building a program first: the test binary is its own worker.
package simtest

import (
	"context"
	"fmt"
	"os"
	"testing"

	"hailo-depth/sim"
	"hailo-depth/worker"
)

const asWorker = "HAILO_SIMTEST_WORKER"

// Main is the body of TestMain in packages that use Command.
func Main(m *testing.M) {
	if os.Getenv(asWorker) == "" {
		os.Exit(m.Run())
	}
	config, err := sim.FromEnv(os.Getenv)
	if err == nil {
		err = sim.Serve(context.Background(), config)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Command runs the simulated device with HAILO_SIM_* variables, "NAME=value".
func Command(env ...string) worker.Command {
	// Under the race detector a program sleeps for a second before it exits.
	return worker.Command{Path: os.Args[0], Env: append(env, asWorker+"=1", "GORACE=atexit_sleep_ms=0")}
}
