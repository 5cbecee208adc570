package doctor

import (
	"path/filepath"
	"strings"
)

const groupDriver = "driver and library"

// The kernel modules: the second drives Hailo-8 with its releases 4.x, and had
// the first one's part in 5.0.0.
const (
	moduleName    = "hailo1x_pci"
	oldModuleName = "hailo_pci"
)

// installDriver is the package of Raspberry Pi OS that brings driver, firmware
// and library of one release.
const installDriver = "sudo apt install hailo-h10-all && sudo reboot"

// module looks at the kernel's driver.
func (e *exam) module() {
	if e.absent() {
		return
	}
	name := moduleName
	switch {
	case e.exists("/sys/module/" + moduleName):
	case e.exists("/sys/module/" + oldModuleName):
		name = oldModuleName
	default:
		e.need(groupDriver, "module", e.moduleAdvice(), "%s is not loaded", moduleName)
		return
	}
	text := e.line("/sys/module/" + name + "/version")
	v, known := parseVersion(text)
	switch {
	case !known:
		e.need(groupDriver, "module", installDriver, "%s states no version (%q)", name, text)
		return
	case v.major < 5:
		e.need(groupDriver, "module", installDriver, "%s %v is loaded, which drives the Hailo-8 only", name, v)
		return
	case v.before(leastVersion):
		e.driver = v
		e.need(groupDriver, "module", installDriver, "%s %v is loaded; %v or newer is needed", name, v, leastVersion)
		return
	}
	e.driver = v
	e.ok(groupDriver, "module", "%s %v", name, v)
	if e.chip != nil && !e.exists(e.chip.dir+"/driver") {
		e.need(groupDriver, "bound", "sudo dmesg | grep -i hailo says why it was not taken; then: sudo modprobe -r "+name+" && sudo modprobe "+name,
			"%s is loaded but does not drive %s", name, filepath.Base(e.chip.dir))
	}
	if size := e.line("/sys/module/" + name + "/parameters/force_desc_page_size"); size != "" && size != "0" && size != "4096" && size != "2048" && size != "1024" {
		e.need(groupDriver, "page size", "remove force_desc_page_size from /etc/modprobe.d, then: sudo reboot",
			"the option force_desc_page_size is %s; the firmware takes at most 4096", size)
	}
}

// moduleAdvice says how to get the module, by what is on the disk.
func (e *exam) moduleAdvice() string {
	release := e.line("/proc/sys/kernel/osrelease")
	switch {
	case release != "" && strings.Contains(e.text("/lib/modules/"+filepath.Base(release)+"/modules.dep"), "/"+moduleName+".ko"):
		return "sudo modprobe " + moduleName
	case len(e.glob("/usr/src/"+moduleName+"-*")) > 0:
		return "the driver is installed but not built for this kernel: sudo apt install linux-headers-$(uname -r) && sudo dkms autoinstall && sudo modprobe " + moduleName
	}
	return installDriver
}

// match compares driver and library, which must be of the same release to the
// last number.
func (e *exam) match() {
	if !e.driver.known() || !e.library.known() {
		return
	}
	if e.driver == e.library {
		e.ok(groupDriver, "match", "driver %v, library %v", e.driver, e.library)
		return
	}
	do := "sudo apt install --reinstall h10-hailort h10-hailort-pcie-driver && sudo reboot"
	if e.exists("/usr/src/" + moduleName + "-" + e.library.String()) {
		do = "sudo reboot" // the new driver is there, the old one is still loaded
	}
	e.need(groupDriver, "match", do, "driver %v and library %v differ; they must be of one release", e.driver, e.library)
}
