package depthapi

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"hailo-depth/device"
)

// The headers with which a request states its terms.
const (
	headerPriority = "X-Request-Priority"
	headerTimeout  = "X-Request-Timeout-Ms"
)

// terms returns r's context with the priority and the client that the device
// manager counts the request for, and with the deadline: the configured one, or
// the earlier one that the request asks for.
func (a *API) terms(r *http.Request) (context.Context, context.CancelFunc, error) {
	t := device.DefaultTerms()
	t.Client = client(r.RemoteAddr)
	timeout := a.Settings.Timeout
	if text := r.Header.Get(headerPriority); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < device.LeastPriority || n > device.MostPriority {
			return nil, nil, invalid(fmt.Sprintf("header %s: %q is not valid; expected a whole number from %d to %d, %d being the usual one",
				headerPriority, clip(text), device.LeastPriority, device.MostPriority, device.DefaultPriority))
		}
		t.Priority = n
	}
	if text := r.Header.Get(headerTimeout); text != "" {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil || ms < 1 {
			return nil, nil, invalid(fmt.Sprintf("header %s: %q is not valid; expected a whole number of milliseconds from 1; more than %d count as that (server.timeout)",
				headerTimeout, clip(text), a.Settings.Timeout.Milliseconds()))
		}
		if ms < timeout.Milliseconds() {
			timeout = time.Duration(ms) * time.Millisecond
		}
	}
	ctx, cancel := context.WithTimeout(device.WithTerms(r.Context(), t), timeout)
	return ctx, cancel, nil
}

// client names whom the device manager is fair to: the address that the request
// comes from, for what a client writes into a header it could change at will. Of
// an IPv6 address only the network counts, since a machine has many addresses
// there.
func client(remote string) string {
	const service = serviceName
	at, err := netip.ParseAddrPort(remote)
	if err != nil { // no TCP connection
		return service
	}
	address := at.Addr().Unmap().WithZone("")
	if address.Is4() || !address.IsGlobalUnicast() {
		return service + "/" + address.String()
	}
	return service + "/" + netip.PrefixFrom(address, 64).Masked().String()
}

// overdue reports whether the request's deadline has passed, also when ctx's
// own timer is about to say so.
func overdue(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && !time.Now().Before(end)
}
