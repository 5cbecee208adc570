package doctor

import (
	"debug/elf"
	"errors"
	"path/filepath"
	"strings"

	"hailo-depth/backend"
	"hailo-depth/onnx/library"
)

const groupWorker = "worker"

// workers looks at the programs that drive the device, and the libraries that
// they were built for.
func (e *exam) workers() {
	switch e.Backend {
	case backend.HailoRT:
		e.hailortWorker()
	case backend.Auto:
		if !e.absent() {
			e.hailortWorker()
		}
		if e.wanted {
			e.onnxWorker(e.hint) // the CPU is what is left when the device is gone
		} else {
			e.onnxWorker(e.fix)
		}
	case backend.ONNX:
		e.onnxWorker(e.fix)
	case backend.Sim:
		const check = "hailo-worker-sim"
		if choice, err := e.machine.Find(backend.Options{Name: backend.Sim}); err != nil {
			e.fix(groupWorker, check, install, "not installed: there is nothing to simulate a device with")
		} else {
			e.ok(groupWorker, check, "%s: a simulated device", e.machinePath(choice.Command.Path))
		}
	}
}

// install builds and installs the workers.
const install = "make build && sudo packaging/install.sh install"

// machinePath is a path below the root as the machine knows it.
func (e *exam) machinePath(path string) string {
	if rest, ok := strings.CutPrefix(path, filepath.Clean(e.Root)+"/"); ok && e.Root != "/" {
		return "/" + rest
	}
	return path
}

func (e *exam) hailortWorker() {
	const check, build = "hailo-worker-hailort", "make worker-hailort && sudo packaging/install.sh install"
	choice, err := e.machine.Find(backend.Options{Name: backend.HailoRT})
	if err != nil {
		e.need(groupWorker, check, build+" (or set `backend: onnx` in "+managerFile+" to stay with the CPU)", "not installed: the accelerator is not used")
		return
	}
	path := e.machinePath(choice.Command.Path)
	needed, err := hailortOf(choice.Command.Path)
	switch {
	case err != nil:
		e.fix(groupWorker, check, build, "%s is no program for this machine: %v", path, err)
	case needed == "":
		e.ok(groupWorker, check, "%s", path)
	case !e.library.known():
		e.fix(groupWorker, check, installDriver, "%s needs %s%s, and there is none", path, libraryPrefix, needed)
	case needed != e.library.String():
		e.fix(groupWorker, check, build, "%s was built for %s%s; installed is %v", path, libraryPrefix, needed, e.library)
	default:
		e.ok(groupWorker, check, "%s, built for %s", path, needed)
	}
}

// hailortOf is the release of HailoRT that a program is linked to; empty when it
// is linked to none.
func hailortOf(program string) (_ string, err error) {
	f, err := elf.Open(program)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	libraries, err := f.ImportedLibraries()
	if err != nil {
		return "", err
	}
	for _, name := range libraries {
		if release, ok := strings.CutPrefix(name, libraryPrefix); ok {
			return release, nil
		}
	}
	return "", nil
}

// onnxWorker looks at what runs networks on the CPU; missing says how bad it is
// when that is not there.
func (e *exam) onnxWorker(missing func(group, check, do, format string, args ...any)) {
	choice, err := e.machine.Find(backend.Options{Name: backend.ONNX})
	if err != nil {
		missing(groupWorker, "hailo-worker-onnx", install, "not installed: the CPU cannot be used")
		return
	}
	e.ok(groupWorker, "hailo-worker-onnx", "%s", e.machinePath(choice.Command.Path))
	var dirs []string
	for _, dir := range library.SystemDirs(e.Getenv) {
		dirs = append(dirs, e.at(dir))
	}
	path, err := library.Find(e.Getenv, choice.Command.Path, dirs)
	if err != nil {
		missing(groupWorker, "ONNX Runtime", "make onnxruntime && sudo packaging/install.sh install", "libonnxruntime.so.1 is not there: the CPU cannot be used")
		return
	}
	e.ok(groupWorker, "ONNX Runtime", "%s", e.machinePath(path))
}
