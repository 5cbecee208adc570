package inferapi_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hailo-depth/device"
)

// HTTP is used where somebody listens, the older protocol where nobody does, and
// what was sent over the one is never sent again over the other.
func TestPreferringHTTP(t *testing.T) {
	asked := 0
	m := &fake{infer: func(context.Context, device.Model, device.Input) (device.Result, error) {
		asked++
		return device.Result{}, &device.Error{Kind: device.KindUnavailable, Message: "not now"}
	}}
	ways := protocols()
	old, http := filepath.Join(filepath.Dir(socketPath(t)), "old"), socketPath(t)
	var changes []bool
	p := &device.PreferringHTTP{HTTP: &device.HTTPClient{Path: http}, Old: &device.Client{Path: old}, Changed: func(http bool) { changes = append(changes, http) }}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	status := func() string {
		s, err := p.Status(t.Context())
		if err != nil {
			return err.Error()
		}
		return s.SocketPath
	}
	if got := status(); !strings.HasPrefix(got, "no device manager at "+old) {
		t.Error(got)
	}
	stopOld := ways[0].listen(t, old, m)
	if got := status(); got != old {
		t.Error(got)
	}
	stopHTTP := ways[1].listen(t, http, m)
	if got := status(); got != http {
		t.Error(got)
	}
	if _, err := p.Infer(t.Context(), device.Model{Type: "depth", Path: "/m"}, device.Input{Input: picture(1)}); err == nil || err.Error() != "not now" || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	stopHTTP()
	if got := status(); got != old {
		t.Error(got)
	}
	stopHTTP = ways[1].listen(t, http, m)
	stopOld()
	if got := status(); got != http {
		t.Error(got)
	}
	stopHTTP()
	if got := status(); !strings.HasPrefix(got, "no device manager at "+old) {
		t.Error(got)
	}
	if !slices.Equal(changes, []bool{false, true, false, true}) {
		t.Errorf("told of %v", changes)
	}
	p.HTTP.Path = ""
	ways[1].listen(t, http, m)
	ways[0].listen(t, old, m)
	if got := status(); got != old {
		t.Errorf("switched off: %s", got)
	}
}
