package backend

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// machine has a device where nodes are given, its program in a folder of its
// own with the workers beside it, and a PATH of the folders on path.
func machine(t *testing.T, nodes []string, workers []string, path ...string) Machine {
	t.Helper()
	dir := t.TempDir()
	for _, w := range workers {
		install(t, dir, w, 0o755)
	}
	dev := fstest.MapFS{"null": {Mode: fs.ModeDevice}}
	for _, n := range nodes {
		dev[n] = &fstest.MapFile{Mode: fs.ModeDevice}
	}
	return Machine{Program: filepath.Join(dir, "hailo-device-manager"), Dev: dev, Path: strings.Join(path, string(os.PathListSeparator))}
}

func install(t *testing.T, dir, worker string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, "hailo-worker-"+worker)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name           string
		nodes, workers []string
		ask, want      string
		warns          bool
	}{
		{"no device", nil, []string{"onnx", "sim", "hailort"}, Auto, ONNX, false},
		{"device and its worker", []string{"hailo0"}, []string{"onnx", "hailort"}, Auto, HailoRT, false},
		{"later driver", []string{"h1x-0"}, []string{"onnx", "hailort"}, Auto, HailoRT, false},
		{"device without its worker", []string{"hailo0"}, []string{"onnx"}, Auto, ONNX, true},
		{"the CPU although there is a device", []string{"hailo0"}, []string{"onnx", "hailort"}, ONNX, ONNX, false},
		{"the simulator", []string{"hailo0"}, []string{"onnx", "hailort", "sim"}, Sim, Sim, false},
		{"the device's worker without device", nil, []string{"onnx", "hailort"}, HailoRT, HailoRT, false},
	} {
		m := machine(t, c.nodes, c.workers)
		got, err := m.Find(Options{Name: c.ask})
		if err != nil || got.Name != c.want || got.Command.Path != filepath.Join(filepath.Dir(m.Program), "hailo-worker-"+c.want) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		if warns := strings.Contains(got.Warning, "/dev/hailo0") && strings.Contains(got.Warning, "using the CPU"); warns != c.warns || !c.warns && got.Warning != "" {
			t.Errorf("%s: the warning is %q", c.name, got.Warning)
		}
	}
}

func TestFindNeverSimulatesUnasked(t *testing.T) {
	for _, nodes := range [][]string{nil, {"hailo0"}} {
		if got, err := machine(t, nodes, []string{"sim"}).Find(Options{Name: Auto}); err == nil {
			t.Errorf("chose %+v", got)
		}
	}
}

func TestFindSaysWhereItLooked(t *testing.T) {
	elsewhere := t.TempDir()
	m := machine(t, nil, nil, elsewhere)
	_, err := m.Find(Options{Name: Auto})
	if err == nil {
		t.Fatal("found")
	}
	for _, part := range []string{"hailo-worker-onnx is not in ", filepath.Dir(m.Program), "/usr/lib/hailo", elsewhere, "make build"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if _, err := m.Find(Options{Name: HailoRT}); err == nil || strings.Contains(err.Error(), "make build") || !strings.Contains(err.Error(), "backend onnx") {
		t.Errorf("the advice is wrong, nothing builds it: %v", err)
	}
	if _, err := m.Find(Options{Name: "gpu"}); err == nil || err.Error() != `backend "gpu" is unknown; expected auto, onnx, sim or hailort` {
		t.Errorf("got %v", err)
	}
}

func TestPath(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	m := machine(t, nil, nil, "", ".", "bin", first, second)
	want := install(t, second, "onnx", 0o755)
	if got, err := m.Find(Options{Name: ONNX}); err != nil || got.Command.Path != want {
		t.Errorf("%+v, %v", got, err)
	}
	install(t, first, "onnx", 0o644) // not executable
	if got, err := m.Find(Options{Name: ONNX}); err != nil || got.Command.Path != want {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.Mkdir(filepath.Join(first, "hailo-worker-sim"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Find(Options{Name: Sim}); err == nil {
		t.Errorf("a folder is no program: %+v", got)
	}
	if err := os.Symlink(want, filepath.Join(filepath.Dir(m.Program), "hailo-worker-onnx")); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Find(Options{Name: ONNX}); err != nil || filepath.Dir(got.Command.Path) != filepath.Dir(m.Program) {
		t.Errorf("the one beside the program comes first: %+v, %v", got, err)
	}
}

// TestTheCurrentFolderIsNotSearched: a relative entry of PATH would run
// whatever lies in the folder that the program was started in.
func TestTheCurrentFolderIsNotSearched(t *testing.T) {
	here := t.TempDir()
	install(t, here, "onnx", 0o755)
	if err := os.Mkdir(filepath.Join(here, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	install(t, filepath.Join(here, "bin"), "onnx", 0o755)
	t.Chdir(here)
	for _, path := range []string{".", "", "bin", "./bin", ":" + here + "/nothing"} {
		if got, err := machine(t, nil, nil, path).Find(Options{Name: ONNX}); err == nil {
			t.Errorf("PATH=%q: runs %s", path, got.Command.Path)
		}
	}
}

func TestArguments(t *testing.T) {
	m := machine(t, []string{"hailo0"}, []string{"onnx", "sim", "hailort"})
	for _, c := range []struct {
		options Options
		want    []string
	}{
		{Options{Name: ONNX}, []string{"--threads", "0", "--memory-mb", "0"}},
		{Options{Name: ONNX, Threads: 2, MemoryMB: 100, Spin: true}, []string{"--threads", "2", "--memory-mb", "100", "--spin"}},
		{Options{Name: Sim, Threads: 2}, nil},
		{Options{Name: Auto, Threads: 2}, nil},
	} {
		if got, err := m.Find(c.options); err != nil || !slices.Equal(got.Command.Args, c.want) {
			t.Errorf("%+v: %q, %v", c.options, got.Command.Args, err)
		}
	}
}

func TestDeviceNode(t *testing.T) {
	for _, c := range []struct {
		nodes []string
		want  string
	}{
		{nil, ""}, {[]string{"hailo0"}, "/dev/hailo0"}, {[]string{"hailo1", "hailo0"}, "/dev/hailo0"}, {[]string{"h1x-0"}, "/dev/h1x-0"},
		{[]string{"h1x-0", "hailo0"}, "/dev/hailo0"}, {[]string{"hailo", "hailo_ctl", "h1x-ctl", "xhailo0"}, ""},
	} {
		if got := machine(t, c.nodes, nil).DeviceNode(); got != c.want {
			t.Errorf("%q: %q, want %q", c.nodes, got, c.want)
		}
	}
}

func TestThisMachine(t *testing.T) {
	m, err := ThisMachine(func(name string) string { return name + "!" })
	if err != nil || m.Path != "PATH!" || !filepath.IsAbs(m.Program) {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := fs.Stat(m.Dev, "null"); err != nil {
		t.Errorf("/dev is not there: %v", err)
	}
}

// Below a root folder, the package's folder is found as well as the program's.
func TestRoot(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"usr/bin", "usr/lib/hailo", "opt/bin"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m := Machine{Root: root, Program: "/usr/bin/hailo-device-manager", Dev: fstest.MapFS{}, Path: "/opt/bin"}
	for _, dir := range []string{"opt/bin", "usr/lib/hailo", "usr/bin"} {
		want := install(t, filepath.Join(root, dir), "sim", 0o755)
		if got, err := m.Find(Options{Name: Sim}); err != nil || got.Command.Path != want {
			t.Errorf("%+v, %v; want %s", got, err, want)
		}
	}
}
