package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hailo-depth/internal/stack"
)

// process reads what the kernel knows of a process (proc(5)).
type process struct{ pid int }

// ticksPerSecond is USER_HZ, which is 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// cpu is the processor time used so far, in seconds.
func (p process) cpu() float64 {
	fields := p.stat()
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / ticksPerSecond
}

// stat are the fields of /proc/PID/stat from the third on, after the name.
func (p process) stat() []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.Fields(rest)
}

// peak is the largest resident memory so far, in MiB.
func (p process) peak() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

// findProcesses gives the service, the manager and the manager's worker.
func findProcesses(s *stack.Stack) ([3]process, error) {
	found := [3]process{{s.Depth.PID()}, {s.Manager.PID()}}
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return found, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(filepath.Base(e))
		if err != nil {
			continue
		}
		if fields := (process{pid}).stat(); len(fields) > 1 && fields[1] == strconv.Itoa(s.Manager.PID()) {
			found[2] = process{pid}
			return found, nil
		}
	}
	return found, fmt.Errorf("the manager (pid %d) has no worker", s.Manager.PID())
}
