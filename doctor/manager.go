package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"hailo-depth/device"
)

const groupManager = "manager"

// managerUnit is the manager as a service of systemd.
const managerUnit = "hailo-device-manager"

// manager asks the manager how it is.
func (e *exam) manager(ctx context.Context) {
	start := "sudo systemctl start " + managerUnit + " && journalctl -u " + managerUnit + " -n 30"
	if e.service == nil {
		start = "start it: hailo-device-manager --socket " + e.Socket
	}
	info, err := os.Stat(e.at(e.Socket))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.fix(groupManager, "socket", start, "%s is not there: no manager runs", e.Socket)
		return
	case err != nil:
		e.fix(groupManager, "socket", "sudo hailo-device-manager doctor", "%s cannot be looked at: %v", e.Socket, errors.Unwrap(err))
		return
	case info.Mode()&fs.ModeSocket == 0:
		e.fix(groupManager, "socket", "remove it, or set another `socket:` in "+managerFile, "%s is no socket", e.Socket)
		return
	}
	o, err := e.stat(e.Socket)
	if err != nil {
		return // it has just gone
	}
	if at := e.blocked(e.User, e.Socket, read|write); at != "" {
		group := e.nameOf("/etc/group", o.gid)
		e.hint(groupManager, "socket", "sudo hailo-device-manager doctor, or sudo usermod -aG "+group+" "+e.User.Name+" and log in again",
			"%s is %s: %s may not use it", e.Socket, e.describe(o), e.User.Name)
		return
	}
	e.ok(groupManager, "socket", "%s, %s", e.Socket, e.describe(o))

	client := &device.Client{Path: e.at(e.Socket)}
	s, err := client.Status(ctx)
	_ = client.Close() // it has answered, or has not
	switch {
	case err != nil:
		do := "sudo systemctl restart " + managerUnit + " && journalctl -u " + managerUnit + " -n 30"
		if e.service == nil {
			do = start
		}
		e.fix(groupManager, "answers", do, "%v", err)
	case s.RuntimeBroken != "":
		e.fix(groupManager, "device", "see what is to fix above; else: journalctl -u "+managerUnit+" -n 30", "the manager cannot use it: %s", s.RuntimeBroken)
	default:
		e.ok(groupManager, "answers", "%s, %d model(s) loaded, %d waiting", described(s), len(s.Models), s.QueueDepth)
	}
}

// described names the manager's device.
func described(s device.Status) string {
	switch {
	case s.Architecture == "":
		return "no device opened yet"
	case s.Firmware != "":
		return s.Architecture + ", firmware " + s.Firmware
	}
	return s.Architecture
}
