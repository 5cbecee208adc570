package inferapi

import (
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"strings"

	"hailo-depth/device"
)

// check refuses what no service sends: a browser's requests, which carry an
// Origin, and those for another host, which a browser was tricked into; and
// whoever lacks the token.
func (a Access) check(r *http.Request) error {
	if origin := r.Header.Get("Origin"); origin != "" {
		return &httpError{http.StatusForbidden, invalid("requests of web pages are refused (Origin: %s)", clip(origin))}
	}
	if !a.hostAllowed(r.Host) {
		return &httpError{http.StatusForbidden, invalid("the Host %q is not this service's; use localhost", clip(r.Host))}
	}
	if len(a.Token) == 0 {
		return nil
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || subtle.ConstantTimeCompare([]byte(token), a.Token) != 1 {
		return &httpError{http.StatusUnauthorized, &device.Error{Kind: device.KindInvalid, Message: `a token is required: "Authorization: Bearer TOKEN", with the one in the manager's api_token_file`}}
	}
	return nil
}

// hostAllowed takes localhost, hailo and unix, which clients of Unix sockets
// write for want of a name, numeric addresses, none at all, and a.Hosts. Other
// names could be an attacker's, pointed at this machine.
func (a Access) hostAllowed(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	switch strings.ToLower(name) {
	case "", "localhost", "hailo", "unix":
		return true
	}
	return net.ParseIP(name) != nil || slices.ContainsFunc(a.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
}
