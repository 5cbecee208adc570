package holder

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// tree is a root folder with a /proc of its own.
type tree struct {
	t    *testing.T
	root string
}

func newTree(t *testing.T) tree {
	t.Helper()
	f := tree{t, t.TempDir()}
	f.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\npi:x:1000:1000::/home/pi:/bin/sh\n")
	f.file("proc/meminfo", "MemTotal: 1 kB\n")
	f.file("proc/self/comm", "not a number\n")
	return f
}

func (f tree) file(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// process makes one that has the targets open as descriptors 0, 1, 2, ...
func (f tree) process(pid int, cmdline, status string, targets ...string) {
	f.t.Helper()
	dir := "proc/" + strconv.Itoa(pid)
	f.file(dir+"/cmdline", cmdline)
	f.file(dir+"/comm", "kernelname\n")
	f.file(dir+"/status", status)
	f.file(dir+"/fd/.keep", "")
	for i, target := range targets {
		if err := os.Symlink(target, filepath.Join(f.root, dir, "fd", strconv.Itoa(i))); err != nil {
			f.t.Fatal(err)
		}
	}
}

func TestHolders(t *testing.T) {
	f := newTree(t)
	f.process(31, "/usr/bin/python3\x00detect.py\x00", "Name:\tpython3\nUid:\t1000\t1000\t1000\t1000\n", "/dev/null", "/dev/hailo0", "/dev/hailo0")
	f.process(7, "", "Uid:\t77\t77\t77\t77\n", "/dev/h1x-0")
	f.process(9, "two\x00", "Uid:\t0\t0\t0\t0\n", "/dev/h1x-1 (deleted)", "/dev/hailo12")
	f.process(10, "innocent", "", "/dev/hailortish", "/tmp/dev/hailo0", "socket:[12]", "/dev/h1x", "/dev/hailo", "/dev/shm/hailo0")
	f.process(11, "\x1b[31mred\x00"+strings.Repeat("a", 500), "nonsense", "/dev/hailo0")
	got, err := Holders(f.root)
	if err != nil {
		t.Fatal(err)
	}
	want := []Holder{
		{7, "kernelname", "user 77", "/dev/h1x-0"},
		{9, "two", "root", "/dev/h1x-1"},
		{9, "two", "root", "/dev/hailo12"},
		{11, "?[31mred " + strings.Repeat("a", 190) + "…", "an unknown user", "/dev/hailo0"},
		{31, "/usr/bin/python3 detect.py", "pi", "/dev/hailo0"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if text := got[4].String(); text != "/usr/bin/python3 detect.py (process 31 of pi, on /dev/hailo0)" {
		t.Errorf("%q", text)
	}
}

// TestProcessesOfOthers that may not be looked into are counted, not passed over.
func TestProcessesOfOthers(t *testing.T) {
	if os.Geteuid() == 0 {
		becomeNobody(t)
		return
	}
	f := newTree(t)
	f.process(5, "mine", "", "/dev/hailo0")
	f.process(6, "theirs", "", "/dev/hailo0")
	dir := filepath.Join(f.root, "proc/6/fd")
	if err := os.Chmod(dir, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	got, err := Holders(f.root)
	hidden, ok := errors.AsType[*HiddenError](err)
	if !ok || hidden.Processes != 1 || !strings.Contains(err.Error(), "processes (1)") {
		t.Errorf("%v", err)
	}
	if len(got) != 1 || got[0].Command != "mine" {
		t.Errorf("%q", got)
	}
}

func TestNoProc(t *testing.T) {
	if got, err := Holders(t.TempDir()); err == nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// TestThisMachine reads the real /proc, where processes come and go.
func TestThisMachine(t *testing.T) {
	got, err := Holders("/")
	if _, ok := errors.AsType[*HiddenError](err); err != nil && !ok {
		t.Fatal(err)
	}
	if len(got) > 0 && len(Nodes("/")) == 0 {
		t.Errorf("%q hold a device that there is not", got)
	}
}

func TestNodes(t *testing.T) {
	f := newTree(t)
	if got := Nodes(f.root); got != nil {
		t.Errorf("%q without a /dev", got)
	}
	for _, name := range []string{"hailo1", "h1x-0", "hailo0", "hailo", "hailortd", "h1x", "null"} {
		f.file("dev/"+name, "")
	}
	if got := Nodes(f.root); !slices.Equal(got, []string{"/dev/h1x-0", "/dev/hailo0", "/dev/hailo1"}) {
		t.Errorf("%q", got)
	}
}

// becomeNobody runs the test again as a user without rights, since root may
// look into everything.
func becomeNobody(t *testing.T) {
	t.Helper()
	nobody, err := os.MkdirTemp("", "holder")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(nobody) })
	if err := os.Chmod(nobody, 0o777); err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(nobody, "test")
	if err := os.WriteFile(copied, program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(copied, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = nobody, append(os.Environ(), "TMPDIR="+nobody)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
