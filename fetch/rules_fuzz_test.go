package fetch

import (
	"errors"
	"net/netip"
	"testing"
)

// forms are the ways to write an IPv4 address as an IPv6 one.
func forms(a netip.Addr) []netip.Addr {
	v4 := a.As4()
	at := func(prefix string, offset int) netip.Addr {
		b := netip.MustParseAddr(prefix).As16()
		copy(b[offset:], v4[:])
		return netip.AddrFrom16(b)
	}
	list := []netip.Addr{at("::ffff:0:0", 12), at("::ffff:0:0:0", 12), at("64:ff9b::", 12), at("64:ff9b:1::", 12), at("2002::", 2)}
	if v4 != [4]byte{0, 0, 0, 0} && v4 != [4]byte{0, 0, 0, 1} { // those are :: and ::1
		list = append(list, at("::", 12))
	}
	return list
}

// FuzzCheck holds the rules against any address of 4 or 16 bytes.
func FuzzCheck(f *testing.F) {
	for _, list := range addresses() {
		for _, address := range list {
			f.Add(netip.MustParseAddr(address).AsSlice())
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		err := Rules{}.Check(a)
		opened := Rules{Loopback: true, LinkLocal: true, Metadata: true, Private: true}.Check(a)
		var refused *RefusedError
		switch {
		case err == nil:
			// What is open without a setting is nobody's own network.
			if a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || opened != nil {
				t.Fatalf("%s is open; with every setting: %v", a, opened)
			}
		case !errors.As(err, &refused):
			t.Fatalf("%s: %T", a, err)
		default:
			// Its setting opens it, and none opens what has none.
			if got := allowing(refused.Setting).Check(a); (got == nil) != (refused.Setting != "") || (opened == nil) != (refused.Setting != "") {
				t.Fatalf("%s: %v; with its setting %v, with all %v", a, err, got, opened)
			}
			for _, other := range []string{"input.allow_loopback_urls", "input.allow_link_local_urls", "input.allow_metadata_urls", "input.allow_private_urls"} {
				if other != refused.Setting && allowing(other).Check(a) == nil {
					t.Fatalf("%s opens %s: %v", other, a, err)
				}
			}
		}
		if a.Is4() {
			for _, form := range forms(a) {
				got := Rules{}.Check(form)
				if (got == nil) != (err == nil) || got != nil && got.Error() != err.Error() {
					t.Fatalf("%s: %v, but as %s: %v", a, err, form, got)
				}
			}
		} else if zoned := (Rules{}).Check(a.WithZone("eth0")); (zoned == nil) != (err == nil) {
			t.Fatalf("%s: %v, with a zone: %v", a, err, zoned)
		}
	})
}
