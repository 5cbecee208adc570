// Package packaging has no code: its tests check the files that are installed.
package packaging

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/manager"
)

const (
	managerUnit = "hailo-device-manager.service"
	depthUnit   = "hailo-depth.service"
)

var units = []string{managerUnit, depthUnit}

// systemd runs one of systemd's tools and returns all that it printed.
func systemd(t *testing.T, tool string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Fatalf("%s is missing; it checks the files of this folder: apt install systemd", tool)
	}
	command := exec.Command(path, args...)
	command.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=")
	output, err := command.CombinedOutput()
	return string(output), err
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// setting is one line of a unit, Key=value.
type setting struct{ section, key, value string }

var settingLine = regexp.MustCompile(`^([A-Z][A-Za-z]*)=(.*)$`)

// parse reads a unit. It fails the test at lines that are neither blank, nor
// comments, nor sections, nor settings, and at settings without a reason: a
// comment directly above.
func parse(t *testing.T, file string) []setting {
	t.Helper()
	const leastReason = 25 // letters; the shortest is "Starts with the machine."
	var settings []setting
	section, reason := "", ""
	for i, line := range strings.Split(read(t, file), "\n") {
		match := settingLine.FindStringSubmatch(line)
		switch {
		case strings.HasPrefix(line, "# "):
			reason += line
			continue
		case match != nil:
			if len(reason) < leastReason {
				t.Errorf("%s:%d: %s has no reason: no comment directly above", file, i+1, line)
			}
			settings = append(settings, setting{section, match[1], match[2]})
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]")
		case line != "":
			t.Errorf("%s:%d: %q is neither a setting nor a comment", file, i+1, line)
		}
		reason = ""
	}
	return settings
}

// values are those of a key, in the order of the file.
func values(settings []setting, key string) []string {
	var all []string
	for _, s := range settings {
		if s.key == key {
			all = append(all, s.value)
		}
	}
	return all
}

func value(t *testing.T, settings []setting, key string) string {
	t.Helper()
	all := values(settings, key)
	if len(all) != 1 {
		t.Fatalf("%s is set %d times; want once", key, len(all))
	}
	return all[0]
}

func TestUnitsStateTheirReasons(t *testing.T) {
	for _, unit := range units {
		if n := len(parse(t, unit)); n < 30 {
			t.Errorf("%s has %d settings; that cannot be all", unit, n)
		}
	}
}

// The copies start a program that exists: systemd-analyze looks for it.
func TestUnitsVerify(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	write(t, program, "#!/bin/sh\n", 0o755)
	execStart := regexp.MustCompile(`(?m)^ExecStart=\S+`)
	args := []string{"verify", "--man=no", "--recursive-errors=no"}
	for _, unit := range units {
		copied := filepath.Join(dir, unit)
		write(t, copied, execStart.ReplaceAllLiteralString(read(t, unit), "ExecStart="+program), 0o644)
		args = append(args, copied)
	}
	output, err := systemd(t, "systemd-analyze", args...)
	if err != nil || output != "" {
		t.Errorf("systemd-analyze verify: %v\n%s", err, output)
	}
	// It must see mistakes, or its silence says nothing.
	wrong := filepath.Join(dir, "wrong.service")
	write(t, wrong, "[Service]\nExecStart="+program+"\nProtectHom=yes\n", 0o644)
	if output, _ := systemd(t, "systemd-analyze", "verify", "--man=no", "--recursive-errors=no", wrong); !strings.Contains(output, "ProtectHom") {
		t.Errorf("systemd-analyze verify does not see a misspelt setting: %q", output)
	}
}

// The scores are those of `systemd-analyze security`: 0 is best, 10 worst.
func TestUnitsAreConfined(t *testing.T) {
	bounds := map[string]float64{managerUnit: 1.6, depthUnit: 1.2}
	overall := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)
	for _, unit := range units {
		path, err := filepath.Abs(unit)
		if err != nil {
			t.Fatal(err)
		}
		output, err := systemd(t, "systemd-analyze", "security", "--offline=true", "--no-pager", path)
		match := overall.FindStringSubmatch(output)
		if err != nil || match == nil {
			t.Errorf("systemd-analyze security %s: %v (systemd 250 and later have --offline)\n%s", unit, err, output)
			continue
		}
		score, err := strconv.ParseFloat(match[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: exposure %.1f", unit, score)
		if score > bounds[unit] {
			t.Errorf("%s: exposure %.1f is above %.1f\n%s", unit, score, bounds[unit], output)
		}
	}
}

// What a unit says must fit the programs that it runs and the other files.
func TestUnitsFitThePrograms(t *testing.T) {
	ours, depth := parse(t, managerUnit), parse(t, depthUnit)
	for _, settings := range [][]setting{ours, depth} {
		if got := value(t, settings, "Type"); got != "notify" {
			t.Errorf("Type=%s; the daemons notify", got)
		}
		if got := value(t, settings, "RestartPreventExitStatus"); got != "2" {
			t.Errorf("RestartPreventExitStatus=%s; the daemons end with 2 when the configuration is wrong", got)
		}
		if !slices.Contains(values(settings, "Environment"), "GOTRACEBACK=crash") {
			t.Error("without GOTRACEBACK=crash a panic ends with 2 as well, and is not restarted")
		}
		if got := value(t, settings, "ProtectSystem"); got != "strict" {
			t.Errorf("ProtectSystem=%s", got)
		}
	}

	const backstop = 5 * time.Second // of both commands
	limits := manager.DefaultLimits()
	atLeast(t, ours, "TimeoutStopSec", limits.DrainTimeout+limits.CloseTimeout+backstop)
	atLeast(t, depth, "TimeoutStopSec", 10*time.Second+backstop)

	if got := "/run/" + value(t, ours, "RuntimeDirectory"); got != filepath.Dir(device.DefaultSocket) {
		t.Errorf("the manager may write to %s, its socket is %s", got, device.DefaultSocket)
	}
	if got, want := value(t, depth, "ExecStart"), "/usr/bin/hailo-depth serve --socket "+device.DefaultSocket; got != want {
		t.Errorf("ExecStart=%s; want %s", got, want)
	}
	if got := value(t, ours, "KillMode"); got != "mixed" {
		t.Errorf("KillMode=%s would take the worker from requests under way", got)
	}
	group := value(t, ours, "Group")
	if got := value(t, depth, "SupplementaryGroups"); got != group {
		t.Errorf("hailo-depth is in the group %s; the socket belongs to %s", got, group)
	}
	if !slices.Contains(values(ours, "Environment"), "HAILO_DEVICE_SOCKET_GROUP="+group) {
		t.Errorf("the socket's group is not set to %s", group)
	}
	if !strings.Contains(value(t, depth, "Wants")+" ", managerUnit+" ") || len(values(depth, "Requires")) > 0 {
		t.Error("hailo-depth wants the manager and does not require it")
	}
	if got := values(ours, "DeviceAllow"); !slices.Equal(got, []string{"char-hailo* rw", "char-h1x* rw"}) {
		t.Errorf("DeviceAllow=%q", got)
	}
	if !slices.Contains(values(ours, "Environment"), "HAILORT_LOGGER_PATH=NONE") {
		t.Error("HailoRT would write log files")
	}
	users := read(t, "sysusers.d/hailo.conf")
	for _, settings := range [][]setting{ours, depth} {
		user := value(t, settings, "User")
		if user != value(t, settings, "Group") || !strings.Contains(users, "\nu "+user+" ") {
			t.Errorf("sysusers.d/hailo.conf does not make %s with a group of its own", user)
		}
	}
	if home := "/var/lib/" + value(t, ours, "StateDirectory"); !strings.Contains(users, home) || home != value(t, ours, "WorkingDirectory") {
		t.Errorf("%s is not both home and working folder", home)
	}
}

// atLeast compares a setting such as 30s or 10min.
func atLeast(t *testing.T, settings []setting, key string, least time.Duration) {
	t.Helper()
	text := value(t, settings, key)
	got, err := time.ParseDuration(strings.Replace(text, "min", "m", 1))
	if err != nil {
		t.Fatal(err)
	}
	if got <= least {
		t.Errorf("%s=%s; want more than %v", key, text, least)
	}
}

func TestSysusers(t *testing.T) {
	path, err := filepath.Abs("sysusers.d/hailo.conf")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	// On paper only: that asks for no rights.
	output, err := systemd(t, "systemd-sysusers", "--root="+root, "--dry-run", path)
	if err != nil {
		t.Fatalf("systemd-sysusers: %v\n%s", err, output)
	}
	for _, want := range []string{"Creating user 'hailo-device-mgr'", "Creating user 'hailo-depth'", "Creating group 'hailo-device-mgr'"} {
		if !strings.Contains(output, want) {
			t.Errorf("no %q in:\n%s", want, output)
		}
	}
	for _, complaint := range []string{"Unknown", "Failed", "ignoring", "Invalid"} {
		if strings.Contains(output, complaint) {
			t.Errorf("systemd-sysusers complains:\n%s", output)
		}
	}
	if !strings.Contains(read(t, path), "\nm hailo-depth hailo-device-mgr\n") {
		t.Error("hailo-depth is not put into the group of the socket")
	}
}

func TestUdevRules(t *testing.T) {
	const file = "udev/99-hailo-device-manager.rules"
	part := regexp.MustCompile(`^[A-Z]+(\{[a-z]+\})?(==|!=|=|\+=|:=)"[^"]*"$`)
	labels, jumps := map[string]bool{}, map[string]bool{}
	rules := ""
	for i, line := range strings.Split(read(t, file), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		rules += line + "\n"
		for _, p := range strings.Split(line, ", ") {
			if !part.MatchString(p) {
				t.Errorf("%s:%d: %q is not KEY==\"value\" or the like", file, i+1, p)
			}
			key, name, _ := strings.Cut(p, "=")
			switch key {
			case "LABEL":
				labels[name] = true
			case "GOTO":
				jumps[name] = true
			}
		}
	}
	if len(labels) != 1 || !maps.Equal(labels, jumps) {
		t.Errorf("labels %v, jumps to %v", labels, jumps)
	}
	for _, want := range []string{"hailo_chardev|hailo1x", `GROUP="hailo-device-mgr"`, `MODE="0660"`, "try-restart " + managerUnit} {
		if !strings.Contains(rules, want) {
			t.Errorf("no %s in the rules", want)
		}
	}
	// udevadm can verify rules since systemd 254.
	udevadm, err := exec.LookPath("udevadm")
	if err != nil || exec.Command(udevadm, "verify", "--version").Run() != nil {
		t.Log("this machine has no udevadm verify; the syntax was checked by this test alone")
		return
	}
	if output, err := systemd(t, udevadm, "verify", "--resolve-names=never", file); err != nil {
		t.Errorf("udevadm verify: %v\n%s", err, output)
	}
}
