package inferapi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/inferapi"
)

// A web page's requests are refused, and those for a name that an attacker may
// have pointed here, whatever they ask.
func TestWebPagesAreRefused(t *testing.T) {
	c := web(t, serve(t, newAPI(&fake{})))
	for _, path := range []string{"/v2", "/v1/ps", "/metrics", "/nothing"} {
		ask(t, c, "GET", host+path, nil, "Origin", "http://localhost").refused(t, 403, "invalid_request", "web pages are refused")
		ask(t, c, "GET", host+path, nil, "Host", "rebound.example").refused(t, 403, "invalid_request", `Host "rebound.example"`)
	}
	for _, name := range []string{"localhost", "localhost:80", "hailo", "unix", "HAILO", "127.0.0.1:8080", "[::1]:80", "::1"} {
		if r := ask(t, c, "GET", host+"/v2", nil, "Host", name); r.status != 200 {
			t.Errorf("Host %q: %d %s", name, r.status, r.body)
		}
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	c := web(t, serve(t, newAPI(&fake{})))
	ask(t, c, "GET", host+"/v3", nil).refused(t, 404, "invalid_request", "there is no /v3")
	r := ask(t, c, "GET", host+"/v2/models/m/infer", nil)
	r.refused(t, 405, "invalid_request", "GET is not allowed here; use POST")
	if r.header.Get("Allow") != "POST" {
		t.Error(r.header)
	}
}

// serveTCP runs the API for clients of an address and returns its URL.
func serveTCP(t *testing.T, api *inferapi.API, access inferapi.Access) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- (&inferapi.Server{API: api, Access: access, MaxConnections: 8, StopTimeout: patience}).Serve(ctx, l)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// Over the network: a token first, then configured models only, never paths,
// and none of the manager's own operations.
func TestOutsiders(t *testing.T) {
	asked := make(chan device.Model, 1)
	m := &fake{
		infer: func(_ context.Context, m device.Model, in device.Input) (device.Result, error) {
			asked <- m
			return device.Result{Tensor: in.Input}, nil
		},
		status: device.Status{Models: []device.LoadedModel{{Type: "depth", Path: "/secret/loaded.hef"}}},
	}
	api := newAPI(m, inferapi.Named{Name: "mine", Model: device.Model{Type: "depth", Path: "/secret/mine.hef"}})
	url := serveTCP(t, api, inferapi.Access{Token: []byte("0123456789abcdef"), Hosts: []string{"npu.example"}})
	c := &http.Client{}
	t.Cleanup(c.CloseIdleConnections)
	for _, token := range []string{"", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdeg", "Basic 0123456789abcdef", "0123456789abcdef"} {
		r := ask(t, c, "GET", url+"/v2/health/live", nil, "Authorization", token)
		r.refused(t, 401, "invalid_request", "a token is required")
		if r.header.Get("WWW-Authenticate") != "Bearer" {
			t.Error(r.header)
		}
	}
	with := func(method, path string, body []byte, more ...string) reply {
		return ask(t, c, method, url+path, body, append(more, "Authorization", "Bearer 0123456789abcdef")...)
	}
	if r := with("GET", "/v2/health/live", nil, "Host", "npu.example:99"); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	with("GET", "/v2", nil, "Origin", "http://npu.example").refused(t, 403, "invalid_request", "web pages")
	if r := with("POST", "/v2/models/mine/infer", flat(1, "")); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	} else if got := <-asked; got.Path != "/secret/mine.hef" {
		t.Errorf("%+v", got)
	}
	with("POST", "/v2/models/loaded/infer", flat(1, "")).refused(t, 404, "model_not_found", `no model "loaded" is configured`)
	with("POST", "/v2/models/x/infer", flat(1, `"parameters":{"model_path":"/etc/passwd","model_type":"depth"},`)).refused(t, 403, "invalid_request", "for clients of the Unix socket")
	with("POST", "/v2/repository/models/x/load", []byte(`{"parameters":{"model_path":"/etc/passwd","model_type":"depth"}}`)).refused(t, 403, "invalid_request", "for clients of the Unix socket")
	for _, path := range []string{"/v1/ps", "/v1/device/status", "/metrics", "/readyz"} {
		with("GET", path, nil).refused(t, 404, "invalid_request", "there is no")
	}
	with("POST", "/v1/models/mine/pin", nil).refused(t, 404, "invalid_request", "there is no")
	if r := with("POST", "/v2/repository/index", nil); strings.Contains(string(r.body), "secret") || strings.Contains(string(r.body), "loaded.hef") || !strings.Contains(string(r.body), `"mine"`) {
		t.Errorf("%s", r.body)
	}
}

// One connection too many is told so without being read, and a place that is
// free again is given away.
func TestTooManyConnections(t *testing.T) {
	path := serveWith(t, &inferapi.Server{API: newAPI(&fake{}), Access: inferapi.Access{Trusted: true}, MaxConnections: 2, StopTimeout: patience})
	var held []net.Conn
	for range 2 {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		fmt.Fprint(c, "GET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if _, err := io.ReadFull(c, make([]byte, 12)); err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	c := client(t, path)
	large := *picture(1)
	large.Shape, large.Data = []int{1 << 20}, make([]byte, 1<<20) // more than a socket holds
	_, err := c.Infer(t.Context(), device.Model{Type: "depth", Path: "/m"}, device.Input{Input: &large})
	if e, ok := err.(*device.Error); !ok || e.Kind != device.KindBusy || e.RetryAfter != time.Second || e.Reason != device.ReasonRejected || e.Message != "too many connections: 2 are open" {
		t.Errorf("%+v", err)
	}
	if err := held[0].Close(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; { // until the server has seen the end of the first
		if _, err := c.Index(t.Context()); err == nil {
			break
		} else if device.KindOf(err) != device.KindBusy || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// Bodies are bounded one by one and together, before they are read.
func TestBodiesAreBounded(t *testing.T) {
	running, release := make(chan struct{}), make(chan struct{})
	api := newAPI(&fake{infer: func(context.Context, device.Model, device.Input) (device.Result, error) {
		running <- struct{}{}
		<-release
		return device.Result{Text: new(string)}, nil
	}})
	api.Bodies = inferapi.NewBodies(maxMessage)
	path := serve(t, api)
	c := web(t, path)
	infer := host + "/v2/models/m/infer"
	ask(t, c, "POST", infer, make([]byte, maxMessage+1)).refused(t, 413, "invalid_request", "Message too large: 4194305 bytes; at most 4194304 are taken")
	ask(t, c, "POST", infer, nil, "Inference-Header-Content-Length", "x").refused(t, 400, "invalid_request", `is "x"`)
	ask(t, c, "POST", infer, []byte("{}"), "Content-Encoding", "gzip").refused(t, 415, "invalid_request", "gzip is not understood")

	// One request holds half of the memory; another of more than the rest is refused at once.
	body := flat(1, `"parameters":{"model_path":"/m","model_type":"depth"},"padding":"`+strings.Repeat("x", maxMessage/2)+`",`)
	done := make(chan reply)
	go func() { done <- ask(t, c, "POST", infer, body) }()
	<-running
	r := ask(t, c, "POST", infer, body)
	r.refused(t, 503, "queue_full", "no memory for a body of")
	if r.header.Get("Retry-After") != "1" {
		t.Error(r.header)
	}
	if r := ask(t, c, "GET", host+"/v2", nil); r.status != 200 {
		t.Error(r.status)
	}
	close(release)
	if r := <-done; r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	go func() { done <- ask(t, c, "POST", infer, body) }() // there is room again
	<-running
	if r := <-done; r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// A body whose length is not told is read all the same, up to the limit.
func TestChunkedBodies(t *testing.T) {
	path := serve(t, newAPI(&fake{infer: func(context.Context, device.Model, device.Input) (device.Result, error) {
		return device.Result{Text: new(string)}, nil
	}}))
	c := web(t, path)
	good := flat(1, `"parameters":{"model_path":"/m","model_type":"depth"},`)
	for status, body := range map[int]io.Reader{200: bytes.NewReader(good), 413: endless{}} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", host+"/v2/models/m/infer", io.MultiReader(body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		if err := response.Body.Close(); err != nil || response.StatusCode != status {
			t.Errorf("%d %s, want %d", response.StatusCode, text, status)
		}
	}
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
