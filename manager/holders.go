package manager

import (
	"os"
	"path/filepath"
	"strings"

	"hailo-depth/holder"
)

// whoHolds says who has the device, as far as this process may know, and the
// program of the first, for metrics. Other users' processes it may not look into,
// or, under systemd's ProtectProc, not even see.
func whoHolds(root string) (text, command string) {
	if len(holder.Nodes(root)) == 0 {
		return "there is no device: neither /dev/hailo* nor /dev/h1x-* exists", ""
	}
	found, _ := holder.Holders(root) // an error says that there may be more
	if len(found) == 0 {
		return "another program has the device, none that the manager may see; `sudo hailo-device-manager doctor` names it", "unseen"
	}
	var who []string
	for _, h := range found {
		who = append(who, h.String())
	}
	return "another program has the device: " + strings.Join(who, ", "), program(found[0].Command)
}

// program is a command without arguments and folder: one label, whatever it works on.
func program(command string) string {
	first, _, _ := strings.Cut(command, " ")
	return filepath.Base(first)
}

// driverVersion is the release of the kernel's driver, for a message about
// versions that do not fit; empty where no driver tells.
func driverVersion(root string) string {
	for _, module := range []string{"hailo1x_pci", "hailo_pci"} {
		text, err := os.ReadFile(filepath.Join(root, "sys/module", module, "version"))
		if version := strings.TrimSpace(string(text)); err == nil && version != "" {
			return "; the driver " + module + " is " + version
		}
	}
	return ""
}
