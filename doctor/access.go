package doctor

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"

	"hailo-depth/holder"
)

const groupAccess = "device node"

const udevRules = "/usr/lib/udev/rules.d/99-hailo-device-manager.rules"

// access looks at the device's node: who may open it, and who has.
func (e *exam) access() {
	if e.absent() {
		return
	}
	if len(e.nodes) == 0 {
		if e.driver.known() {
			e.need(groupAccess, "node", "sudo dmesg | grep -i hailo says why; then: sudo modprobe -r "+moduleName+" && sudo modprobe "+moduleName,
				"the driver made neither /dev/hailo0 nor /dev/h1x-0")
		} else {
			e.need(groupAccess, "node", "load the driver first, see above", "neither /dev/hailo0 nor /dev/h1x-0")
		}
		return
	}
	for _, node := range e.nodes {
		e.node(node)
	}
	e.holders(holder.Holders(e.Root))
}

func (e *exam) node(path string) {
	o, err := e.stat(path)
	if err != nil {
		e.need(groupAccess, path, "sudo ls -l "+path, "%v", errors.Unwrap(err))
		return
	}
	u := e.User
	if e.service != nil {
		u = *e.service
	}
	do := "sudo packaging/install.sh install brings the udev rule"
	if e.exists(udevRules) {
		do = "sudo udevadm control --reload && sudo udevadm trigger --action=change --settle --subsystem-match=hailo_chardev --subsystem-match=hailo1x"
	}
	switch {
	case !u.may(o, read|write):
		e.need(groupAccess, path, do, "%s: %s may not open it", e.describe(o), u.Name)
	case o.mode.Perm()&0o002 != 0:
		e.hint(groupAccess, path, do, "%s: every program may take the device from the manager", e.describe(o))
	default:
		e.ok(groupAccess, path, "%s, for %s", e.describe(o), u.Name)
	}
}

// holders says who has the device open. The manager's worker should, nobody
// else unless the device is shared.
func (e *exam) holders(all []holder.Holder, err error) {
	hidden, some := errors.AsType[*holder.HiddenError](err)
	if err != nil && !some {
		e.hint(groupAccess, "held by", "sudo hailo-device-manager doctor", "%v", err)
		return
	}
	ours := false
	for _, h := range all {
		program, _, _ := strings.Cut(h.Command, " ")
		switch {
		case filepath.Base(program) == "hailo-worker-hailort":
			ours = true
			e.ok(groupAccess, "held by", "%v", h)
		case e.Shared:
			e.ok(groupAccess, "held by", "%v, which shares the device", h)
		default:
			e.need(groupAccess, "held by", "stop that program (sudo systemctl stop its service, or kill "+strconv.Itoa(h.PID)+"), or give both the same group_id", "%v", h)
		}
	}
	if len(all) > 0 && (ours || hidden == nil) {
		return
	}
	if hidden != nil {
		e.hint(groupAccess, "held by", "sudo hailo-device-manager doctor", "%d processes of other users cannot be looked into", hidden.Processes)
		return
	}
	e.ok(groupAccess, "held by", "nobody")
}
