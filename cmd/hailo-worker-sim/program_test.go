package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// asProgram makes the test binary the program itself.
const asProgram = "HAILO_WORKER_SIM_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	main()
}

// What the manager's log shows when the simulator cannot run names the variable
// and the value.
func TestByHand(t *testing.T) {
	for _, c := range []struct {
		env  string
		args []string
		code int
		want string
	}{
		{"", nil, 1, "hailo-worker-sim: a worker is started by hailo-device-manager"},
		{"", []string{"--help"}, 0, "HAILO_SIM_LATENCY_MS"},
		{"", []string{"model.hef"}, 1, `unexpected argument "model.hef"`},
		{"", []string{"--fast"}, 1, "not defined: -fast"},
		{"HAILO_SIM_LATENCY_MS=soon", nil, 1, `HAILO_SIM_LATENCY_MS="soon": expected milliseconds`},
		{"HAILO_SIM_MEMORY_MB=0", nil, 1, `HAILO_SIM_MEMORY_MB="0": expected a whole number`},
		{"HAILO_SIM_FAULTS=infer", nil, 1, `HAILO_SIM_FAULTS: fault "infer"`},
		{"HAILO_SIM_FAULTS=@/nowhere", nil, 1, "HAILO_SIM_FAULTS: open /nowhere"},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], c.args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		cmd.Env = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0", c.env)
		err := cmd.Run()
		if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
			t.Fatal(err)
		}
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s %q: exit %d, %q; want %q", c.env, c.args, code, stderr.String(), c.want)
		}
	}
}
