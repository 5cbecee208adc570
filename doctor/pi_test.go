package doctor

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hailo-depth/device"
)

// pi is the root folder of a Raspberry Pi 5 with a Hailo-10H on which all is
// well, until a test breaks something.
type pi struct {
	t       *testing.T
	root    string
	options Options
	status  device.Status // the manager's answer
}

// files of the machine. %[1]d and %[2]d are the user and group that own what
// the test makes, who play root and the manager's group.
var files = map[string]string{
	"etc/passwd":              "root:x:%[1]d:77777:root:/root:/bin/sh\nhailo-device-mgr:x:990:%[2]d::/:/bin/false\nhailo-depth:x:991:991::/:/bin/false\npi:x:1234:1234::/home/pi:/bin/sh\n",
	"etc/group":               "root:x:77777:\nhailo-device-mgr:x:%[2]d:hailo-depth,pi\nhailo-depth:x:991:\npi:x:1234:\n",
	"etc/ld.so.conf":          "include /etc/ld.so.conf.d/*.conf\n",
	"etc/ld.so.conf.d/a.conf": "# libc default configuration\n/usr/local/lib\n",
	"etc/ld.so.cache":         "glibc-ld.so.cache1.1\x00libhailort.so.5.1.1\x00/usr/lib/libhailort.so.5.1.1\x00libz.so\x00/usr/lib/libz.so\x00",

	"sys/bus/pci/devices/0000:00:00.0/vendor":                "0x14e4\n",
	"sys/bus/pci/devices/0000:00:00.0/device":                "0x2712\n",
	"sys/bus/pci/devices/0001:01:00.0/vendor":                "0x1e60\n",
	"sys/bus/pci/devices/0001:01:00.0/device":                "0x45c4\n",
	"sys/bus/pci/devices/0001:01:00.0/current_link_speed":    "8.0 GT/s PCIe\n",
	"sys/bus/pci/devices/0001:01:00.0/max_link_speed":        "8.0 GT/s PCIe\n",
	"sys/bus/pci/devices/0001:01:00.0/current_link_width":    "1\n",
	"sys/module/hailo1x_pci/version":                         "5.1.1\n",
	"sys/module/hailo1x_pci/parameters/force_desc_page_size": "0\n",
	"sys/bus/pci/drivers/hailo1x/new_id":                     "",

	"proc/sys/kernel/osrelease": "6.12.34+rpt-rpi-2712\n",
	"proc/812/cmdline":          "/usr/lib/hailo/hailo-worker-hailort\x00",
	"proc/812/status":           "Name:\thailo-worker-h\nUid:\t990\t990\t990\t990\n",

	"dev/hailo0": "",
	"dev/kmsg":   "6,1,5,-;hailo 0001:01:00.0: Firmware was loaded successfully\n SUBSYSTEM=pci\n6,2,6,-;usb 1-1: new device\n",

	"usr/lib/libhailort.so.5.1.1":                        "a library",
	"usr/lib/hailo/libonnxruntime.so.1":                  "a library",
	"usr/lib/hailo/hailo-worker-onnx":                    "a program",
	"usr/lib/udev/rules.d/99-hailo-device-manager.rules": "",
	"usr/bin/hailo-device-manager":                       "a program",
}

func newPi(t *testing.T) *pi {
	t.Helper()
	// The socket's path must be short, which folders of tests are not.
	root, err := os.MkdirTemp("", "pi")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	p := &pi{t: t, root: root}
	p.chmod("", 0o755)
	for name, text := range files {
		if strings.Contains(text, "%[") {
			text = fmt.Sprintf(text, os.Getuid(), os.Getgid())
		}
		p.file(name, text)
	}
	p.chmod("dev/hailo0", 0o660)
	p.chmod("usr/lib/hailo/hailo-worker-onnx", 0o755)
	p.link("../../drivers/hailo1x", "sys/bus/pci/devices/0001:01:00.0/driver")
	p.link("/dev/hailo0", "proc/812/fd/7")
	p.file("usr/lib/hailo/hailo-worker-hailort", string(workerFor(t, "5.1.1")))
	p.chmod("usr/lib/hailo/hailo-worker-hailort", 0o755)
	p.file("usr/share/hailo/models/scdepthv3.hef", hefFile(103, 5, 1, false))
	p.options = Options{
		Root: root, User: User{Name: "pi", UID: 1234, Groups: []uint32{1234, uint32(os.Getgid())}}, ServiceUser: "hailo-device-mgr",
		Program: "/usr/bin/hailo-device-manager", Backend: "auto", Socket: "/run/hailo/device.sock", APISocket: "/run/hailo/manager.sock",
		Settings: []Setting{{File: "/etc/hailo/hailo-device-manager.yaml", Check: "hailo-device-manager --check-config"}, {Check: "hailo-depth serve --check-config"}},
		ModelDir: "/usr/share/hailo/models", PageSize: 16384, Getenv: func(string) string { return "" },
	}
	p.status = device.Status{Architecture: "HAILO10H", Firmware: "5.1.1", Models: []device.LoadedModel{{Type: "depth", Path: "/m.hef"}}}
	p.manager()
	return p
}

func (p *pi) path(name string) string { return filepath.Join(p.root, name) }

func (p *pi) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pi) file(name, text string) {
	p.t.Helper()
	p.must(os.MkdirAll(filepath.Dir(p.path(name)), 0o755))
	p.must(os.WriteFile(p.path(name), []byte(text), 0o644))
}

func (p *pi) chmod(name string, mode os.FileMode) {
	p.t.Helper()
	p.must(os.Chmod(p.path(name), mode))
}

func (p *pi) link(target, name string) {
	p.t.Helper()
	p.must(os.MkdirAll(filepath.Dir(p.path(name)), 0o755))
	p.must(os.Symlink(target, p.path(name)))
}

func (p *pi) remove(names ...string) {
	p.t.Helper()
	for _, name := range names {
		p.must(os.RemoveAll(p.path(name)))
	}
}

// move gives a file another name.
func (p *pi) move(name, to string) {
	p.t.Helper()
	p.must(os.MkdirAll(filepath.Dir(p.path(to)), 0o755))
	p.must(os.Rename(p.path(name), p.path(to)))
}

// listen makes a socket, of which nobody need take care.
func (p *pi) listen(name string) net.Listener {
	p.t.Helper()
	p.must(os.MkdirAll(filepath.Dir(p.path(name)), 0o755))
	l, err := net.Listen("unix", p.path(name))
	p.must(err)
	p.t.Cleanup(func() { _ = l.Close() })
	p.chmod(name, 0o660)
	return l
}

// manager answers on the socket as the real one does.
func (p *pi) manager() {
	p.t.Helper()
	p.listen("run/hailo/manager.sock")
	l := p.listen("run/hailo/device.sock")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := device.ReadFrame(conn, 1<<20); err == nil {
				err = p.answer(conn)
				if err != nil {
					p.t.Error(err)
				}
			}
			_ = conn.Close()
		}
	}()
	p.t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
}

func (p *pi) answer(conn net.Conn) error {
	body, err := device.MarshalDeviceStatus(p.status)
	if err != nil {
		return err
	}
	frame := append(device.AppendFrame(nil), body...)
	if err := device.FinishFrame(frame, 1<<20); err != nil {
		return err
	}
	_, err = conn.Write(frame)
	return err
}

func (p *pi) examine() Report {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	return Examine(ctx, p.options)
}

// hefFile is the head of a model file: the chip's number and the compiler.
func hefFile(arch, major, minor byte, strict bool) string {
	compiler := []byte{1 << 3, major, 2 << 3, minor}
	header := append([]byte{1 << 3, arch, 3<<3 | 2, 5, '5', '.', '1', '.', '1', 5<<3 | 2, byte(len(compiler))}, compiler...)
	message := append([]byte{1<<3 | 2, byte(len(header))}, header...)
	if strict {
		message = append(message, 5<<3|2, 2, 1<<3, 35)
	}
	b := binary.BigEndian.AppendUint32([]byte("\x01HEF"), 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(message)))
	return string(append(append(b, make([]byte, 20)...), message...))
}

// built are the workers that were compiled, by release.
var built = struct {
	sync.Mutex
	programs map[string][]byte
}{programs: map[string][]byte{}}

// workerFor is a program that is linked to a HailoRT library of the release.
func workerFor(t *testing.T, release string) []byte {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if program, ok := built.programs[release]; ok {
		return program
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	library, program := filepath.Join(dir, "lib.so"), filepath.Join(dir, "worker")
	for _, args := range [][]string{
		{"-shared", "-o", library, "-Wl,-soname,libhailort.so." + release, write("lib.c", "int scan(void) { return 0; }\n")},
		{"-o", program, write("main.c", "int scan(void);\nint main(void) { return scan(); }\n"), library},
	} {
		if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
			t.Fatalf("cc %v: %v\n%s", args, err, out)
		}
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	built.programs[release] = content
	return content
}
