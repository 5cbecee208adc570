package depthapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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
	"hailo-depth/sim/simtest"
)

// heldDevice is a manager whose inferences wait until they are let go.
type heldDevice struct {
	device.Service
	asked chan struct{} // one for each inference that arrives
	goOn  chan struct{} // one for each that may go on
}

func (h *heldDevice) Infer(ctx context.Context, m device.Model, in device.Input) (device.Result, error) {
	h.asked <- struct{}{}
	select {
	case <-h.goOn:
		return h.Service.Infer(ctx, m, in)
	case <-ctx.Done():
		kind := device.KindCanceled
		if ctx.Err() == context.DeadlineExceeded {
			kind = device.KindTimeout
		}
		return device.Result{}, &device.Error{Kind: kind, Message: "the request ended while it waited"}
	}
}

func startHeld(t *testing.T, s func(timeout time.Duration) time.Duration, l depth.Limits) (service, *heldDevice) {
	t.Helper()
	held := &heldDevice{Service: startManager(t, simtest.Command()), asked: make(chan struct{}, 100), goOn: make(chan struct{}, 100)}
	settings := settings()
	settings.Timeout = s(settings.Timeout)
	svc := start(t, held, settings, l, fetch.Rules{})
	svc.awaitReady(t)
	return svc, held
}

func same(d time.Duration) time.Duration { return d }

func gray(t testing.TB, width, height int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = byte(i)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func errorOf(t *testing.T, body []byte) (kind, message string) {
	t.Helper()
	var envelope struct {
		Error struct{ Message, Type string }
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		t.Fatalf("%v: %.200s", err, body)
	}
	return envelope.Error.Type, envelope.Error.Message
}

// Beyond the queue's limit the answer is 503 at once, and /health answers all
// the while.
func TestFullQueueAnswers503(t *testing.T) {
	s, held := startHeld(t, same, depth.Limits{Pictures: 2, Queue: 1, MaxPixels: 1e6, WorkPixels: 1e6})
	picture := gray(t, 8, 8)
	var clients sync.WaitGroup
	results := make(chan int, 3)
	for range 3 { // two places and one in the queue
		clients.Go(func() {
			status, _, _, err := s.send(form(t, picture, nil))
			if err != nil {
				t.Error(err)
			}
			results <- status
		})
	}
	<-held.asked
	<-held.asked
	for s.estimator.Waiting() != 1 {
		runtime.Gosched() // the third request has no other sign of its arrival
	}
	status, header, body := s.post(t, form(t, picture, nil))
	if kind, _ := errorOf(t, body); status != 503 || header.Get("Retry-After") == "" || kind != "overloaded" {
		t.Errorf("status %d, Retry-After %q: %s", status, header.Get("Retry-After"), body)
	}
	if status, _, _ := s.post(t, newRequest(t, http.MethodGet, "/health", nil)); status != 200 {
		t.Errorf("/health answers %d while the device is busy", status)
	}
	for range 3 {
		held.goOn <- struct{}{}
	}
	clients.Wait()
	for range 3 {
		if status := <-results; status != 200 {
			t.Errorf("a request that was let in got %d", status)
		}
	}
}

func TestDeadlineAnswers504(t *testing.T) {
	s, _ := startHeld(t, func(time.Duration) time.Duration { return 50 * time.Millisecond }, limits())
	status, _, body := s.post(t, form(t, gray(t, 8, 8), nil))
	if kind, _ := errorOf(t, body); status != 504 || kind != "timeout" {
		t.Errorf("status %d: %s", status, body)
	}
}

// A client that leaves takes its request along.
func TestClientThatLeavesIsForgotten(t *testing.T) {
	s, held := startHeld(t, same, depth.Limits{Pictures: 1, Queue: 0, MaxPixels: 1e6, WorkPixels: 1e6})
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, _, _, err := s.send(form(t, gray(t, 8, 8), nil).WithContext(ctx))
		gone <- err
	}()
	<-held.asked
	leave()
	if err := <-gone; err == nil {
		t.Error("an answer came for a client that had left")
	}
	held.goOn <- struct{}{} // for the next one,
	held.goOn <- struct{}{} // and one that the first may still pick up
	for {                   // its place is free as soon as the server has noticed
		status, _, body := s.post(t, form(t, gray(t, 8, 8), nil))
		if status == 200 {
			return
		}
		if status != 503 {
			t.Fatalf("status %d: %s", status, body)
		}
	}
}

func TestAcceptChoosesTheAnswer(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{})
	picture := gray(t, 8, 6)
	for accept, want := range map[string]string{
		"":                                  "application/json",
		"*/*":                               "application/json",
		"text/html,*/*;q=0.8":               "application/json",
		"image/png":                         "image/png",
		"application/x-npz":                 "application/x-npz",
		"application/json;q=0.5, image/png": "image/png",
		"image/png;q=0.1, application/json": "application/json",
		"image/png;q=nonsense":              "application/json",
	} {
		r := form(t, picture, map[string]string{"normalize": "false"})
		r.Header.Set("Accept", accept)
		status, header, body := s.post(t, r)
		if status != 200 || !strings.HasPrefix(header.Get("Content-Type"), want) || header.Get("Vary") != "Accept" {
			t.Errorf("Accept %q: %d %q", accept, status, header.Get("Content-Type"))
		}
		if header.Get("Depth-Values") != "logit; near=large; unit=relative; scale=unknown; shift=unknown" || header.Get("Depth-Model") != "scdepthv3" {
			t.Errorf("Accept %q: the headers say %q of %q", accept, header.Get("Depth-Values"), header.Get("Depth-Model"))
		}
		if want == "image/png" && !bytes.Contains(body, []byte("Depth values\x00logit, larger is nearer")) {
			t.Error("the PNG does not say what its numbers are")
		}
	}
	r := form(t, picture, map[string]string{"output_format": "depth_png_16"})
	r.Header.Set("Accept", "image/png")
	_, _, body := s.post(t, r)
	img, err := png.Decode(bytes.NewReader(body))
	if err != nil || img.ColorModel() != color.Gray16Model {
		t.Errorf("depth_png_16 as image/png: %T, %v", img, err)
	}
}

func TestOrient(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{})
	picture, err := os.ReadFile(filepath.Join(contract, "images", "exif_orientation6_320x240.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for orient, want := range map[string]string{"": "[240,320]", "false": "[240,320]", "true": "[320,240]"} {
		_, _, body := s.post(t, form(t, picture, map[string]string{"orient": orient, "output_format": "numpy"}))
		if !bytes.Contains(body, []byte(`"depth_shape":`+want)) {
			t.Errorf("orient=%q: %.160s", orient, body)
		}
	}
}

func TestPixelLimit(t *testing.T) {
	l := limits()
	l.MaxPixels = 100
	s := start(t, startManager(t, simtest.Command()), settings(), l, fetch.Rules{})
	s.awaitReady(t)
	if status, _, body := s.post(t, form(t, gray(t, 10, 10), nil)); status != 200 {
		t.Errorf("at the limit: %d %s", status, body)
	}
	status, _, body := s.post(t, form(t, gray(t, 101, 1), nil))
	if _, message := errorOf(t, body); status != 413 || !strings.Contains(message, "101x1") {
		t.Errorf("over the limit: %d %s", status, body)
	}
}

// jsonRequest asks for an estimate with a JSON body.
func jsonRequest(t *testing.T, v any) *http.Request {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	r := newRequest(t, http.MethodPost, "/v1/depth/estimate", body)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// Loopback is refused unless it is allowed, also after a redirect.
func TestImageURLRules(t *testing.T) {
	images := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(contract, "images"))))
	t.Cleanup(images.Close)
	s := startReady(t, settings(), fetch.Rules{Private: true})
	for _, address := range []string{
		images.URL + "/rgba_17x13.png", "http://localhost:1/x.png", "http://[::1]:1/x.png", "http://169.254.169.254/latest/",
		"http://0.0.0.0:1/x.png", "file:///etc/passwd", "gopher://127.0.0.1/", "http://", "",
	} {
		status, _, body := s.post(t, jsonRequest(t, map[string]any{"image_url": address}))
		if kind, message := errorOf(t, body); status != 400 || kind != "invalid_request" || !strings.HasPrefix(message, "Failed to fetch image URL: ") {
			t.Errorf("%q: %d %s", address, status, body)
		}
	}
	allowed := startReady(t, settings(), fetch.Rules{Loopback: true})
	if status, _, body := allowed.post(t, jsonRequest(t, map[string]any{"image_url": images.URL + "/rgba_17x13.png"})); status != 200 {
		t.Errorf("allowed: %d %s", status, body)
	}
}

func TestImagePath(t *testing.T) {
	path, err := filepath.Abs(filepath.Join(contract, "images", "rgba_17x13.png"))
	if err != nil {
		t.Fatal(err)
	}
	s := startReady(t, settings(), fetch.Rules{})
	if status, _, body := s.post(t, jsonRequest(t, map[string]any{"image_path": path})); status != 400 {
		t.Errorf("switched off: %d %s", status, body)
	}
	open := settings()
	open.AllowPaths = true
	allowed := startReady(t, open, fetch.Rules{})
	for path, want := range map[string]int{path: 200, filepath.Dir(path): 400, "/dev/zero": 400, "/absent.png": 400} {
		if status, _, body := allowed.post(t, jsonRequest(t, map[string]any{"image_path": path})); status != want {
			t.Errorf("%s: %d, want %d: %.200s", path, status, want, body)
		}
	}
}

// A body that stops half way does not hold its place for ever.
func TestSlowBodyAnswers408(t *testing.T) {
	slow := settings()
	slow.ReadTime = 50 * time.Millisecond
	s := startReady(t, slow, fetch.Rules{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/depth/estimate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"image\":")
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 408 ")) {
		t.Errorf("%v: %.300s", err, answer)
	}
}

// The service over a manager that is not there says so, and why.
func TestNoManager(t *testing.T) {
	s := start(t, &device.Client{Path: filepath.Join(t.TempDir(), "absent.sock")}, settings(), limits(), fetch.Rules{})
	status, header, body := s.post(t, form(t, gray(t, 4, 4), nil))
	if kind, _ := errorOf(t, body); status != 503 || kind != "unavailable" || header.Get("Retry-After") == "" {
		t.Errorf("estimate: %d %s", status, body)
	}
	status, _, body = s.post(t, newRequest(t, http.MethodGet, "/health/ready", nil))
	if status != 503 || !bytes.Contains(body, []byte(`"ready":false,"reason":"`)) {
		t.Errorf("ready: %d %s", status, body)
	}
	if status, _, body := s.post(t, newRequest(t, http.MethodGet, "/health", nil)); status != 200 || !bytes.Contains(body, []byte(`"model":null`)) {
		t.Errorf("health: %d %s", status, body)
	}
}

// A worker that dies costs no answer: the manager tries once more with the next.
func TestWorkerCrashCostsNoAnswer(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{}, "HAILO_SIM_FAULTS=infer=crash@2")
	for i := range 3 { // each fresh worker dies at its second inference
		if status, _, body := s.post(t, form(t, gray(t, 16, 16), nil)); status != 200 {
			t.Fatalf("request %d: status %d: %.300s", i, status, body)
		}
	}
}

// A picture that kills every worker gets its answer, and not a third try.
func TestCrashingPictureAnswers503(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{}, "HAILO_SIM_FAULTS=infer=crash@1+")
	status, header, body := s.post(t, form(t, gray(t, 16, 16), nil))
	kind, message := errorOf(t, body)
	if status != 503 || kind != "unavailable" || reasonOf(t, body) != device.ReasonBackend || header.Get("Retry-After") == "" || !strings.Contains(message, "worker") {
		t.Errorf("status %d: %s", status, body)
	}
}
