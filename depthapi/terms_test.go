package depthapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"hailo-depth/depth"
	"hailo-depth/device"
	"hailo-depth/fetch"
	"hailo-depth/manager"
	"hailo-depth/sim/simtest"
	"hailo-depth/socketapi"
)

func reasonOf(t *testing.T, body []byte) device.Reason {
	t.Helper()
	var envelope struct {
		Error struct{ Reason device.Reason }
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		t.Fatalf("%v: %.200s", err, body)
	}
	return envelope.Error.Reason
}

// with sets headers of a request for an estimate.
func with(r *http.Request, headers ...string) *http.Request {
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// watchedDevice tells on what terms each inference comes, and fails it if told to.
type watchedDevice struct {
	device.Service
	seen chan context.Context
	err  error
}

func (d *watchedDevice) Infer(ctx context.Context, m device.Model, in device.Input) (device.Result, error) {
	d.seen <- ctx
	if d.err != nil {
		return device.Result{}, d.err
	}
	return d.Service.Infer(ctx, m, in)
}

func TestTermsReachTheDevice(t *testing.T) {
	d := &watchedDevice{Service: startManager(t, simtest.Command()), seen: make(chan context.Context, 1)}
	s := start(t, d, settings(), limits(), fetch.Rules{})
	s.awaitReady(t)
	for _, c := range []struct {
		headers  []string
		priority int
		within   time.Duration
	}{
		{nil, 5, settings().Timeout},
		{[]string{"X-Request-Priority", "0"}, 0, settings().Timeout},
		{[]string{"X-Request-Priority", "9", "X-Request-Timeout-Ms", "5000"}, 9, 5 * time.Second},
		{[]string{"X-Request-Timeout-Ms", "9223372036854775807"}, 5, settings().Timeout}, // the service's own limit holds
	} {
		before := time.Now()
		status, _, body := s.post(t, with(form(t, gray(t, 4, 4), nil), c.headers...))
		after := time.Now()
		if status != http.StatusOK {
			t.Fatalf("%v: %d %s", c.headers, status, body)
		}
		ctx := <-d.seen
		if terms := device.TermsOf(ctx); terms != (device.Terms{Priority: c.priority, Client: "hailo-depth/127.0.0.1"}) {
			t.Errorf("%v: %+v", c.headers, terms)
		}
		if end, _ := ctx.Deadline(); end.Before(before.Add(c.within)) || end.After(after.Add(c.within)) {
			t.Errorf("%v: the deadline is %v after the request; want %v", c.headers, end.Sub(before), c.within)
		}
	}
}

func TestBadTermsAnswer400(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{})
	for header, texts := range map[string][]string{
		"X-Request-Priority":   {"10", "-1", "high", "5.0", " ", "99999999999999999999"},
		"X-Request-Timeout-Ms": {"0", "-5", "1s", "1.5", "99999999999999999999"},
	} {
		for _, text := range texts {
			if text == " " {
				continue // no header at all, as HTTP has it
			}
			status, _, body := s.post(t, with(form(t, gray(t, 4, 4), nil), header, text))
			kind, message := errorOf(t, body)
			if status != http.StatusBadRequest || kind != "invalid_request" || reasonOf(t, body) != device.ReasonRejected ||
				!strings.HasPrefix(message, fmt.Sprintf("header %s: %q is not valid; expected a whole number", header, text)) {
				t.Errorf("%s: %q: %d %s", header, text, status, body)
			}
		}
	}
}

// A request whose own deadline passes gets 504 and the reason expired, wherever
// it is: at the device, before a place is free, while its body is still coming.
func TestExpiredAnswers504(t *testing.T) {
	s, held := startHeld(t, same, depth.Limits{Pictures: 1, Queue: 8, MaxPixels: 1e6, WorkPixels: 1e6})
	expired := func(where string, status int, body []byte) {
		t.Helper()
		if kind, _ := errorOf(t, body); status != http.StatusGatewayTimeout || kind != "timeout" || reasonOf(t, body) != device.ReasonExpired {
			t.Errorf("%s: %d %s", where, status, body)
		}
	}
	status, _, body := s.post(t, with(form(t, gray(t, 4, 4), nil), "X-Request-Timeout-Ms", "40"))
	<-held.asked
	expired("at the device", status, body)

	first := make(chan error, 1)
	go func() {
		_, _, _, err := s.send(form(t, gray(t, 4, 4), nil))
		first <- err
	}()
	<-held.asked
	status, _, body = s.post(t, with(form(t, gray(t, 4, 4), nil), "X-Request-Timeout-Ms", "40"))
	expired("before there is a place", status, body)
	held.goOn <- struct{}{}
	if err := <-first; err != nil {
		t.Error(err)
	}

	patient := settings()
	patient.ReadTime = time.Hour
	conn, err := net.Dial("tcp", strings.TrimPrefix(startReady(t, patient, fetch.Rules{}).url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/depth/estimate HTTP/1.1\r\nHost: x\r\nX-Request-Timeout-Ms: 40\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"image\":")
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(answer), "\r\n\r\n")
	if !strings.HasPrefix(string(answer), "HTTP/1.1 504 ") {
		t.Fatalf("%.300s", answer)
	}
	expired("while its body comes", http.StatusGatewayTimeout, []byte(after))
	if text := s.estimator.LastError(); text != "" {
		t.Errorf("a caller's deadline is the service's last error: %s", text)
	}
}

// What the device's side says becomes a status, a type and a reason.
func TestReasonsOfTheDevice(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		kind   string
		reason device.Reason
		retry  string
	}{
		{&device.Error{Kind: device.KindBusy, RetryAfter: 2500 * time.Millisecond}, 503, "overloaded", device.ReasonRejected, "3"},
		{&device.Error{Kind: device.KindBusy}, 503, "overloaded", device.ReasonRejected, "1"},
		{&device.Error{Kind: device.KindUnavailable}, 503, "unavailable", device.ReasonBackend, "1"},
		{&device.Error{Kind: device.KindMemoryFull}, 503, "unavailable", device.ReasonBackend, "1"},
		{&device.Error{Kind: device.KindTimeout}, 504, "timeout", device.ReasonBackend, ""}, // its own, not the request's
		{&device.Error{Kind: device.KindTimeout, Reason: device.ReasonExpired}, 504, "timeout", device.ReasonExpired, ""},
		{&device.Error{Kind: device.KindModel}, 500, "internal_error", device.ReasonBackend, ""},
		{errors.New("odd"), 500, "internal_error", device.ReasonBackend, ""},
	} {
		d := &watchedDevice{Service: startManager(t, simtest.Command()), seen: make(chan context.Context, 1), err: c.err}
		s := start(t, d, settings(), limits(), fetch.Rules{})
		s.awaitReady(t)
		status, header, body := s.post(t, form(t, gray(t, 4, 4), nil))
		if kind, _ := errorOf(t, body); status != c.status || kind != c.kind || reasonOf(t, body) != c.reason || header.Get("Retry-After") != c.retry {
			t.Errorf("%#v: %d, Retry-After %q, %s", c.err, status, header.Get("Retry-After"), body)
		}
		counted := fmt.Sprintf("\nhailo_depth_failures_total{reason=%q} 1\n", c.reason)
		if _, _, figures := s.post(t, newRequest(t, http.MethodGet, "/metrics", nil)); !bytes.Contains(figures, []byte(counted)) {
			t.Errorf("%s is not among the figures", counted)
		}
	}
}

// A request that waits in the manager's queue leaves it when its HTTP client
// hangs up: through the service, the manager's socket and its queue, while a
// worker process is busy with another request.
func TestDisconnectLeavesTheManagersQueue(t *testing.T) {
	busy := awaited{text: "injected hang", seen: make(chan struct{})}
	m := startLogging(t, simtest.Command("HAILO_SIM_FAULTS=infer=hang@1"), &busy)
	s := start(t, overSocket(t, m), settings(), limits(), fetch.Rules{})
	s.awaitReady(t)
	post := func() (leave context.CancelFunc, left chan error) {
		ctx, cancel := context.WithCancel(t.Context())
		left = make(chan error, 1)
		go func() {
			_, _, _, err := s.send(form(t, gray(t, 4, 4), nil).WithContext(ctx))
			left <- err
		}()
		return cancel, left
	}
	queue := func(prepared, waiting int) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; runtime.Gosched() {
			q := m.Overview(t.Context()).Queue
			if q.Prepared == prepared && q.Waiting == waiting {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%d requests are with the worker and %d wait, want %d and %d", q.Prepared, q.Waiting, prepared, waiting)
			}
		}
	}
	leaveFirst, firstLeft := post()
	<-busy.seen
	leaveSecond, secondLeft := post()
	queue(1, 0) // the worker has it already
	leave, left := post()
	queue(1, 1)
	leave()
	if err := <-left; err == nil {
		t.Error("a client that left got an answer")
	}
	queue(1, 0)
	for s.estimator.InService() != 2 { // the service lets go of it a moment later
		runtime.Gosched()
	}
	leaveFirst()
	leaveSecond()
	<-firstLeft
	<-secondLeft
}

// awaited is a log that tells when it is given a text.
type awaited struct {
	text string
	once sync.Once
	seen chan struct{}
}

func (a *awaited) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(a.text)) {
		a.once.Do(func() { close(a.seen) })
	}
	return len(line), nil
}

// overSocket is a client of the manager's socket.
func overSocket(t *testing.T, m *manager.Manager) *device.Client {
	t.Helper()
	dir, err := os.MkdirTemp("", "depth") // t.TempDir is too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "device.sock")
	l, err := socketapi.Listen(socketapi.Socket{Path: path, Mode: 0o600})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	server := socketapi.Server{Manager: m, MaxMessage: 64 << 20, MaxConnections: 16, Log: quiet()}
	go func() { served <- server.Serve(ctx, l) }()
	c := &device.Client{Path: path}
	t.Cleanup(func() {
		_ = c.Close() // idle connections only
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return c
}
