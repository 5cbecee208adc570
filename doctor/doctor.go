// Package doctor looks at a machine as somebody would who wants to know why the
// accelerator does not work, and says for everything it looked at that it is
// ok, or what to do. It reads files below one root folder and asks the manager
// on its socket; it changes nothing and opens no device.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"hailo-depth/backend"
)

// Status is what a finding means.
type Status string

// The statuses.
const (
	OK   Status = "ok"
	Hint Status = "hint" // it works, or is not needed; it could be better, or could not be seen
	Fix  Status = "fix"  // it does not work before this is done
)

// Finding is what there is to say of one thing.
type Finding struct {
	Group  string `json:"group"` // accelerator, driver, access, ...
	Check  string `json:"check"` // what was looked at
	Status Status `json:"status"`
	Text   string `json:"text"`        // what was found, one line
	Do     string `json:"do,omitzero"` // the command, or the action, that helps; empty when ok
}

// Report is what there is to say of a machine.
type Report struct {
	OK       bool      `json:"ok"` // nothing is to be fixed
	Findings []Finding `json:"findings"`
}

// Setting is a configuration that was read before.
type Setting struct {
	File  string // where from; empty: there is no file, defaults are used
	Check string // the command that says more
	Err   error  // why it cannot be used; nil: it can
}

// Options say what to look at.
type Options struct {
	Root        string // below which everything is read: "/" on a real machine
	User        User   // who asks
	ServiceUser string // whom the manager runs as, where it is installed as a service
	Program     string // the manager's program, beside which workers lie
	Backend     string // as configured: auto, onnx, sim or hailort
	Shared      bool   // the device is shared with programs of the same group id
	Socket      string // of the manager; absolute, as all paths here
	APISocket   string // of its HTTP interface; empty: it is switched off
	Settings    []Setting
	ModelDir    string   // of hailo-depth
	Model       string   // of hailo-depth by name; empty: the default of the device
	ModelFiles  []string // further ones that are needed
	PageSize    int      // of the kernel, bytes; 0: unknown
	Getenv      func(string) string
}

// exam is the state of one examination: what was asked for, what is known so
// far, and what there is to say of it.
type exam struct {
	Options
	machine  backend.Machine
	findings []Finding

	chip    *chip    // the accelerator that is there; nil: none that we drive
	foreign bool     // there are others only
	wanted  bool     // the accelerator is to be used
	nodes   []string // "/dev/hailo0"
	driver  version  // of the kernel module that is loaded; zero: unknown
	library version  // that the worker will be given; zero: none
	service *User    // whom the manager runs as; nil: no service is installed
}

// check looks at one group of things.
type check func(*exam)

// deviceChecks are those that say whether the device can be used.
func deviceChecks() []check {
	return []check{(*exam).accelerator, (*exam).module, (*exam).libraries, (*exam).workers, (*exam).access}
}

// Device examines what the device needs: chip, driver, library, worker, access.
func Device(o Options) Report {
	return o.examine(deviceChecks())
}

// Examine looks at everything. The manager is given until ctx ends to answer.
func Examine(ctx context.Context, o Options) Report {
	checks := []check{(*exam).settings}
	checks = append(checks, deviceChecks()...)
	checks = append(checks, (*exam).members, func(e *exam) { e.manager(ctx) }, (*exam).models, (*exam).system)
	return o.examine(checks)
}

func (o Options) examine(checks []check) Report {
	e := &exam{Options: o}
	e.machine = backend.Machine{Root: o.Root, Program: o.Program, Dev: os.DirFS(e.at("/dev")), Path: o.Getenv("PATH")}
	e.service = e.userNamed(o.ServiceUser)
	for _, c := range checks {
		c(e)
	}
	r := Report{OK: true, Findings: e.findings}
	for _, f := range r.Findings {
		r.OK = r.OK && f.Status != Fix
	}
	return r
}

// Reason is the first thing to fix in one line, fit for a readiness reason;
// empty when there is none.
func (r Report) Reason() string {
	for _, f := range r.Findings {
		if f.Status == Fix {
			return fmt.Sprintf("%s: %s; %s", f.Check, f.Text, f.Do)
		}
	}
	return ""
}

// Count is how many findings have the status.
func (r Report) Count(s Status) int {
	n := 0
	for _, f := range r.Findings {
		if f.Status == s {
			n++
		}
	}
	return n
}

func (e *exam) ok(group, check, format string, args ...any) {
	e.add(Finding{Group: group, Check: check, Status: OK, Text: fmt.Sprintf(format, args...)})
}

func (e *exam) hint(group, check, do, format string, args ...any) {
	e.add(Finding{Group: group, Check: check, Status: Hint, Text: fmt.Sprintf(format, args...), Do: do})
}

func (e *exam) fix(group, check, do, format string, args ...any) {
	e.add(Finding{Group: group, Check: check, Status: Fix, Text: fmt.Sprintf(format, args...), Do: do})
}

// need is fix for what only the accelerator needs: a hint where it is not used.
func (e *exam) need(group, check, do, format string, args ...any) {
	if e.wanted {
		e.fix(group, check, do, format, args...)
		return
	}
	e.hint(group, check, do, format, args...)
}

func (e *exam) add(f Finding) {
	f.Text, f.Do = oneLine(f.Text), oneLine(f.Do)
	e.findings = append(e.findings, f)
}

// oneLine is text fit for a terminal: some of it comes from files and processes.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, strings.TrimSpace(text))
}

// at is a path of the machine below the root.
func (e *exam) at(path string) string { return filepath.Join(e.Root, path) }

// settings says whether the configurations can be used.
func (e *exam) settings() {
	const group = "settings"
	for _, s := range e.Settings {
		name := strings.Fields(s.Check)[0]
		switch {
		case errors.Is(s.Err, fs.ErrPermission):
			e.hint(group, name, "sudo hailo-device-manager doctor", "%s cannot be read by %s", s.File, e.User.Name)
		case s.Err != nil:
			e.fix(group, name, "correct it; this says whether it is right: "+s.Check, "%v", s.Err)
		case s.File == "":
			e.ok(group, name, "defaults; there is no file")
		default:
			e.ok(group, name, "%s", s.File)
		}
	}
}
