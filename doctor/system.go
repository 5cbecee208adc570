package doctor

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

const groupSystem = "system"

// system looks at the kernel: its page size, and what it complained about.
func (e *exam) system() {
	if e.PageSize > 0 {
		text := "%d KiB"
		if !e.absent() && e.PageSize > 4096 {
			text += "; the driver's descriptors stay at 4 KiB, as the firmware needs them"
		}
		e.ok(groupSystem, "memory pages", text, e.PageSize>>10)
	}
	if e.absent() {
		return
	}
	lines, err := kernelLog(e.at("/dev/kmsg"))
	if err != nil {
		e.hint(groupSystem, "kernel log", "sudo hailo-device-manager doctor", "it cannot be read by %s", e.User.Name)
		return
	}
	found := false
	for _, c := range complaints() {
		for i := len(lines) - 1; i >= 0; i-- { // the last one counts
			if strings.Contains(lines[i], c.words) && (c.anywhere || strings.Contains(strings.ToLower(lines[i]), "hailo")) {
				e.hint(groupSystem, "kernel log", c.do, "%s", shorten(lines[i]))
				found = true
				break
			}
		}
	}
	if !found {
		e.ok(groupSystem, "kernel log", "no known complaint")
	}
}

// complaint is what the kernel says when something is wrong, and what helps.
type complaint struct {
	words    string
	anywhere bool // the line does not name the device
	do       string
}

func complaints() []complaint {
	return []complaint{
		{words: "Mismatch Driver version", do: "the chip still runs the firmware of another release: sudo poweroff, then take the power away for a moment"},
		{words: "Failed to enable MSI", do: "sudo rpi-eeprom-update -a && sudo apt full-upgrade && sudo reboot"},
		{words: "Firmware load failed", do: "sudo apt install --reinstall hailo-h10-all && sudo reboot"},
		{words: "Timeout waiting for firmware file", do: "sudo apt install --reinstall hailo-h10-all && sudo reboot"},
		{words: "max_desc_page_size", do: "remove force_desc_page_size from /etc/modprobe.d, then: sudo reboot"},
		{words: "Undervoltage detected", anywhere: true, do: "use the 27 W supply and a short cable: the accelerator fails under load otherwise"},
	}
}

func shorten(line string) string {
	const most = 160
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return line
}

// maxLog bounds what is taken of the kernel's log in bytes; its buffer is
// usually far smaller.
const maxLog = 4 << 20

// kernelLog reads the messages of /dev/kmsg that there are, oldest first. Each
// is "priority,number,time,flags;message"; lines that begin with a space belong
// to the one before.
func kernelLog(path string) (lines []string, err error) {
	// Not through package os, which would wait for the next message.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	var text strings.Builder
	buffer := make([]byte, 16<<10)
	for text.Len() < maxLog {
		n, err := unix.Read(fd, buffer)
		if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.EINTR) {
			continue // messages were overwritten before they were read
		}
		if errors.Is(err, unix.EAGAIN) || n == 0 && err == nil {
			break
		}
		if err != nil {
			return nil, err
		}
		text.Write(buffer[:n])
	}
	for line := range strings.Lines(text.String()) {
		if _, message, ok := strings.Cut(line, ";"); ok && !strings.HasPrefix(line, " ") {
			lines = append(lines, strings.TrimSpace(message))
		}
	}
	return lines, nil
}
