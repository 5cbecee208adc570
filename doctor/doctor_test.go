package doctor

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"hailo-depth/device"
	"hailo-depth/holder"
)

const goodPage = `settings
  ok    hailo-device-manager   /etc/hailo/hailo-device-manager.yaml
  ok    hailo-depth            defaults; there is no file

accelerator
  ok    PCI device             Hailo-10H at 0001:01:00.0 (1e60:45c4)
  ok    PCIe link              8.0 GT/s x1

driver and library
  ok    module                 hailo1x_pci 5.1.1
  ok    libhailort             /usr/lib/libhailort.so.5.1.1
  ok    match                  driver 5.1.1, library 5.1.1

worker
  ok    hailo-worker-hailort   /usr/lib/hailo/hailo-worker-hailort, built for 5.1.1
  ok    hailo-worker-onnx      /usr/lib/hailo/hailo-worker-onnx
  ok    ONNX Runtime           /usr/lib/hailo/libonnxruntime.so.1

device node
  ok    /dev/hailo0            0660 root:hailo-device-mgr, for hailo-device-mgr
  ok    held by                /usr/lib/hailo/hailo-worker-hailort (process 812 of hailo-device-mgr, on /dev/hailo0)

users
  ok    user hailo-device-mgr  in hailo-device-mgr
  ok    user hailo-depth       in the group hailo-device-mgr
  ok    user pi                in the group hailo-device-mgr

manager
  ok    socket                 /run/hailo/device.sock, 0660 root:hailo-device-mgr
  ok    HTTP socket            /run/hailo/manager.sock, 0660 root:hailo-device-mgr
  ok    answers                HAILO10H, firmware 5.1.1, 1 model(s) loaded, 0 waiting

models
  ok    scdepthv3              /usr/share/hailo/models/scdepthv3.hef: 0.0 MiB, for hailo10h, hailo15h, compiler 5.1.1

system
  ok    memory pages           16 KiB; the driver's descriptors stay at 4 KiB, as the firmware needs them
  ok    kernel log             no known complaint

everything needed is ok
`

func page(t *testing.T, r Report, colour bool) string {
	t.Helper()
	var b strings.Builder
	if err := r.Print(&b, colour); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// On a Pi where all is well the page says so, line by line.
func TestAllIsWell(t *testing.T) {
	r := newPi(t).examine()
	if got := page(t, r, false); got != goodPage || !r.OK || r.Reason() != "" {
		t.Errorf("%v, %q; the page is\n%s\nwant\n%s", r.OK, r.Reason(), got, goodPage)
	}
	coloured := page(t, r, true)
	if strings.Count(coloured, "\x1b[32mok\x1b[0m    ") != strings.Count(goodPage, "  ok    ") {
		t.Errorf("in colour:\n%s", coloured)
	}
	if plain := strings.NewReplacer("\x1b[32m", "", "\x1b[0m", "").Replace(coloured); plain != goodPage {
		t.Errorf("without the colour:\n%s", plain)
	}
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"ok":true,"findings":[{"group":"settings","check":"hailo-device-manager","status":"ok","text":"/etc/hailo/hailo-device-manager.yaml"},`; !strings.HasPrefix(string(body), want) {
		t.Errorf("%s, want %s...", body, want)
	}
}

// TestWhatIsWrong breaks one thing after another on a machine where all is well.
func TestWhatIsWrong(t *testing.T) {
	const chip = "sys/bus/pci/devices/0001:01:00.0/"
	const hef = "usr/share/hailo/models/scdepthv3.hef"
	release := func(p *pi, v string) {
		p.file("sys/module/hailo1x_pci/version", v+"\n")
	}
	for _, c := range []struct {
		name     string
		harm     func(*pi)
		check    string
		status   Status
		text, do string // parts
	}{
		{"settings", func(p *pi) { p.options.Settings[0].Err = os.ErrNotExist }, "hailo-device-manager", Fix, "file does not exist", "--check-config"},
		{"settings of others", func(p *pi) { p.options.Settings[0].Err = os.ErrPermission }, "hailo-device-manager", Hint, "/etc/hailo/hailo-device-manager.yaml cannot be read by pi", "sudo hailo-device-manager doctor"},

		{"slow link", func(p *pi) { p.file(chip+"current_link_speed", "5.0 GT/s PCIe\n") }, "PCIe link", Hint, "5.0 GT/s x1; the device can 8.0 GT/s", "dtparam=pciex1_gen=3"},
		{"no NPU, but wanted", func(p *pi) {
			p.remove(chip, "dev/hailo0", "proc/812")
			p.options.Backend = "hailort"
		}, "PCI device", Fix, "no Hailo device on the PCI bus", "lspci -d 1e60:"},
		{"container", func(p *pi) { p.remove(chip) }, "PCI device", Hint, "yet there is /dev/hailo0", ""},
		{"Hailo-8", func(p *pi) { p.file(chip+"device", "0x2864\n") }, "PCI device", Fix, "Hailo-8 at 0001:01:00.0 (1e60:2864) needs HailoRT and driver 4.x", "backend: onnx"},
		{"Hailo-8 without our worker", func(p *pi) {
			p.file(chip+"device", "0x2864\n")
			p.remove("usr/lib/hailo/hailo-worker-hailort")
		}, "PCI device", Hint, "needs HailoRT and driver 4.x", "apt install hailo-all"},
		{"chip of the future", func(p *pi) { p.file(chip+"device", "0x9999\n") }, "PCI device", Hint, "(1e60:9999): this manager does not know it", ""},

		{"module on the disk", func(p *pi) {
			p.remove("sys/module/hailo1x_pci", "dev/hailo0", "proc/812")
			p.file("lib/modules/6.12.34+rpt-rpi-2712/modules.dep", "kernel/a.ko:\nupdates/dkms/hailo1x_pci.ko.xz:\n")
		}, "module", Fix, "hailo1x_pci is not loaded", "sudo modprobe hailo1x_pci"},
		{"module for another kernel", func(p *pi) {
			p.remove("sys/module/hailo1x_pci", "dev/hailo0", "proc/812")
			p.file("usr/src/hailo1x_pci-5.1.1/dkms.conf", "")
		}, "module", Fix, "not loaded", "dkms autoinstall"},
		{"no module", func(p *pi) { p.remove("sys/module/hailo1x_pci") }, "module", Fix, "not loaded", "sudo apt install hailo-h10-all"},
		{"module of the Hailo-8", func(p *pi) {
			p.move("sys/module/hailo1x_pci", "sys/module/hailo_pci")
			p.file("sys/module/hailo_pci/version", "4.23.0\n")
		}, "module", Fix, "hailo_pci 4.23.0 is loaded, which drives the Hailo-8 only", "sudo apt install hailo-h10-all"},
		{"module of 5.0.0", func(p *pi) {
			p.move("sys/module/hailo1x_pci", "sys/module/hailo_pci")
			p.file("sys/module/hailo_pci/version", "5.0.0\n")
		}, "module", Fix, "hailo_pci 5.0.0 is loaded; 5.1.0 or newer is needed", "sudo apt install"},
		{"module without version", func(p *pi) { release(p, "mine") }, "module", Fix, `no version ("mine")`, "sudo apt install"},
		{"not bound", func(p *pi) { p.remove(chip + "driver") }, "bound", Fix, "does not drive 0001:01:00.0", "dmesg"},
		{"page size option", func(p *pi) { p.file("sys/module/hailo1x_pci/parameters/force_desc_page_size", "16384\n") }, "page size", Fix, "is 16384", "/etc/modprobe.d"},

		{"no library", func(p *pi) { p.remove("usr/lib/libhailort.so.5.1.1") }, "libhailort", Fix, "is in none of /usr/lib/aarch64-linux-gnu,", "sudo apt install hailo-h10-all"},
		{"library of another folder", func(p *pi) { p.move("usr/lib/libhailort.so.5.1.1", "usr/local/lib/libhailort.so.5.1.1") }, "libhailort", Fix, "/usr/local/lib/libhailort.so.5.1.1 is not in the loader's cache", "sudo ldconfig"},
		{"library that only the loader knows", func(p *pi) {
			p.move("usr/lib/libhailort.so.5.1.1", "opt/hailo/libhailort.so.5.1.1")
			p.file("etc/ld.so.cache", "glibc-ld.so.cache1.1\x00libhailort.so.5.1.1\x00/opt/hailo/libhailort.so.5.1.1\x00")
		}, "libhailort", OK, "/opt/hailo/libhailort.so.5.1.1", ""},
		{"library of the loader's settings", func(p *pi) {
			p.move("usr/lib/libhailort.so.5.1.1", "opt/hailo/libhailort.so.5.1.1")
			p.file("etc/ld.so.conf.d/hailo.conf", "/opt/hailo # ours\n")
		}, "libhailort", Fix, "/opt/hailo/libhailort.so.5.1.1 is not in the loader's cache", "sudo ldconfig"},
		{"library in a usual folder", func(p *pi) { p.remove("etc/ld.so.cache") }, "libhailort", OK, "/usr/lib/libhailort.so.5.1.1", ""},
		{"two libraries", func(p *pi) { p.file("usr/lib/libhailort.so.5.2.0", "") }, "libhailort", Hint, "/usr/lib/libhailort.so.5.1.1; there are others: /usr/lib/libhailort.so.5.2.0", "driver's release"},
		{"library of 4.x", func(p *pi) { p.move("usr/lib/libhailort.so.5.1.1", "usr/lib/libhailort.so.4.23.0") }, "libhailort", Fix, "5.1.0 or newer is needed", "sudo apt install"},
		{"driver and library differ", func(p *pi) { release(p, "5.1.0") }, "match", Fix, "driver 5.1.0 and library 5.1.1 differ", "--reinstall h10-hailort h10-hailort-pcie-driver"},
		{"driver upgraded, not loaded", func(p *pi) {
			release(p, "5.1.0")
			p.file("usr/src/hailo1x_pci-5.1.1/dkms.conf", "")
		}, "match", Fix, "driver 5.1.0 and library 5.1.1 differ", "sudo reboot"},

		{"no worker", func(p *pi) { p.remove("usr/lib/hailo/hailo-worker-hailort") }, "hailo-worker-hailort", Hint, "the accelerator is not used", "make worker-hailort"},
		{"no worker, but wanted", func(p *pi) {
			p.remove("usr/lib/hailo/hailo-worker-hailort")
			p.options.Backend = "hailort"
		}, "hailo-worker-hailort", Fix, "the accelerator is not used", "backend: onnx"},
		{"worker of another release", func(p *pi) {
			p.file("usr/lib/hailo/hailo-worker-hailort", string(workerFor(p.t, "5.2.0")))
		}, "hailo-worker-hailort", Fix, "was built for libhailort.so.5.2.0; installed is 5.1.1", "make worker-hailort"},
		{"worker that is no program", func(p *pi) { p.file("usr/lib/hailo/hailo-worker-hailort", "#!/bin/sh\n") }, "hailo-worker-hailort", Fix, "is no program for this machine", "make worker-hailort"},
		{"no fallback", func(p *pi) { p.remove("usr/lib/hailo/hailo-worker-onnx") }, "hailo-worker-onnx", Hint, "the CPU cannot be used", "make build"},
		{"no ONNX Runtime", func(p *pi) { p.remove("usr/lib/hailo/libonnxruntime.so.1") }, "ONNX Runtime", Hint, "libonnxruntime.so.1 is not there", "make onnxruntime"},

		{"no node", func(p *pi) { p.remove("dev/hailo0", "proc/812") }, "node", Fix, "the driver made neither", "dmesg"},
		{"node for its owner only", func(p *pi) { p.chmod("dev/hailo0", 0o600) }, "/dev/hailo0", Fix, "0600 root:hailo-device-mgr: hailo-device-mgr may not open it", "udevadm trigger"},
		{"node for reading", func(p *pi) { p.chmod("dev/hailo0", 0o640) }, "/dev/hailo0", Fix, "may not open it", "udevadm trigger"},
		{"node for all", func(p *pi) { p.chmod("dev/hailo0", 0o666) }, "/dev/hailo0", Hint, "every program may take the device", "udevadm trigger"},
		{"node without our rule", func(p *pi) {
			p.chmod("dev/hailo0", 0o600)
			p.remove("usr/lib/udev/rules.d")
		}, "/dev/hailo0", Fix, "may not open it", "packaging/install.sh install"},
		{"held by another", func(p *pi) { p.file("proc/812/cmdline", "python3\x00detect.py\x00") }, "held by", Fix, "python3 detect.py (process 812 of hailo-device-mgr, on /dev/hailo0)", "kill 812"},
		{"shared with another", func(p *pi) {
			p.file("proc/812/cmdline", "python3\x00detect.py\x00")
			p.options.Shared = true
		}, "held by", OK, "which shares the device", ""},
		{"held by nobody", func(p *pi) { p.remove("proc/812") }, "held by", OK, "nobody", ""},
		{"no /proc", func(p *pi) { p.remove("proc") }, "held by", Hint, "looking for who holds the device", "sudo hailo-device-manager doctor"},

		{"service user of other groups", func(p *pi) {
			p.file("etc/group", "root:x:77777:\nhailo-device-mgr:x:"+strconv.Itoa(os.Getgid())+":pi\n")
		}, "user hailo-depth", Fix, "not in the group hailo-device-mgr", "sudo usermod -aG hailo-device-mgr hailo-depth"},
		{"not logged in again", func(p *pi) {
			p.options.User.Groups = p.options.User.Groups[:1]
		}, "user pi", Hint, "not yet in this session", "log in again"},
		{"stranger", func(p *pi) { p.options.User = User{Name: "eve", UID: 1300, Groups: []uint32{1300}} }, "user eve", Hint, "not in the group", "sudo usermod -aG hailo-device-mgr eve"},
		{"no services", func(p *pi) {
			p.file("etc/passwd", "pi:x:1234:1234::/home/pi:/bin/sh\n")
		}, "user hailo-device-mgr", Hint, "no such user", "packaging/install.sh install"},

		{"no manager", func(p *pi) { p.remove("run/hailo") }, "socket", Fix, "no manager runs", "sudo systemctl start hailo-device-manager"},
		{"a file for a socket", func(p *pi) {
			p.remove("run/hailo")
			p.file("run/hailo/device.sock", "")
		}, "socket", Fix, "is no socket", "remove it"},
		{"a socket for others", func(p *pi) { p.chmod("run/hailo/device.sock", 0o600) }, "socket", Hint, "is 0600 root:hailo-device-mgr: pi may not use it", "sudo hailo-device-manager doctor"},
		{"a folder for others", func(p *pi) { p.chmod("run/hailo", 0o700) }, "socket", Hint, "pi may not look into /run/hailo", "sudo hailo-device-manager doctor"},
		{"no HTTP socket", func(p *pi) { p.remove("run/hailo/manager.sock") }, "HTTP socket", Fix, "/run/hailo/manager.sock is not there", "sudo systemctl start"},
		{"HTTP interface switched off", func(p *pi) {
			p.remove("run/hailo/manager.sock")
			p.options.APISocket = ""
		}, "answers", OK, "HAILO10H", ""},
		{"broken device", func(p *pi) { p.status.RuntimeBroken = "the worker died" }, "device", Fix, "the manager cannot use it: the worker died", "journalctl"},
		{"device not opened", func(p *pi) { p.status = device.Status{} }, "answers", OK, "no device opened yet, 0 model(s) loaded", ""},

		{"no model", func(p *pi) { p.remove(hef) }, "scdepthv3", Fix, "/usr/share/hailo/models/scdepthv3.hef is not there", "docs/models.md"},
		{"another model", func(p *pi) { p.options.Model = "fast_depth" }, "fast_depth", Fix, "fast_depth.hef is not there", "model.name"},
		{"no HEF", func(p *pi) { p.file(hef, "<html>404</html>") }, "scdepthv3", Fix, "it is no HEF", "get the file again"},
		{"half a HEF", func(p *pi) { p.file(hef, hefFile(103, 5, 1, false)[:40]) }, "scdepthv3", Fix, "cut short", "get the file again"},
		{"HEF for the Hailo-8", func(p *pi) { p.file(hef, hefFile(3, 5, 1, false)) }, "scdepthv3", Fix, "was compiled for hailo8l; this device is hailo10h", "compiled for hailo10h"},
		{"HEF of another compiler", func(p *pi) { p.file(hef, hefFile(103, 5, 2, false)) }, "scdepthv3", OK, "", ""},
		{"strict HEF of another compiler", func(p *pi) { p.file(hef, hefFile(103, 5, 2, true)) }, "scdepthv3", Fix, "by compiler 5.2 and loads only with that release; the library is 5.1.1", "for HailoRT 5.1.1"},
		{"model for its owner", func(p *pi) { p.chmod(hef, 0o600) }, "scdepthv3", Fix, "hailo-device-mgr may not read", "sudo chmod a+r /usr/share/hailo/models/scdepthv3.hef"},
		{"model in a home", func(p *pi) {
			p.move(hef, "home/pi/models/scdepthv3.hef")
			p.options.ModelDir = "/home/pi/models"
		}, "scdepthv3", Fix, "the service does not see /home/", "move the file to /usr/share/hailo/models"},
		{"model in a closed folder", func(p *pi) {
			p.move(hef, "srv/closed/models/scdepthv3.hef")
			p.chmod("srv/closed", 0o700)
			p.options.ModelDir = "/srv/closed/models"
		}, "scdepthv3", Fix, "may not read /srv/closed/models/scdepthv3.hef (/srv/closed)", "sudo chmod a+x /srv/closed"},
		{"a spare model", func(p *pi) { p.file("usr/share/hailo/models/old.hef", hefFile(0, 3, 1, false)) }, "old", Hint, "was compiled for hailo8", "hailo10h"},
		{"a pinned model", func(p *pi) { p.options.ModelFiles = []string{"/srv/clip.hef"} }, "clip", Fix, "/srv/clip.hef is not there", ""},

		{"firmware of another release", func(p *pi) {
			p.file("dev/kmsg", "3,1,5,-;hailo 0001:01:00.0: Mismatch Driver version pcie driver 5:1:1 pci_ep driver 5:1:0\n")
		}, "kernel log", Hint, "Mismatch Driver version pcie driver 5:1:1 pci_ep driver 5:1:0", "take the power away"},
		{"undervoltage", func(p *pi) { p.file("dev/kmsg", "4,1,5,-;hwmon hwmon3: Undervoltage detected!\n") }, "kernel log", Hint, "Undervoltage detected!", "27 W"},
		{"no kernel log", func(p *pi) { p.remove("dev/kmsg") }, "kernel log", Hint, "cannot be read by pi", "sudo hailo-device-manager doctor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPi(t)
			c.harm(p)
			r := p.examine()
			found := false
			for _, f := range r.Findings {
				if f.Check != c.check {
					continue
				}
				found = true
				if f.Status != c.status || !strings.Contains(f.Text, c.text) || !strings.Contains(f.Do, c.do) {
					t.Errorf("%+v\nwant %s, %q, do %q", f, c.status, c.text, c.do)
				}
			}
			if !found {
				t.Errorf("nothing is said of %q", c.check)
			}
			if r.OK != (r.Count(Fix) == 0) || c.status == Fix && r.OK {
				t.Errorf("ok is %v", r.OK)
			}
			for _, f := range r.Findings {
				if f.Status == Fix && f.Do == "" || f.Status == OK && f.Do != "" {
					t.Errorf("%+v", f)
				}
			}
			if t.Failed() {
				t.Logf("\n%s", page(t, r, false))
			}
		})
	}
}

// Since 5.3 the node has another name; all else is as before.
func TestLaterDriver(t *testing.T) {
	p := newPi(t)
	p.file("sys/module/hailo1x_pci/version", "5.3.0\n")
	p.move("usr/lib/libhailort.so.5.1.1", "usr/lib/libhailort.so.5.3.0")
	p.file("usr/lib/hailo/hailo-worker-hailort", string(workerFor(t, "5.3.0")))
	p.move("dev/hailo0", "dev/h1x-0")
	p.remove("proc/812/fd/7")
	p.link("/dev/h1x-0", "proc/812/fd/7")
	r := p.examine()
	text := page(t, r, false)
	if !r.OK || r.Count(Hint) != 0 || !strings.Contains(text, "ok    /dev/h1x-0 ") || !strings.Contains(text, "(process 812 of hailo-device-mgr, on /dev/h1x-0)") || !strings.Contains(text, "driver 5.3.0, library 5.3.0") {
		t.Errorf("\n%s", text)
	}
}

// Without an accelerator nothing about it is said, and the CPU's worker is
// needed.
func TestNoNPU(t *testing.T) {
	p := newPi(t)
	p.remove("sys/bus/pci/devices/0001:01:00.0", "sys/module/hailo1x_pci", "dev/hailo0", "proc/812", "usr/lib/libhailort.so.5.1.1", "usr/lib/hailo/hailo-worker-hailort", "dev/kmsg")
	r := p.examine()
	text := page(t, r, false)
	for _, want := range []string{"no NPU: the CPU is used", "hailo-worker-onnx", "pocketdepth            built in", "everything needed is ok\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, unwanted := range []string{"libhailort", "hailo-worker-hailort", "driver", "device node", "kernel log"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("%q is none of this machine's concern", unwanted)
		}
	}
	if !r.OK || r.Count(Hint) != 0 {
		t.Errorf("it is not well:\n%s", text)
	}
	p.remove("usr/lib/hailo/hailo-worker-onnx")
	if r := p.examine(); r.OK || !strings.Contains(r.Reason(), "hailo-worker-onnx: not installed: the CPU cannot be used; make build") {
		t.Errorf("without its worker: %q", r.Reason())
	}
}

// An accelerator that is not used may be in any state: because of the
// configuration, or because its worker is not installed.
func TestNPUNotUsed(t *testing.T) {
	p := newPi(t)
	p.options.Backend = "onnx"
	p.file("sys/module/hailo1x_pci/version", "5.1.0\n")
	p.chmod("dev/hailo0", 0)
	p.file("proc/812/cmdline", "python3\x00")
	if r := p.examine(); !r.OK || r.Count(Hint) != 3 {
		t.Errorf("\n%s", page(t, r, false))
	}
	p.options.Backend = "auto"
	if r := p.examine(); r.OK {
		t.Errorf("\n%s", page(t, r, false))
	}
	p.remove("usr/lib/hailo/hailo-worker-hailort")
	if r := p.examine(); !r.OK || r.Count(Hint) != 4 {
		t.Errorf("\n%s", page(t, r, false))
	}
}

// Device says what a readiness reason needs: of the device, and in one line.
func TestDevice(t *testing.T) {
	p := newPi(t)
	p.remove("run/hailo", "usr/share/hailo")
	if r := Device(p.options); !r.OK || r.Reason() != "" || len(r.Findings) != 10 {
		t.Errorf("%d findings, %q", len(r.Findings), r.Reason())
	}
	p.file("sys/module/hailo1x_pci/version", "5.2.0\n")
	want := "match: driver 5.2.0 and library 5.1.1 differ; they must be of one release; sudo apt install --reinstall h10-hailort h10-hailort-pcie-driver && sudo reboot"
	if got := Device(p.options).Reason(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Who cannot see all holders is told so, unless the one that should be is seen.
func TestHoldersHidden(t *testing.T) {
	worker := holder.Holder{PID: 7, Command: "/usr/lib/hailo/hailo-worker-hailort", User: "u", Node: "/dev/hailo0"}
	other := holder.Holder{PID: 8, Command: "python3", User: "u", Node: "/dev/hailo0"}
	for _, c := range []struct {
		seen []holder.Holder
		want []Status
	}{
		{nil, []Status{Hint}},
		{[]holder.Holder{worker}, []Status{OK}},
		{[]holder.Holder{other}, []Status{Fix, Hint}},
	} {
		e := &exam{wanted: true}
		e.holders(c.seen, &holder.HiddenError{Processes: 3})
		var got []Status
		for _, f := range e.findings {
			got = append(got, f.Status)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.seen, got, c.want)
		}
	}
}

// What comes from files cannot play with the terminal.
func TestPageIsPlainText(t *testing.T) {
	p := newPi(t)
	p.file("sys/module/hailo1x_pci/version", "\x1b[2Jmine\n\u202e\n")
	text := page(t, p.examine(), false)
	if strings.ContainsAny(text, "\x1b\u202e") || !strings.Contains(text, `states no version ("\x1b[2Jmine\n\u202e")`) {
		t.Errorf("%q", text)
	}
	p.file("dev/kmsg", "3,1,5,-;hailo: Mismatch Driver version \x1b[2J\xff"+strings.Repeat("x", 4000)+"\n")
	text = page(t, p.examine(), false)
	if strings.Contains(text, "\x1b") || strings.Contains(text, strings.Repeat("x", 200)) || !strings.Contains(text, "Mismatch Driver version ?[2J") {
		t.Errorf("%q", text)
	}
}

// The kernel's rule: the first of owner, group and others that fits decides
// alone.
func TestMay(t *testing.T) {
	u := User{UID: 7, Groups: []uint32{70, 71}}
	for _, c := range []struct {
		user   User
		o      owned
		rights os.FileMode
		want   bool
	}{
		{u, owned{0o600, 7, 1}, read | write, true},
		{u, owned{0o066, 7, 71}, read, false},
		{u, owned{0o060, 1, 71}, read | write, true},
		{u, owned{0o606, 1, 71}, read, false},
		{u, owned{0o006, 1, 1}, read | write, true},
		{u, owned{0o660, 1, 1}, read, false},
		{u, owned{0o400, 7, 1}, read | write, false},
		{u, owned{os.ModeDir | 0o110, 1, 70}, enter, true},
		{User{}, owned{0, 1, 1}, read | write, true},
	} {
		if got := c.user.may(c.o, c.rights); got != c.want {
			t.Errorf("%+v, %+v, %v: %v", c.user, c.o, c.rights, got)
		}
	}
}
