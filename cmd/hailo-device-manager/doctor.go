package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/backend"
	"hailo-depth/config"
	"hailo-depth/doctor"
)

// serviceUser is whom packaging/sysusers.d makes for the manager.
const serviceUser = "hailo-device-mgr"

// managerPatience is how long the doctor waits for the manager's answer, which
// a device at work does not delay.
const managerPatience = 5 * time.Second

const doctorHelp = `Looks at this machine and says, line by line, what is ok and what to do:
settings, chip, driver, library, workers, device node, users, the manager's
socket, model files, kernel. It changes nothing and opens no device. Run it as
root to see all.

Usage: hailo-device-manager doctor [--json]

The exit code is 0 when everything needed is ok, else 1. A machine without an
accelerator is ok: the CPU is used.

Example:
  sudo hailo-device-manager doctor
  hailo-device-manager doctor --json | jq '.findings[] | select(.status == "fix")'
`

func doctorCommand(ctx context.Context, p program, args []string) error {
	o := newOptions("doctor")
	if _, err := o.parse(p, args, doctorHelp, 0, 0); err != nil {
		return unlessHelp(err)
	}
	look, err := lookAt(p, o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, managerPatience)
	defer cancel()
	report := doctor.Examine(ctx, look)
	if *o.json {
		err = p.printJSON(report, jsontext.WithIndent("  "))
	} else {
		err = report.Print(p.stdout, p.colour())
	}
	if err == nil && !report.OK {
		err = errors.New(report.Verdict())
	}
	return err
}

func unlessHelp(err error) error {
	if errors.Is(err, errHelp) {
		return nil
	}
	return err
}

// lookAt says what to look at on this machine. A configuration that cannot be
// used is among what is found.
func lookAt(p program, o *options) (doctor.Options, error) {
	program, err := os.Executable()
	if err != nil {
		return doctor.Options{}, err
	}
	c, source, err := o.load(p)
	settings := []doctor.Setting{{File: source, Check: "hailo-device-manager --check-config", Err: err}}
	if *o.file != "" {
		settings[0].Check += " --config " + *o.file
	}
	if err != nil { // what was read until then may be anything
		c.Backend, c.Models = config.DefaultManager().Backend, nil
	}
	d := config.DefaultDepth()
	source, err = config.LoadDepth("", p.getenv, &d)
	if err == nil {
		err = d.Validate(source)
	}
	settings = append(settings, doctor.Setting{File: source, Check: "hailo-depth serve --check-config", Err: err})
	if err != nil {
		d = config.DefaultDepth()
	}
	if c.Socket, err = filepath.Abs(c.Socket); err != nil {
		return doctor.Options{}, err
	}
	api := c.APISocketPath()
	if api != "" {
		if api, err = filepath.Abs(api); err != nil {
			return doctor.Options{}, err
		}
	}
	if d.Resources.ModelDir, err = filepath.Abs(d.Resources.ModelDir); err != nil {
		return doctor.Options{}, err
	}
	return doctor.Options{
		Root: "/", User: whoAsks(), ServiceUser: serviceUser, Program: program, Backend: c.Backend, Shared: c.GroupID != "",
		Socket: c.Socket, APISocket: api, Settings: settings, ModelDir: d.Resources.ModelDir, Model: d.Model.Name, ModelFiles: modelFiles(c.Models),
		PageSize: os.Getpagesize(), Getenv: p.getenv,
	}, nil
}

// explain says why the accelerator cannot be opened, as far as the machine tells;
// nil for what is no accelerator.
func explain(name string, c config.Manager, machine backend.Machine, getenv func(string) string) func() string {
	if name != backend.HailoRT {
		return nil
	}
	return func() string {
		return doctor.Device(doctor.Options{
			Root: "/", User: whoAsks(), ServiceUser: serviceUser, Program: machine.Program, Backend: name, Shared: c.GroupID != "", Getenv: getenv,
		}).Reason()
	}
}

// modelFiles are the files of the configured models. Of types with several
// networks the path is only a key, and the parameters name the files.
func modelFiles(models []config.Model) (files []string) {
	add := func(v any) {
		if path, ok := v.(string); ok && filepath.IsAbs(path) && !slices.Contains(files, path) {
			files = append(files, path)
		}
	}
	for _, m := range models {
		if m.Type != "clip" && m.Type != "ocr" {
			add(m.Path)
		}
		for _, key := range []string{"image_hef_path", "text_hef_path", "detection_hef_path"} {
			add(m.Params[key])
		}
		if byLanguage, ok := m.Params["recognition_hefs"].(map[string]any); ok {
			for _, language := range slices.Sorted(maps.Keys(byLanguage)) {
				add(byLanguage[language])
			}
		}
	}
	return files
}

// whoAsks is the user of this process with the groups that it has.
func whoAsks() doctor.User {
	u := doctor.User{Name: strconv.Itoa(os.Geteuid()), UID: uint32(os.Geteuid()), Groups: []uint32{uint32(os.Getegid())}}
	if known, err := user.LookupId(u.Name); err == nil {
		u.Name = known.Username
	}
	groups, err := os.Getgroups()
	if err != nil {
		return u // the process's own group is known in any case
	}
	for _, g := range groups {
		u.Groups = append(u.Groups, uint32(g))
	}
	return u
}
