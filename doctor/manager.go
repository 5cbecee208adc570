package doctor

import (
	"context"
	"errors"
	"io/fs"

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
	if !e.socket("socket", e.Socket, start) {
		return
	}
	if e.APISocket != "" {
		e.socket("HTTP socket", e.APISocket, start)
	}

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

// socket reports whether the user may use the socket at path.
func (e *exam) socket(check, path, start string) bool {
	o, err := e.stat(path)
	at := e.blocked(e.User, path, read|write)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.fix(groupManager, check, start, "%s is not there: no manager runs", path)
	case err == nil && o.mode&fs.ModeSocket == 0:
		e.fix(groupManager, check, "remove it, or set another path in "+managerFile, "%s is no socket", path)
	case err == nil && at == "":
		e.ok(groupManager, check, "%s, %s", path, e.describe(o))
		return true
	case err == nil && at == path:
		group := e.nameOf("/etc/group", o.gid)
		e.hint(groupManager, check, "sudo hailo-device-manager doctor, or sudo usermod -aG "+group+" "+e.User.Name+" and log in again",
			"%s is %s: %s may not use it", path, e.describe(o), e.User.Name)
	default:
		e.hint(groupManager, check, "sudo hailo-device-manager doctor", "%s: %s may not look into %s", path, e.User.Name, at)
	}
	return false
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
