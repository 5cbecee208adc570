package main

import (
	"context"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hailo-depth/device"
)

// overUnix is an ordinary HTTP client of a socket.
func overUnix(t *testing.T, path string) *http.Client {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func status(t *testing.T, c *http.Client, url, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	return response.StatusCode
}

// The HTTP socket lies beside the other, with its mode, and goes with it.
func TestHTTPSocket(t *testing.T) {
	d := start(t, `socket_mode: "0600"`+"\n")
	path := filepath.Join(filepath.Dir(d.socket), "manager.sock")
	if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("%v, %v", info, err)
	}
	c := &device.HTTPClient{Path: path}
	r, err := c.Infer(within(t), d.model, device.Input{Input: picture(100)})
	if err != nil || r.Tensor == nil || r.Timing.Load <= 0 {
		t.Errorf("%+v, %v", r, err)
	}
	d.mustInfer(t) // the same model over the older protocol
	o, err := c.Overview(within(t))
	if err != nil || len(o.Models) != 1 || o.Models[0].Path != d.model.Path || o.Device.ID == "" {
		t.Errorf("%+v, %v", o, err)
	}
	web := overUnix(t, path)
	for _, p := range []string{"/v2/health/ready", "/metrics", "/readyz", "/v1/device/status"} {
		if got := status(t, web, "http://localhost"+p, ""); got != http.StatusOK {
			t.Errorf("%s: %d", p, got)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	d.terminate(t, patience)
	if _, err := os.Lstat(path); err == nil {
		t.Error("the HTTP socket is left behind")
	}
}

func TestHTTPSocketOff(t *testing.T) {
	d := start(t, "api_socket: off\n")
	if _, err := os.Lstat(filepath.Join(filepath.Dir(d.socket), "manager.sock")); err == nil {
		t.Error("there is an HTTP socket")
	}
	d.mustInfer(t)
	d.terminate(t, patience)
}

// The network gets in with the token only, and only to what is configured.
func TestHTTPAddress(t *testing.T) {
	token := write(t, t.TempDir(), "token", "0123456789abcdef\n")
	d := launch(t, bin, "api_listen: 127.0.0.1:0\napi_token_file: "+token+"\n")
	addresses := strings.Fields(d.api)
	if len(addresses) != 2 {
		t.Fatalf("listening on %q", d.api)
	}
	url := "http://" + addresses[1]
	c := &http.Client{}
	t.Cleanup(c.CloseIdleConnections)
	for _, try := range []struct {
		token, path string
		want        int
	}{{"", "/v2", 401}, {"0123456789abcdeF", "/v2", 401}, {"0123456789abcdef", "/v2", 200}, {"0123456789abcdef", "/v1/ps", 404}} {
		if got := status(t, c, url+try.path, try.token); got != try.want {
			t.Errorf("%+v: %d", try, got)
		}
	}
	d.terminate(t, patience)
}

// A token that is missing or short keeps the manager from starting.
func TestHTTPAddressWithoutAToken(t *testing.T) {
	dir := shortDir(t)
	config := func(lines string) []string {
		return []string{"--config", write(t, t.TempDir(), "c.yaml", "backend: sim\nhttp: off\napi_listen: 127.0.0.1:0\n"+lines), "--socket", filepath.Join(dir, "s")}
	}
	short := write(t, t.TempDir(), "token", "0123456789abcde\n")
	for lines, want := range map[string]struct {
		code int
		text string
	}{
		"":                                {2, "c.yaml: api_listen: 127.0.0.1:0 is not valid; expected api_token_file beside it"},
		"api_token_file: " + short + "\n": {2, "the token has 15 characters; expected 16 to 4096"},
		"api_token_file: " + filepath.Join(dir, "absent") + "\n": {1, "api_listen: the token: open "},
	} {
		r := use(t, nil, config(lines)...)
		if r.code != want.code || !strings.Contains(r.stderr, want.text) {
			t.Errorf("%q: %+v; want %v", lines, r, want)
		}
	}
	for _, left := range []string{"s", "manager.sock"} {
		if _, err := os.Lstat(filepath.Join(dir, left)); err == nil {
			t.Errorf("a manager that did not start left %s", left)
		}
	}
}

// Configured models go by their names over HTTP, pins hold, and a reload is
// seen at once; one that fails changes nothing and says why.
func TestOperationsOverHTTP(t *testing.T) {
	d := start(t, "models: []\n")
	c := &device.HTTPClient{Path: filepath.Join(filepath.Dir(d.socket), "manager.sock")}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.LoadNamed(within(t), "luma"); device.KindOf(err) != device.KindNotFound {
		t.Errorf("before it is configured: %v", err)
	}
	config := func(text string) {
		t.Helper()
		if err := os.WriteFile(d.config, []byte("log: {format: json}\nqueue: 7\ntimeouts: {drain: 1s}\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config("models: [{name: luma, type: depth, path: " + d.model.Path + "}]\n")
	r, err := c.Reload(within(t))
	if err != nil || !slices.Equal(r.NeedRestart, []string{"timeouts.drain"}) {
		t.Errorf("%+v, %v", r, err)
	}
	if err := c.Pin(within(t), "luma", true); err != nil {
		t.Fatal(err)
	}
	o, err := c.Overview(within(t))
	if err != nil || o.Queue.Limit != 7 || len(o.Models) != 1 || o.Models[0].Name != "luma" || !o.Models[0].Pinned || o.Models[0].State != device.StateIdle {
		t.Errorf("%+v, %v", o, err)
	}
	config("models: [{name: luma, type: depth, path: ''}]\n")
	if _, err := c.Reload(within(t)); device.KindOf(err) != device.KindInvalid || !strings.Contains(err.Error(), "config.yaml") {
		t.Errorf("a wrong configuration: %v", err)
	}
	if err := c.Pin(within(t), "luma", false); err != nil { // what held still holds
		t.Error(err)
	}
	if was, err := c.UnloadNamed(within(t), "luma"); !was || err != nil {
		t.Error(was, err)
	}
	list, err := c.Index(within(t))
	if err != nil || len(list) != 1 || list[0].State != device.IndexUnavailable {
		t.Errorf("%+v, %v", list, err)
	}
	d.terminate(t, patience)
}
