// Package backend finds the worker program that drives this machine's device.
package backend

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hailo-depth/worker"
)

// The backends.
const (
	Auto    = "auto"
	ONNX    = "onnx"
	Sim     = "sim"
	HailoRT = "hailort"
)

// Options choose and configure a worker.
type Options struct {
	Name     string // auto, onnx, sim or hailort
	Threads  int    // onnx: threads per inference, 0: all cores but one
	MemoryMB int64  // onnx: memory budget in MiB, 0: none
	Spin     bool   // onnx: idle threads wait busily
}

// Machine is where to look.
type Machine struct {
	Root    string // below which Program and all folders are; empty: "/"
	Program string // this executable; workers lie beside it
	Dev     fs.FS  // /dev
	Path    string // $PATH
}

// ThisMachine is the machine that the program runs on.
func ThisMachine(getenv func(string) string) (Machine, error) {
	program, err := os.Executable()
	if err != nil {
		return Machine{}, err
	}
	return Machine{Program: program, Dev: os.DirFS("/dev"), Path: getenv("PATH")}, nil
}

// Choice is a worker to run.
type Choice struct {
	Name    string
	Command worker.Command
	Warning string // what the user should know of the choice; may be empty
}

// Find chooses the worker. "auto" is hailort where there are a device and its
// worker, else onnx; the simulator is never chosen by itself. The error says
// which program is missing and where it was looked for.
func (m Machine) Find(o Options) (Choice, error) {
	switch o.Name {
	case Auto:
		return m.auto(o)
	case ONNX, Sim, HailoRT:
		path, err := m.worker(o.Name)
		if err != nil {
			return Choice{}, err
		}
		return Choice{Name: o.Name, Command: worker.Command{Path: path, Args: o.arguments()}}, nil
	}
	return Choice{}, fmt.Errorf("backend %q is unknown; expected auto, onnx, sim or hailort", o.Name)
}

func (m Machine) auto(o Options) (Choice, error) {
	node := m.DeviceNode()
	o.Name = ONNX
	if node == "" {
		return m.Find(o)
	}
	if _, err := m.worker(HailoRT); err == nil {
		o.Name = HailoRT
		return m.Find(o)
	}
	choice, err := m.Find(o)
	choice.Warning = fmt.Sprintf("there is a device at %s but no hailo-worker-hailort to drive it; using the CPU", node)
	return choice, err
}

// DeviceNode is the device file of an NPU, or "". Drivers up to 5.2 call it
// /dev/hailo0, later ones /dev/h1x-0.
func (m Machine) DeviceNode() string {
	for _, pattern := range []string{"hailo[0-9]*", "h1x-[0-9]*"} {
		if nodes, err := fs.Glob(m.Dev, pattern); err == nil && len(nodes) > 0 {
			return "/dev/" + nodes[0]
		}
	}
	return ""
}

func (o Options) arguments() []string {
	if o.Name != ONNX {
		return nil
	}
	args := []string{"--threads", strconv.Itoa(o.Threads), "--memory-mb", strconv.FormatInt(o.MemoryMB, 10)}
	if o.Spin {
		args = append(args, "--spin")
	}
	return args
}

// packagedDir is where packages install workers.
const packagedDir = "/usr/lib/hailo"

func (m Machine) worker(name string) (string, error) {
	program := "hailo-worker-" + name
	dirs := append([]string{filepath.Dir(m.Program), packagedDir}, filepath.SplitList(m.Path)...)
	var looked []string
	for _, dir := range dirs {
		if !filepath.IsAbs(dir) {
			continue // a relative entry of PATH would run whatever lies in the current folder
		}
		path := filepath.Join(m.Root, dir, program)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
		looked = append(looked, dir)
	}
	advice := "run `make build`, or install it beside this program"
	if name == HailoRT {
		advice = "install it beside this program, or use the backend onnx, which runs on the CPU"
	}
	return "", fmt.Errorf("%s is not in %s; %s", program, strings.Join(looked, ", "), advice)
}
