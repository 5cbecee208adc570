package doctor

import (
	"fmt"
	"path/filepath"
	"strings"

	"hailo-depth/backend"
	"hailo-depth/hef"
	"hailo-depth/holder"
)

const groupAccelerator = "accelerator"

// vendor is Hailo's number on the PCI bus.
const vendor = "0x1e60"

// model is a kind of chip.
type model struct {
	name string
	arch string // as HailoRT calls it
	ours bool   // the worker drives it
}

// chips are the known ones by their number on the PCI bus.
func chips() map[string]model {
	return map[string]model{
		"0x45c4": {"Hailo-10H", hef.Hailo10H, true},
		"0x43a2": {"Hailo-15L", hef.Hailo15L, true},
		"0x26a2": {"Hailo-12L", hef.Hailo12L, true},
		"0x2864": {"Hailo-8", hef.Hailo8, false},
	}
}

// chip is an accelerator on the PCI bus.
type chip struct {
	model
	dir    string // "/sys/bus/pci/devices/0001:01:00.0"
	number string // "1e60:45c4"
}

const managerFile = "/etc/hailo/hailo-device-manager.yaml"

// accelerator looks for the chip. A machine without one is as good as any.
func (e *exam) accelerator() {
	const check = "PCI device"
	e.nodes = holder.Nodes(e.Root)
	all := e.findChips()
	for _, c := range all {
		if c.ours && e.chip == nil {
			e.chip = &c
		}
	}
	e.foreign = e.chip == nil && len(all) > 0
	// Who has not installed its worker has not asked for the accelerator.
	_, missing := e.machine.Find(backend.Options{Name: backend.HailoRT})
	e.wanted = !e.foreign && (e.Backend == backend.HailoRT || e.Backend == backend.Auto && (e.chip != nil || len(e.nodes) > 0) && missing == nil)
	for _, c := range all {
		name := fmt.Sprintf("%s at %s (%s)", c.name, filepath.Base(c.dir), c.number)
		switch {
		case c.ours:
			e.ok(groupAccelerator, check, "%s", name)
		case c.arch == "":
			e.hint(groupAccelerator, check, "", "%s: this manager does not know it", name)
		case e.foreign && e.choosesHailoRT():
			e.fix(groupAccelerator, check, "set `backend: onnx` in "+managerFile+" to use the CPU; other programs use it with: sudo apt install hailo-all",
				"%s needs HailoRT and driver 4.x, which this manager does not drive", name)
		default:
			e.hint(groupAccelerator, check, "other programs use it with: sudo apt install hailo-all", "%s needs HailoRT and driver 4.x, which this manager does not drive", name)
		}
	}
	switch {
	case e.chip != nil:
		e.link()
	case e.foreign:
	case len(e.nodes) > 0:
		e.hint(groupAccelerator, check, "", "not seen in /sys/bus/pci, yet there is %s; in a container, perhaps", strings.Join(e.nodes, ", "))
	case e.Backend == backend.HailoRT:
		e.fix(groupAccelerator, check, "check the board's ribbon cable and power, then: lspci -d 1e60: (or set `backend: auto` in "+managerFile+" to use the CPU)",
			"no Hailo device on the PCI bus, and the backend is hailort")
	default:
		e.ok(groupAccelerator, check, "no NPU: the CPU is used")
	}
}

// choosesHailoRT reports whether the manager would run the accelerator's worker.
func (e *exam) choosesHailoRT() bool {
	choice, err := e.machine.Find(backend.Options{Name: e.Backend})
	return err == nil && choice.Name == backend.HailoRT
}

// absent reports whether there is nothing that driver and library are for.
func (e *exam) absent() bool { return e.chip == nil && (len(e.nodes) == 0 || e.foreign) }

func (e *exam) findChips() []chip {
	var all []chip
	known := chips()
	for _, dir := range e.glob("/sys/bus/pci/devices/*") {
		if e.line(dir+"/vendor") != vendor {
			continue
		}
		device := e.line(dir + "/device")
		m, ok := known[device]
		if !ok {
			m = model{name: "unknown Hailo device"}
		}
		all = append(all, chip{m, dir, fmt.Sprintf("%s:%s", vendor[2:], strings.TrimPrefix(device, "0x"))})
	}
	return all
}

// link looks at how fast the chip is connected: loading a model and moving
// pictures takes as long as the link says.
func (e *exam) link() {
	speed, most := e.line(e.chip.dir+"/current_link_speed"), e.line(e.chip.dir+"/max_link_speed")
	if speed == "" {
		return // not every bus has one
	}
	text := fmt.Sprintf("%s x%s", strings.TrimSuffix(speed, " PCIe"), e.line(e.chip.dir+"/current_link_width"))
	if gigatransfers(speed) < gigatransfers(most) && gigatransfers(speed) < gen3 {
		e.hint(groupAccelerator, "PCIe link", "echo dtparam=pciex1_gen=3 | sudo tee -a /boot/firmware/config.txt && sudo reboot",
			"%s; the device can %s", text, strings.TrimSuffix(most, " PCIe"))
		return
	}
	e.ok(groupAccelerator, "PCIe link", "%s", text)
}

// gen3 is the speed of PCIe generation 3, which a Raspberry Pi 5 can; its
// default is generation 2.
const gen3 = 8.0

// gigatransfers reads "8.0 GT/s PCIe"; 0 when it says something else.
func gigatransfers(speed string) float64 {
	var n float64
	if _, err := fmt.Sscanf(speed, "%f GT/s", &n); err != nil {
		return 0
	}
	return n
}
