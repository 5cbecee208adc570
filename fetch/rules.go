package fetch

import (
	"fmt"
	"net/netip"
)

// Rules say which addresses may be asked for a picture. Addresses of the public
// internet always may; multicast and broadcast never.
type Rules struct {
	Loopback  bool // 127.0.0.0/8, ::1, and 0.0.0.0, which reaches this machine as well
	LinkLocal bool // 169.254.0.0/16, fe80::/10
	Metadata  bool // where cloud machines keep their credentials
	Private   bool // 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7, fec0::/10: cameras live there
}

// RefusedError is an address that the rules forbid.
type RefusedError struct {
	Address netip.Addr
	Class   string
	Setting string // that would allow it; "" if none does
}

func (e *RefusedError) Error() string {
	if e.Setting == "" {
		return fmt.Sprintf("%s is a %s address, which is never fetched from", e.Address, e.Class)
	}
	return fmt.Sprintf("%s is a %s address; %s in the configuration would allow it", e.Address, e.Class, e.Setting)
}

// metadata reports whether a cloud's machines get their metadata or credentials
// there. Most of these addresses are link-local or private as well, but must not
// open with those.
func metadata(a netip.Addr) bool {
	switch a.String() {
	case "169.254.169.254", // most of them
		"fd00:ec2::254", "169.254.170.2", "169.254.170.23", "fd00:ec2::23", "169.254.169.123", // AWS
		"fd20:ce::254",                      // GCP
		"168.63.129.16",                     // Azure
		"192.0.0.192", "fd00:c1::a9fe:a9fe", // Oracle
		"100.100.100.200", "fd00:100::100:200", // Alibaba
		"169.254.0.23",                 // Tencent
		"169.254.42.42", "fd00:42::42", // Scaleway
		"fd00:a9fe:a9fe::1", // Linode
		"fe80::a9fe:a9fe":   // OpenStack
		return true
	}
	return false
}

// Check returns nil or a *RefusedError.
func (r Rules) Check(a netip.Addr) error {
	a = inner(a.WithZone(""))
	refuse := func(class, setting string) error { return &RefusedError{Address: a, Class: class, Setting: setting} }
	switch {
	case metadata(a):
		if !r.Metadata {
			return refuse("cloud metadata", "input.allow_metadata_urls")
		}
	case a.IsLoopback() || a.IsUnspecified():
		if !r.Loopback {
			return refuse("loopback", "input.allow_loopback_urls")
		}
	case a.IsLinkLocalUnicast():
		if !r.LinkLocal {
			return refuse("link-local", "input.allow_link_local_urls")
		}
	case a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return refuse("multicast or broadcast", "")
	case netip.PrefixFrom(netip.IPv4Unspecified(), 8).Contains(a):
		return refuse("\"this network\"", "")
	case a.IsPrivate() || sharedSpace.Contains(a) || siteLocal.Contains(a):
		if !r.Private {
			return refuse("private network", "input.allow_private_urls")
		}
	}
	return nil
}

// sharedSpace is RFC 6598's range between providers and customers, which
// overlay networks between one's own machines use.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// siteLocal is what fc00::/7 replaced (RFC 3879).
var siteLocal = netip.MustParsePrefix("fec0::/10")

// inner takes the IPv4 address out of an IPv6 address that carries one, since
// a gateway or the kernel would: mapped (::ffff:0:0/96), compatible (::/96),
// translated (::ffff:0:0:0/96), NAT64 (64:ff9b::/96, and 64:ff9b:1::/48 where
// it is used with 96 bits) and 6to4 (2002::/16).
func inner(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if !a.Is6() || a.IsUnspecified() || a.IsLoopback() {
		return a
	}
	b := a.As16()
	for _, last := range []string{"::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"} {
		if netip.MustParsePrefix(last).Contains(a) {
			return netip.AddrFrom4([4]byte(b[12:16]))
		}
	}
	if netip.MustParsePrefix("2002::/16").Contains(a) {
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return a
}
