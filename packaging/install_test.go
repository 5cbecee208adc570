package packaging

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// build is a folder with small files in the place of what is built.
type build struct{ bin, lib, models string }

func newBuild(t *testing.T, programs ...string) build {
	t.Helper()
	dir := t.TempDir()
	b := build{filepath.Join(dir, "bin"), filepath.Join(dir, "lib"), filepath.Join(dir, "models with a space")}
	for _, program := range programs {
		write(t, filepath.Join(b.bin, program), "#!/bin/sh\necho "+program+"\n", 0o755)
	}
	write(t, filepath.Join(b.lib, "libonnxruntime.so.1"), "a library\n", 0o600)
	write(t, filepath.Join(b.models, "pocketdepth.onnx"), "a network\n", 0o600)
	write(t, filepath.Join(b.models, "pocketdepth.yaml"), "name: pocketdepth\n", 0o644)
	write(t, filepath.Join(b.models, "my model.yaml"), "name: my model\n", 0o644)
	write(t, filepath.Join(b.models, "models.go"), "package models\n", 0o644)
	return b
}

var programs = []string{"hailo-device-manager", "hailo-depth", "hailo-worker-onnx", "hailo-worker-sim"}

// script runs install.sh and returns all that it printed.
func (b build) script(command, root string, more ...string) (string, error) {
	args := append([]string{"./install.sh", command, "--prefix-root", root, "--bin-dir", b.bin, "--lib-dir", b.lib, "--models-dir", b.models}, more...)
	output, err := exec.Command("sh", args...).CombinedOutput()
	return string(output), err
}

func (b build) must(t *testing.T, command, root string, more ...string) string {
	t.Helper()
	output, err := b.script(command, root, more...)
	if err != nil {
		t.Fatalf("install.sh %s: %v\n%s", command, err, output)
	}
	return output
}

// tree lists the files of a folder with their modes, and a folder's if it is
// not 0755. contents adds what is in them.
func tree(t *testing.T, root string, contents bool) []string {
	t.Helper()
	all := []string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, root)
		switch {
		case d.IsDir() && info.Mode().Perm() != 0o755 && path != root:
			all = append(all, fmt.Sprintf("%04o %s/", info.Mode().Perm(), name))
		case !d.IsDir():
			line := fmt.Sprintf("%04o %s", info.Mode().Perm(), name)
			if contents {
				content, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				line += fmt.Sprintf(" %x", sha256.Sum256(content))
			}
			all = append(all, line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

var settingsFiles = []string{"0644 /etc/hailo/hailo-depth.yaml", "0644 /etc/hailo/hailo-device-manager.yaml"}

func TestInstall(t *testing.T) {
	b, root := newBuild(t, programs...), filepath.Join(t.TempDir(), "a root")
	b.must(t, "install", root)
	same(t, tree(t, root, false), append([]string{
		"0755 /usr/bin/hailo-depth",
		"0755 /usr/bin/hailo-device-manager",
		"0755 /usr/lib/hailo/hailo-worker-onnx",
		"0755 /usr/lib/hailo/hailo-worker-sim",
		"0644 /usr/lib/hailo/installed-files",
		"0644 /usr/lib/hailo/libonnxruntime.so.1",
		"0644 /usr/lib/systemd/system/hailo-depth.service",
		"0644 /usr/lib/systemd/system/hailo-device-manager.service",
		"0644 /usr/lib/sysusers.d/hailo.conf",
		"0644 /usr/lib/udev/rules.d/99-hailo-device-manager.rules",
		"0644 /usr/share/bash-completion/completions/hailo-depth",
		"0644 /usr/share/bash-completion/completions/hailo-device-manager",
		"0644 /usr/share/doc/hailo/README.md",
		"0644 /usr/share/doc/hailo/hailo-depth.yaml",
		"0644 /usr/share/doc/hailo/hailo-device-manager.yaml",
		"0644 /usr/share/hailo/models/my model.yaml",
		"0644 /usr/share/hailo/models/pocketdepth.onnx",
		"0644 /usr/share/hailo/models/pocketdepth.yaml",
		"0644 /usr/share/man/man8/hailo-depth.8",
		"0644 /usr/share/man/man8/hailo-device-manager.8",
	}, settingsFiles...))
	b.must(t, "verify", root)

	first := tree(t, root, true)
	b.must(t, "install", root)
	same(t, tree(t, root, true), first)

	b.must(t, "uninstall", root)
	same(t, tree(t, root, false), slices.Clone(settingsFiles))
	b.must(t, "uninstall", root, "--purge")
	if _, err := os.Stat(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("uninstall --purge leaves %v, %v", tree(t, root, false), err)
	}
}

// An upgrade brings new files, takes those away that are no more, and leaves
// alone what is not its own.
func TestUpgrade(t *testing.T) {
	root := t.TempDir()
	newBuild(t, programs...).must(t, "install", root)
	mine := map[string]string{
		"etc/hailo/hailo-depth.yaml":                      "server:\n  port: 8080\n",
		"usr/share/hailo/models/mine.hef":                 "my network\n",
		"etc/systemd/system/hailo-depth.service.d/a.conf": "[Service]\n",
	}
	for name, content := range mine {
		write(t, filepath.Join(root, name), content, 0o644)
	}
	b := newBuild(t, "hailo-device-manager", "hailo-depth", "hailo-worker-hailort")
	write(t, filepath.Join(b.bin, "hailo-depth"), "#!/bin/sh\necho a newer one\n", 0o755)
	if err := os.Remove(filepath.Join(b.models, "my model.yaml")); err != nil {
		t.Fatal(err)
	}
	b.must(t, "install", root)
	if got := read(t, filepath.Join(root, "usr/bin/hailo-depth")); !strings.Contains(got, "newer") {
		t.Error("the program was not replaced")
	}
	if _, err := os.Stat(filepath.Join(root, "usr/lib/hailo/hailo-worker-hailort")); err != nil {
		t.Error(err)
	}
	for _, gone := range []string{"usr/lib/hailo/hailo-worker-sim", "usr/lib/hailo/hailo-worker-onnx", "usr/lib/hailo/libonnxruntime.so.1", "usr/share/hailo/models/my model.yaml"} {
		if _, err := os.Stat(filepath.Join(root, gone)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", gone, err)
		}
	}
	b.must(t, "uninstall", root)
	for name, content := range mine {
		if got := read(t, filepath.Join(root, name)); got != content {
			t.Errorf("%s was changed to %q", name, got)
		}
	}
}

// The earlier service's settings would be hidden by ours.
func TestInstallKeepsEarlierSettings(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "etc/xdg/hailo-depth/hailo-depth.json"), "{}\n", 0o644)
	newBuild(t, programs...).must(t, "install", root)
	if _, err := os.Stat(filepath.Join(root, "etc/hailo/hailo-depth.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("hailo-depth.yaml was installed over the earlier hailo-depth.json: %v", err)
	}
}

func TestResourceLimits(t *testing.T) {
	const dropin = "etc/systemd/system/hailo-depth.service.d/50-resource-limits.conf"
	b, root := newBuild(t, programs...), t.TempDir()
	settings := filepath.Join(root, "etc/hailo/hailo-depth.yaml")
	path := filepath.Join(root, dropin)
	for _, c := range []struct{ limits, want string }{
		{"  memory_max: 3G # of 8\n  cpu_quota: \"200%\"\n", "MemoryMax=3G\nMemoryHigh=infinity\nEnvironment=GOMEMLIMIT=2147483648B\nCPUQuota=200%\n"},
		{"  memory_max: '50%'\n", "MemoryMax=50%\nMemoryHigh=infinity\n"},
		{"  cpu_quota: 50%\n", "CPUQuota=50%\n"},
		{"  memory_max: null\n  cpu_quota: null\n", ""},
	} {
		write(t, settings, "server:\n  # memory_max: 9G\n  port: 1\nresource_limits:\n"+c.limits+"log:\n  level: info\n", 0o644)
		b.must(t, "install", root)
		content, err := os.ReadFile(path)
		_, got, _ := bytes.Cut(content, []byte("[Service]\n"))
		if string(got) != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%q makes %q, %v; want %q", c.limits, got, err, c.want)
		}
	}
	write(t, settings, "resource_limits:\n  memory_max: 3G\n", 0o644)
	b.must(t, "install", root)
	b.must(t, "uninstall", root, "--purge")
	if left := tree(t, root, false); len(left) > 0 {
		t.Errorf("uninstall --purge leaves %v", left)
	}
	write(t, settings, "resource_limits:\n  memory_max: plenty\n", 0o644)
	if output, err := b.script("install", root); err == nil || !strings.Contains(output, "plenty") {
		t.Errorf("memory_max: plenty: %v\n%s", err, output)
	}
	same(t, tree(t, root, false), []string{"0644 /etc/hailo/hailo-depth.yaml"})
}

// Every refusal says what is wrong and, on a second line, what to do.
func TestInstallRefuses(t *testing.T) {
	whole := newBuild(t, programs...)
	noLibrary := newBuild(t, programs...)
	if err := os.Remove(filepath.Join(noLibrary.lib, "libonnxruntime.so.1")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		build        build
		command      string
		args         []string
		wrong, right string
	}{
		{"not built", newBuild(t), "install", nil, "hailo-device-manager is missing", "make build"},
		{"no worker", newBuild(t, "hailo-device-manager", "hailo-depth", "hailo-worker-sim"), "install", nil, "neither", "make build"},
		{"no library", noLibrary, "install", nil, "libonnxruntime.so.1 is missing", "make onnxruntime"},
		{"no models", whole, "install", []string{"--models-dir", t.TempDir()}, "no models", "--models-dir"},
		{"option", whole, "install", []string{"--fast"}, "--fast", "--help"},
		{"no value", whole, "install", []string{"--bin-dir"}, "--bin-dir", "--help"},
		{"command", whole, "upgrade", nil, "upgrade", "--help"},
		{"the machine's root", whole, "install", []string{"--prefix-root", "/"}, "this machine", "leave the option out"},
		{"nothing to verify", whole, "verify", nil, "FAIL", "install.sh install"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			output, err := c.build.script(c.command, root, c.args...)
			if err == nil {
				t.Errorf("it succeeds:\n%s", output)
			}
			if !strings.Contains(output, c.wrong) || !strings.Contains(output, c.right) {
				t.Errorf("no %q and %q in:\n%s", c.wrong, c.right, output)
			}
			if left := tree(t, root, false); len(left) > 0 {
				t.Errorf("it leaves %v", left)
			}
		})
	}
}

func TestVerifySeesLosses(t *testing.T) {
	b, root := newBuild(t, programs...), t.TempDir()
	b.must(t, "install", root)
	if err := os.Remove(filepath.Join(root, "usr/lib/hailo/hailo-worker-onnx")); err != nil {
		t.Fatal(err)
	}
	output, err := b.script("verify", root)
	if err == nil || !strings.Contains(output, "missing: /usr/lib/hailo/hailo-worker-onnx") {
		t.Errorf("verify without the worker: %v\n%s", err, output)
	}
}

// A list that was tampered with must not make uninstall remove other files.
func TestUninstallStaysWithItsOwn(t *testing.T) {
	for _, path := range []string{"/etc/passwd", "/usr/lib/hailo/../../../etc/passwd", "/home/pi/picture.jpg"} {
		b, root := newBuild(t, programs...), t.TempDir()
		b.must(t, "install", root)
		write(t, filepath.Join(root, path), "precious\n", 0o644)
		write(t, filepath.Join(root, "usr/lib/hailo/installed-files"), path+"\n", 0o644)
		if output, err := b.script("uninstall", root); err == nil {
			t.Errorf("uninstall takes %s:\n%s", path, output)
		}
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			t.Errorf("%s is gone: %v", path, err)
		}
	}
}

func TestInstallScript(t *testing.T) {
	if output, err := exec.Command("sh", "-n", "install.sh").CombinedOutput(); err != nil {
		t.Errorf("sh -n: %v\n%s", err, output)
	}
	output, err := exec.Command("sh", "install.sh", "--help").CombinedOutput()
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{"install", "uninstall", "verify", "--no-start", "--purge", "--prefix-root", "--bin-dir", "--lib-dir", "--models-dir"} {
		if !strings.Contains(string(output), want) {
			t.Errorf("--help does not name %s", want)
		}
	}
}

// All scripts of the repository, for this folder has the longest.
func TestShellcheck(t *testing.T) {
	scripts, err := filepath.Glob("../scripts/*.sh")
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	scripts = append(scripts, "install.sh", "completion/hailo-device-manager", "completion/hailo-depth", "../.ci/run")
	if output, err := exec.Command("shellcheck", scripts...).CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %v (apt install shellcheck)\n%s", err, output)
	}
}
