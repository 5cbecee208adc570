package fetch

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// addresses of each class, as the setting is called that opens it; "public" is
// always open, "never" never.
func addresses() map[string][]string {
	return map[string][]string{
		"public": {
			"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "11.0.0.0", "9.255.255.255",
			"100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "223.255.255.255",
			"2606:4700::1111", "2000::", "64:ff9b::8.8.8.8", "2002:808:808::1", "::ffff:8.8.8.8", "::8.8.8.8", "fe00::1",
		},
		"input.allow_loopback_urls": {
			"127.0.0.1", "127.0.0.0", "127.255.255.255", "127.0.0.53", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::127.0.0.1",
			"::ffff:7f00:1", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::127.0.0.1", "2002:7f00:1::", "2002:7f00:1:2:3:4:5:6",
		},
		"input.allow_link_local_urls": {
			"169.254.0.0", "169.254.255.255", "169.254.1.1", "169.254.169.253", "169.254.170.1", "fe80::1", "fe80::1%eth0", "febf:ffff::1",
			"::ffff:169.254.1.1", "64:ff9b::169.254.1.1", "2002:a9fe:101::",
		},
		"input.allow_metadata_urls": {
			"169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.169.123", "169.254.42.42", "169.254.0.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
			"fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42", "fd00:c1::a9fe:a9fe", "fd00:a9fe:a9fe::1", "fd00:100::100:200", "fe80::a9fe:a9fe", "fe80::a9fe:a9fe%eth0",
			"::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::169.254.169.254", "::ffff:0:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "::ffff:168.63.129.16",
		},
		"input.allow_private_urls": {
			"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255", "100.64.0.0", "100.127.255.255",
			"fc00::", "fd12:3456::1", "fdff:ffff::", "fec0::1", "feff::1", "::ffff:192.168.1.20", "64:ff9b::10.0.0.1", "2002:c0a8:101::",
		},
		"never": {"224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1", "ff0e::1", "0.0.0.1", "0.255.255.255", "::ffff:224.0.0.1", "64:ff9b::0.1.2.3", "::2"},
	}
}

// allowing is rules with one setting on, by its name in the configuration.
func allowing(setting string) Rules {
	return Rules{
		Loopback:  setting == "input.allow_loopback_urls",
		LinkLocal: setting == "input.allow_link_local_urls",
		Metadata:  setting == "input.allow_metadata_urls",
		Private:   setting == "input.allow_private_urls",
	}
}

// Each setting opens its own class and no other.
func TestEachClassHasItsSetting(t *testing.T) {
	all := addresses()
	for setting := range all {
		rules := allowing(setting)
		for class, list := range all {
			for _, address := range list {
				err := rules.Check(netip.MustParseAddr(address))
				if open := class == "public" || class == setting && class != "never"; open != (err == nil) {
					t.Errorf("%s with %s: %v", address, setting, err)
				}
				var refused *RefusedError
				switch {
				case err == nil:
				case !errors.As(err, &refused):
					t.Errorf("%s: %v", address, err)
				case class == "never":
					if refused.Setting != "" || !strings.HasSuffix(err.Error(), " address, which is never fetched from") {
						t.Errorf("%s: %v", address, err)
					}
				default:
					if refused.Setting != class || !strings.HasSuffix(err.Error(), "; "+class+" in the configuration would allow it") {
						t.Errorf("%s of %s: %v", address, class, err)
					}
				}
			}
		}
	}
}

func TestRefusalNamesTheAddressItMeans(t *testing.T) {
	err := Rules{}.Check(netip.MustParseAddr("64:ff9b::7f00:1"))
	if want := "127.0.0.1 is a loopback address; input.allow_loopback_urls in the configuration would allow it"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
