package sim_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"hailo-depth/sim/simtest"
	"hailo-depth/worker"
)

func TestMain(m *testing.M) { simtest.Main(m) }

// start runs the device as a child and passes on the lines that it says.
func start(t *testing.T, env ...string) (*worker.Process, <-chan string) {
	t.Helper()
	said := make(lines, 16)
	p, err := worker.Start(t.Context(), simtest.Command(env...), slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		<-p.Done()
	})
	return p, said
}

type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func model(t *testing.T) worker.LoadSpec {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.hef")
	if err := os.WriteFile(path, []byte("weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	return worker.LoadSpec{Path: path}
}

func TestIdentity(t *testing.T) {
	p, _ := start(t)
	want := worker.Identity{Protocol: worker.Version, Backend: "sim", DeviceID: "0001:01:00.0", Architecture: "HAILO10H", Firmware: "5.3.0 (release,app)"}
	if got := p.Identity(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestCrashEndsTheProcess(t *testing.T) {
	p, said := start(t, "HAILO_SIM_FAULTS=load=crash@1")
	_, err := p.Load(t.Context(), model(t))
	if worker.KindOf(err) != worker.KindLost || !strings.Contains(err.Error(), "exit status 70") {
		t.Errorf("the load ended with %v", err)
	}
	if line := <-said; !strings.Contains(line, "injected crash at load 1") {
		t.Errorf("it said %q", line)
	}
}

// A hang answers nothing, but statistics, which do not wait for the device.
func TestHangIsNotTheEnd(t *testing.T) {
	p, said := start(t, "HAILO_SIM_FAULTS=load=hang@1")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	spec := model(t)
	go func() {
		_, err := p.Load(ctx, spec)
		ended <- err
	}()
	if line := <-said; !strings.Contains(line, "injected hang at load 1") {
		t.Errorf("it said %q", line)
	}
	if s, err := p.Statistics(t.Context()); err != nil || s.MemoryUsedBytes != 0 {
		t.Errorf("statistics: %+v, %v", s, err)
	}
	select {
	case err := <-ended:
		t.Errorf("the load ended: %v", err)
	default:
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("the load succeeded")
	}
}

// A worker that cannot read its settings says which and does not start.
func TestBadSettingsEndTheWorker(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	_, err := worker.Start(t.Context(), simtest.Command("HAILO_SIM_MEMORY_MB=none"), log)
	if err == nil || !strings.Contains(err.Error(), "HAILO_SIM_MEMORY_MB") {
		t.Errorf("it started, or did not say why: %v", err)
	}
}

// TestGenerationOfAProcess: characters come whole, although tokens end within
// them; a token that never comes stops neither statistics nor the end.
func TestGenerationOfAProcess(t *testing.T) {
	p, said := start(t, "HAILO_SIM_FAULTS=token=hang@20+")
	spec := model(t)
	spec.Task = worker.TaskVLM
	n, err := p.Load(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	const want = "fake answer to [Was ist das für ein Bild? 日本語] about 0 frame(s)"
	var heard []string
	got, _, err := n.Generate(t.Context(), nil, 0, worker.Generation{Prompt: "Was ist das für ein Bild? 日本語"}, func(p worker.Piece) { heard = append(heard, p.Token) })
	if err != nil || got.Text != want || strings.Join(heard, "") != want || len(heard) < 5 {
		t.Errorf("%+v, heard %q, %v", got, heard, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, _, err := n.Generate(ctx, nil, 0, worker.Generation{Prompt: strings.Repeat("x", 200)}, nil)
		ended <- err
	}()
	if line := <-said; !strings.Contains(line, "injected hang at token 20") {
		t.Errorf("it said %q", line)
	}
	if s, err := p.Statistics(t.Context()); err != nil || s.MemoryUsedBytes != 7 {
		t.Errorf("statistics: %+v, %v", s, err)
	}
	p.Kill()
	if err := <-ended; worker.KindOf(err) != worker.KindLost {
		t.Errorf("%v", err)
	}
}

func TestCrashInAGeneration(t *testing.T) {
	p, _ := start(t, "HAILO_SIM_FAULTS=token=crash@3")
	spec := model(t)
	spec.Task = worker.TaskVLM
	n, err := p.Load(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.Generate(t.Context(), nil, 0, worker.Generation{Prompt: "x"}, nil); worker.KindOf(err) != worker.KindLost || !strings.Contains(err.Error(), "exit status 70") {
		t.Errorf("%v", err)
	}
}

// TestDeviceThatCannotBeOpened: the manager's side learns the status and what
// follows from it.
func TestDeviceThatCannotBeOpened(t *testing.T) {
	for status, want := range map[string]worker.Kind{"74": worker.KindHeld, "76": worker.KindVersion, "89": worker.KindLost, "4": worker.KindLost} {
		command := simtest.Command("HAILO_SIM_FAULTS=open=" + status)
		p, err := worker.Start(t.Context(), command, slog.New(slog.DiscardHandler))
		e, ok := errors.AsType[*worker.Error](err)
		if p != nil || !ok || e.Kind != want || strconv.Itoa(e.Status) != status ||
			!strings.HasPrefix(e.Message, "starting "+command.Path+": injected fault at open 1 of 0001:01:00.0: HAILO_") {
			t.Errorf("status %s: %v, %+v; want kind %s", status, p, err, want)
		}
	}
}
