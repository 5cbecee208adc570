package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"hailo-depth/internal/npz"
	"hailo-depth/internal/stack"
)

// bin has the real programs, built once for this package's tests.
var bin string

func TestMain(m *testing.M) {
	code := 1
	programs := []string{"hailo-depth", "hailo-device-manager", "hailo-worker-sim", "hailo-worker-onnx"}
	err := stack.WithPrograms(programs, func(dir string) error {
		bin = dir
		err := linkLibrary(dir)
		if err == nil {
			code = m.Run()
		}
		return err
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// linkLibrary puts ONNX Runtime beside the programs.
func linkLibrary(dir string) error {
	library, err := filepath.Abs("../../lib/onnxruntime/libonnxruntime.so.1")
	if err != nil {
		return err
	}
	if _, err := os.Stat(library); err != nil {
		return fmt.Errorf("%w; run `make onnxruntime`", err)
	}
	return os.Symlink(library, filepath.Join(dir, "libonnxruntime.so.1"))
}

// result is how a program ended.
type result struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, stdin []byte, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "hailo-depth"), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir(), "HAILO_DEVICE_SOCKET=")
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// gradient is a PNG of 64x48 pixels whose colours differ everywhere.
func gradient(t *testing.T) (file []byte, img *image.NRGBA) {
	t.Helper()
	img = image.NewNRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(4 * x), G: uint8(5 * y), B: uint8(x + 3*y), A: 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), img
}

func write(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A network of somebody else's, with free sizes, floats, planes and ImageNet's
// normalisation, works with nothing but its manifest, and every value is right.
func TestForeignNetwork(t *testing.T) {
	file, img := gradient(t)
	out := t.TempDir()
	r := run(t, nil, "estimate", "--standalone", "--backend", "onnx", "--model-dir", "../../testdata/foreign", "--model", "luma",
		"--npz", "--out", out, write(t, filepath.Join(out, "picture.png"), file))
	if r.code != 0 {
		t.Fatalf("%+v", r)
	}
	raw, err := os.ReadFile(filepath.Join(out, "picture.depth.npz"))
	if err != nil {
		t.Fatal(err)
	}
	members, err := npz.Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	values := members["depth"].Float32s()
	for y := range 48 {
		for x := range 64 {
			c := img.NRGBAAt(x, y)
			want := (0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)) / 255
			if got := float64(values[64*y+x]); math.Abs(got-want) > 1e-5 {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, got, want)
			}
		}
	}
}

func TestEstimateManyInputs(t *testing.T) {
	file, _ := gradient(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(file) }))
	t.Cleanup(server.Close)
	out := t.TempDir()
	one := write(t, filepath.Join(out, "one.png"), file)
	broken := write(t, filepath.Join(out, "broken.png"), file[:len(file)/2])
	r := run(t, file, "estimate", "--standalone", "--json", "--png", "--npz", "--png16", "--out", filepath.Join(out, "maps"),
		one, broken, "-", server.URL+"/camera/two.png", filepath.Join(out, "absent.png"))
	if r.code != 1 || !strings.Contains(r.stderr, "2 of 5 pictures failed") {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
	type line struct {
		Input, Error, Model, Meaning string
		Width, Height                int
		Files                        []string
	}
	var lines []line
	for text := range strings.Lines(r.stdout) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lines = append(lines, l)
	}
	if len(lines) != 5 {
		t.Fatalf("%d lines: %s", len(lines), r.stdout)
	}
	for i, stem := range []string{"one", "", "stdin", "two", ""} {
		l := lines[i]
		if stem == "" {
			if l.Error == "" || len(l.Files) != 0 {
				t.Errorf("%s: %+v", l.Input, l)
			}
			continue
		}
		if l.Error != "" || l.Model != "pocketdepth" || l.Meaning != "disparity" || l.Width != 64 || l.Height != 48 || len(l.Files) != 3 {
			t.Errorf("%s: %+v", l.Input, l)
		}
		for _, suffix := range []string{".depth.png", ".depth.npz", ".depth16.png"} {
			if _, err := os.Stat(filepath.Join(out, "maps", stem+suffix)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWrongUseExitsWith2(t *testing.T) {
	config := write(t, filepath.Join(t.TempDir(), "c.yaml"), []byte("output:\n  colourmap: jet\n"))
	for want, args := range map[string][]string{
		"\"paint\" is unknown":           {"paint"},
		"no picture":                     {"estimate"},
		"not defined: -frobnicate":       {"serve", "--frobnicate"},
		"unexpected argument":            {"serve", "extra"},
		"--listen: \"nonsense\"":         {"serve", "--listen", "nonsense"},
		"exclude each other":             {"serve", "--standalone", "--socket", "/x"},
		"--colormap":                     {"estimate", "--colormap", "rainbow", "x.png"},
		"--representation: \"metres\"":   {"estimate", "--representation", "metres", "x.png"},
		"--depth-range: \"5\"":           {"estimate", "--depth-range", "5", "x.png"},
		"--range: \"2,1\" is not valid":  {"estimate", "--range", "2,1", "x.png"},
		"--priority must be 0 to 9":      {"estimate", "--priority", "10", "x.png"},
		"--timeout: -1s":                 {"estimate", "--timeout", "-1s", "x.png"},
		"one output file for 2 pictures": {"estimate", "--npz=a.npz", "x.png", "y.png"},
		"c.yaml:2: unknown field":        {"serve", "--config", config},
		"no such file":                   {"serve", "--config", "/absent.yaml"},
		"device.backend":                 {"serve", "--backend", "gpu"},
	} {
		r := run(t, nil, args...)
		if r.code != 2 || !strings.Contains(r.stderr, want) || strings.Count(r.stderr, "\n") > 2 {
			t.Errorf("%v: exit %d, %q; want %q in one line", args, r.code, r.stderr, want)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{}, {"help"}, {"--help"}, {"serve", "--help"}, {"estimate", "--help"}, {"version"}} {
		if r := run(t, nil, args...); r.code != 0 || r.stdout == "" || r.stderr != "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if r := run(t, nil, "serve", "--help"); !strings.Contains(r.stdout, "-listen") || !strings.Contains(r.stdout, "-standalone") {
		t.Error("serve --help does not list its flags")
	}
	if r := run(t, nil, "serve", "--check-config"); r.code != 0 || !strings.Contains(r.stdout, "valid") {
		t.Errorf("--check-config: %+v", r)
	}
}

func TestUnknownModelSaysWhatThereIs(t *testing.T) {
	file, _ := gradient(t)
	r := run(t, file, "estimate", "--standalone", "--backend", "onnx", "--model", "midas", "-")
	if r.code != 1 || !strings.Contains(r.stderr, `model "midas" is not there`) || !strings.Contains(r.stderr, "pocketdepth") {
		t.Errorf("%+v", r)
	}
}

// startStack runs both daemons on a simulated device.
func startStack(t *testing.T) *stack.Stack {
	t.Helper()
	models := t.TempDir()
	write(t, filepath.Join(models, "scdepthv3.hef"), make([]byte, 65536))
	s, err := stack.Start(t.Context(), stack.Config{Bin: bin, Logs: t.TempDir(), Backend: "sim", ModelDir: models})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func post(t *testing.T, url string, file []byte) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/depth/estimate",
		strings.NewReader(fmt.Sprintf(`{"image": %s, "output_format": "numpy"}`, mustJSON(t, file))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header.Get("Retry-After")
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The service outlives its manager: 503 during the gap, ready again when the
// manager is.
func TestServiceOutlivesItsManager(t *testing.T) {
	file, _ := gradient(t)
	s := startStack(t)
	if status, _ := post(t, s.URL, file); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if err := s.Manager.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Manager.Ended()
	if status, retry := post(t, s.URL, file); status != http.StatusServiceUnavailable || retry == "" {
		t.Errorf("during the gap: status %d, Retry-After %q", status, retry)
	}
	if err := s.RestartManager(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _ := post(t, s.URL, file); status != http.StatusOK {
		t.Errorf("after the gap: status %d", status)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// The service speaks HTTP with a manager that does, the older protocol with one
// that does not, and follows when one replaces the other.
func TestServiceFollowsTheManagersProtocol(t *testing.T) {
	file, _ := gradient(t)
	s := startStack(t)
	expect := func(http bool) {
		t.Helper()
		if status, _ := post(t, s.URL, file); status != 200 {
			t.Fatalf("status %d", status)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		line, err := s.Depth.Await(ctx, "using the device manager")
		if err != nil || line["http"] != http {
			t.Errorf("%v, %v; want HTTP %v", line, err, http)
		}
	}
	expect(true)
	for _, http := range []bool{false, true} {
		if err := s.Manager.Stop(60 * time.Second); err != nil {
			t.Fatal(err)
		}
		lines := ""
		if !http {
			lines = "api_socket: off\n"
		}
		if err := s.RestartManagerWith(t.Context(), lines); err != nil {
			t.Fatal(err)
		}
		if err := s.AwaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(http)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// SIGTERM lets a request that is under way finish, and the exit is clean.
func TestServeStopsInGoodOrder(t *testing.T) {
	file, _ := gradient(t)
	models := t.TempDir()
	write(t, filepath.Join(models, "scdepthv3.hef"), make([]byte, 65536))
	s, err := stack.Start(t.Context(), stack.Config{Bin: bin, Logs: t.TempDir(), Backend: "sim", ModelDir: models, Env: []string{"HAILO_SIM_LATENCY_MS=300"}})
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan int, 1)
	go func() {
		status, _ := post(t, s.URL, file)
		answered <- status
	}()
	for !busy(t, s.URL) {
		runtime.Gosched()
	}
	if err := s.Depth.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the request under way got %d", status)
	}
	<-s.Depth.Ended() // a second SIGTERM would end it at once
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// busy reports whether a request is being worked on.
func busy(t *testing.T, url string) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(text, []byte("\nhailo_depth_pictures_in_service 1\n"))
}
