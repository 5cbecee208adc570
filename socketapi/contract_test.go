package socketapi_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/manager"
	"hailo-depth/sim/simtest"
	"hailo-depth/socketapi"
	"hailo-depth/worker"
)

func TestMain(m *testing.M) { simtest.Main(m) }

const cases = "../testdata/contract"

// server is a manager with its socket, on a simulated device.
type server struct {
	socket, models string
	manager        *manager.Manager
}

// startServer runs until the test ends. Its socket has a short path: the
// temporary folders of tests can exceed what a socket address holds.
func startServer(t testing.TB, maxMessage int64, command worker.Command, change ...func(*manager.Limits)) server {
	t.Helper()
	dir, err := os.MkdirTemp("", "hailo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := server{socket: filepath.Join(dir, "device.sock"), models: filepath.Join(dir, "models")}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	limits := manager.DefaultLimits()
	limits.DrainTimeout = 2 * time.Second
	for _, f := range change {
		f(&limits)
	}
	s.manager, err = manager.New(manager.Options{
		Limits: limits, Start: manager.StartProcess(command, log), Log: log, SocketPath: s.socket,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := socketapi.Listen(socketapi.Socket{Path: s.socket, Mode: 0o660})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- s.manager.Run(ctx) }()
	go func() {
		server := socketapi.Server{Manager: s.manager, MaxMessage: maxMessage, MaxConnections: 64, Log: log}
		done <- server.Serve(ctx, l)
	}()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
	})
	s.awaitReady(t)
	return s
}

func (s server) awaitReady(t testing.TB) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for s.manager.Ready() != "" {
		select {
		case <-deadline:
			t.Fatalf("the manager is not ready: %s", s.manager.Ready())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// wireCase is a line of wire.jsonl.
type wireCase struct {
	Name, Server, Poor string
	Send               []struct {
		Frame, Raw []json.RawMessage
		HalfClose  bool `json:"half_close"`
		Close      bool
	}
	Replies []map[string]any
	End     string
}

// deviations are the cases in which we answer otherwise on purpose, with the
// error's expected beginning and whether the connection stays open.
var deviations = map[string]struct {
	why, errorPrefix string
	closes           bool
}{
	"array":                    {"the contract wants an error before the close", "Request must be a JSON object, got a list", true},
	"string":                   {"likewise", "Request must be a JSON object, got a string", true},
	"null":                     {"likewise", "Request must be a JSON object, got null", true},
	"load_number_path":         {"a wrong type is the caller's fault, not an internal error", "model_path must be a string, got a number", false},
	"infer_float32":            {"floats in 0..1 would become a black picture", "Inference failed: input_data.input: float32 values in 0..1 cannot become uint8", false},
	"tiny_uint16_wraps":        {"values over 255 are refused instead of wrapped", "Inference failed: input_data.input: element 1 is 300; uint8 holds 0 to 255", false},
	"tiny_junk_in_base64":      {"base64 is standard base64", "Inference failed: data_b64 is not standard base64", false},
	"tiny_broadcast_one":       {"one byte is no picture", "Inference failed: input_data.input: a tensor of shape [1] does not fit", false},
	"tiny_broadcast_scalar":    {"likewise", "Inference failed: input_data.input: a tensor of shape [] does not fit", false},
	"tiny_minus_one":           {"a shape is a shape", "Inference failed: shape [-1, 5, 3] has the negative dimension -1", false},
	"small_response_too_large": {"refused before any work is done", "Inference failed: input_data.input: a tensor of shape [1] does not fit", false},
	"vram_load_huge":           {"what can never fit evicts nobody", "RESOURCE_EXHAUSTED and evicting other models would not help", false},
}

// betterResults are what we answer where the recording's simulator only echoed
// what it was given: the contract says that the result of a vlm is a text.
var betterResults = map[string]any{
	"vlm_infer": "fake answer to [hi] about 0 frame(s)",
}

// notLoaded are models that the recording had and we have not: loaded by cases
// that are not kept or, once a vlm_chat was loaded, the vlm that had to leave for
// it, since the chip holds only one.
func notLoaded(name string, entry map[string]any) bool {
	modelType, path := entry["model_type"].(string), entry["model_path"].(string)
	return name == "status_at_the_end" && modelType == "vlm" ||
		modelType == "depth" && strings.HasSuffix(path, "/second.hef")
}

func TestRecordedExchanges(t *testing.T) {
	f, err := os.Open(filepath.Join(cases, "wire.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	first, err := lines.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var head struct {
		Models map[string][2]json.RawMessage
	}
	if err := json.Unmarshal(first, &head); err != nil {
		t.Fatal(err)
	}
	servers := map[string]server{}
	start := func(name string) server {
		maxMessage, env := int64(device.DefaultMaxMessage), []string{}
		switch name {
		case "small":
			maxMessage = 4096
		case "vram":
			env = append(env, "HAILO_SIM_MEMORY_MB=10")
		}
		s := startServer(t, maxMessage, simtest.Command(env...))
		writeModels(t, s.models, head.Models)
		return s
	}
	count := 0
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) == 0 && errors.Is(err, io.EOF) {
			break
		}
		var c wireCase
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		s, ok := servers[c.Server]
		if !ok {
			s = start(c.Server)
			servers[c.Server] = s
		}
		count++
		t.Run(c.Name, func(t *testing.T) { s.replay(t, c) })
	}
	if count < 100 {
		t.Errorf("only %d cases were found", count)
	}
}

// writeModels makes the files: a header line if there is one, then zeros.
func writeModels(t *testing.T, dir string, models map[string][2]json.RawMessage) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, m := range models {
		var size int
		if err := json.Unmarshal(m[1], &size); err != nil {
			t.Fatal(err)
		}
		data := make([]byte, size)
		if string(m[0]) != "null" {
			copy(data, append(slices.Clone(m[0]), '\n'))
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (s server) expand(text string) string {
	return strings.NewReplacer("${MODELS}", s.models, "${SOCKET}", s.socket).Replace(text)
}

func (s server) replay(t *testing.T, c wireCase) {
	conn, err := net.Dial("unix", s.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	halfClosed := false
	for _, piece := range c.Send {
		var out []byte
		switch {
		case piece.Frame != nil:
			body := s.join(t, piece.Frame)
			out = append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
		case piece.Raw != nil:
			out = s.join(t, piece.Raw)
		case piece.HalfClose:
			halfClosed = true
			if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
		case piece.Close:
			_ = conn.Close()
		}
		if _, err := conn.Write(out); len(out) > 0 && err != nil && c.End == "open" {
			t.Fatal(err)
		}
	}
	want := c.Replies
	end := c.End
	deviation, deviates := deviations[c.Name]
	if deviates {
		want = []map[string]any{{"error": deviation.errorPrefix}}
		if end = "open"; deviation.closes {
			end = "closed by the server"
		}
	}
	for i, w := range want {
		body, err := device.ReadFrame(conn, device.DefaultMaxMessage)
		if err != nil {
			t.Fatalf("reply %d: %v", i, err)
		}
		var got map[string]any
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("reply %d: %v: %s", i, err, body)
		}
		if diff := s.compare(t, c.Name, got, w, deviates); diff != "" {
			t.Errorf("reply %d: %s\n got %.600s\nwant %v", i, diff, body, w)
		}
	}
	if !halfClosed {
		checkEnd(t, conn, end)
	}
}

func checkEnd(t *testing.T, conn net.Conn, end string) {
	t.Helper()
	if end == "open" {
		ping := []byte(`{"action": "ping"}`)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(ping))), ping...)); err != nil {
			t.Errorf("the connection is closed: %v", err)
			return
		}
	}
	body, err := device.ReadFrame(conn, device.DefaultMaxMessage)
	switch {
	case end == "open" && err != nil:
		t.Errorf("the connection is closed: %v", err)
	case end != "open" && err == nil:
		t.Errorf("the server should have closed; it answered %.200s", body)
	}
}

// join assembles the parts of a message.
func (s server) join(t *testing.T, parts []json.RawMessage) []byte {
	t.Helper()
	var out []byte
	for _, raw := range parts {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			out = append(out, s.expand(text)...)
			continue
		}
		var p struct {
			B64, Repeat string
			Count       int
			Tensor      *struct {
				DType string
				Shape []int
				Count *int
			}
		}
		if err := json.Unmarshal(raw, &p); err != nil {
			t.Fatal(err)
		}
		switch {
		case p.Tensor != nil:
			out = append(out, tensorObject(p.Tensor.DType, p.Tensor.Shape)...)
		case p.Repeat != "":
			out = append(out, strings.Repeat(p.Repeat, p.Count)...)
		default:
			data, err := base64.StdEncoding.DecodeString(p.B64)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, data...)
		}
	}
	return out
}

// compare says how got differs from the recording, "" if it does not.
func (s server) compare(t *testing.T, name string, got, want map[string]any, deviates bool) string {
	t.Helper()
	if wantErr, ok := want["error"].(string); ok {
		gotErr, _ := got["error"].(string)
		if _, hasStatus := got["status"]; hasStatus || gotErr == "" {
			return "an error was expected"
		}
		wantErr = s.expand(wantErr)
		switch {
		case deviates:
			if !strings.HasPrefix(gotErr, wantErr) {
				return "another error"
			}
		case freeWording(name, wantErr):
			prefix, _, _ := strings.Cut(wantErr, ": ")
			if strings.HasSuffix(prefix, "failed") || strings.HasPrefix(prefix, "Failed") {
				if !strings.HasPrefix(gotErr, prefix+": ") {
					return "the error's prefix differs"
				}
			}
		case gotErr != wantErr:
			return "another error"
		}
		if !reflect.DeepEqual(got["request_id"], want["request_id"]) {
			return "request_id differs"
		}
		return ""
	}
	gotKeys, wantKeys := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))
	if !slices.Equal(gotKeys, wantKeys) {
		return fmt.Sprintf("keys %v, want %v", gotKeys, wantKeys)
	}
	for k, w := range want {
		if diff := s.compareValue(t, name, k, got[k], w); diff != "" {
			return diff
		}
	}
	return ""
}

// freeWording: after these prefixes clients match the kind only, and nobody
// matches Python's words for broken JSON.
func freeWording(name, text string) bool {
	return strings.HasPrefix(text, "Inference failed: ") || strings.HasPrefix(text, "Failed to load model: ") ||
		slices.Contains([]string{"empty_frame", "invalid_json", "invalid_json_then_good", "trailing_garbage", "invalid_utf8"}, name)
}

func (s server) compareValue(t *testing.T, name, k string, got, want any) string {
	t.Helper()
	if text, ok := want.(string); ok {
		if text == "<number>" {
			if _, ok := got.(float64); !ok {
				return fmt.Sprintf("%s is %v, not a number", k, got)
			}
			return ""
		}
		want = s.expand(text)
	}
	switch k {
	case "queue_depth": // the old manager counted the status request itself
		want = want.(float64) - 1
	case "total_lru_evictions", "last_capacity_event_reason", "last_capacity_event_model", "last_capacity_event_at":
		switch name {
		case "vram_status_4": // huge12.hef evicted nobody
			return ""
		case "status_at_the_end": // vlm made room for vlm_chat
			want = map[string]any{"total_lru_evictions": 1.0, "last_capacity_event_model": s.expand("${MODELS}/second.hef"),
				"last_capacity_event_reason": "the device holds one vision-language model at a time; made room for second.hef (vlm_chat)"}[k]
			if _, isTime := got.(float64); k == "last_capacity_event_at" && isTime {
				return ""
			}
		}
	case "loaded_models":
		return s.compareModels(t, name, got.([]any), want.([]any))
	case "networks":
		return s.compareModels(t, name, got.(map[string]any)["networks"].([]any), want.(map[string]any)["networks"].([]any))
	case "result":
		if better, ok := betterResults[name]; ok {
			want = better
		}
		return compareResult(t, got, want)
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("%s is %v, want %v", k, got, want)
	}
	return ""
}

func (s server) compareModels(t *testing.T, name string, got, want []any) string {
	t.Helper()
	if name == "vram_status_4" {
		if len(got) != 2 {
			return fmt.Sprintf("%d models are loaded; the two from before should be", len(got))
		}
		return ""
	}
	var expected []map[string]any
	for _, w := range want {
		if entry := w.(map[string]any); !notLoaded(name, entry) {
			expected = append(expected, entry)
		}
	}
	if len(got) != len(expected) {
		return fmt.Sprintf("%d models, want %d", len(got), len(expected))
	}
	for i, w := range expected {
		g := got[i].(map[string]any)
		if !slices.Equal(slices.Sorted(maps.Keys(g)), slices.Sorted(maps.Keys(w))) {
			return fmt.Sprintf("model %d has the keys %v", i, slices.Sorted(maps.Keys(g)))
		}
		for k, v := range w {
			if diff := s.compareValue(t, name, k, g[k], v); diff != "" {
				return diff
			}
		}
	}
	return ""
}

func compareResult(t *testing.T, got, want any) string {
	t.Helper()
	w, ok := want.(map[string]any)
	if !ok || w["data"] == nil {
		if !reflect.DeepEqual(got, want) {
			return fmt.Sprintf("result %v", got)
		}
		return ""
	}
	g := got.(map[string]any)
	if g["dtype"] != w["dtype"] || !reflect.DeepEqual(g["shape"], w["shape"]) {
		return fmt.Sprintf("result %v %v", g["dtype"], g["shape"])
	}
	data, err := base64.StdEncoding.DecodeString(g["data_b64"].(string))
	if err != nil {
		return err.Error()
	}
	recorded := gunzip(t, filepath.Join(cases, w["data"].(map[string]any)["file"].(string)))
	if !slices.Equal(data, recorded) {
		return "the result's values differ"
	}
	return ""
}

func gunzip(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// tensorObject is the recordings' tensor: flat item i is (i*7 + i/320*13) mod
// 251, divided by 250 for float types.
func tensorObject(dtype string, shape []int) string {
	n := 1
	for _, d := range shape {
		n *= d
	}
	var data []byte
	for i := range n {
		v := (i*7 + i/320*13) % 251
		if dtype == "float32" {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(float64(v)/250)))
		} else {
			data = append(data, byte(v))
		}
	}
	shapeText, _ := json.Marshal(shape)
	return fmt.Sprintf(`{"dtype": %q, "shape": %s, "data_b64": %q}`, dtype, shapeText, base64.StdEncoding.EncodeToString(data))
}
