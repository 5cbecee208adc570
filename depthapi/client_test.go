package depthapi

import (
	"strings"
	"testing"

	"hailo-depth/device"
)

func TestClientNames(t *testing.T) {
	for remote, want := range map[string]string{
		"192.168.1.7:50123":                            "hailo-depth/192.168.1.7",
		"127.0.0.1:1":                                  "hailo-depth/127.0.0.1",
		"[::1]:1":                                      "hailo-depth/::1",
		"[::ffff:192.168.1.7]:1":                       "hailo-depth/192.168.1.7",
		"[2001:db8:1:2:3:4:5:6]:1":                     "hailo-depth/2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff:4:5:6]:1":                  "hailo-depth/2001:db8:1:2::/64",
		"[fe80::1234:5678:9abc:def0%enp3s0]:1":         "hailo-depth/fe80::1234:5678:9abc:def0",
		"[fe80::1%" + strings.Repeat("x", 200) + "]:1": "hailo-depth/fe80::1",
		"@":   "hailo-depth", // a Unix socket's peer
		"":    "hailo-depth",
		"a:b": "hailo-depth",
	} {
		got := client(remote)
		if got != want {
			t.Errorf("%q is %q, want %q", remote, got, want)
		}
		if err := (device.Terms{Client: got}).Check(); err != nil {
			t.Error(err)
		}
	}
}
