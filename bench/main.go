// Command bench measures the whole system: both daemons and a worker as real
// processes, a JPEG of 640x480 pixels over HTTP. Run it with `make bench`.
//
// Machines differ and are noisy: compare figures of one run, as ratios.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"hailo-depth/internal/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// device is what a round of measurements runs on.
type device struct {
	name, backend, model string
	config               string // of the manager
	env                  []string
}

func devices() []device {
	return []device{
		{"simulated device, 0 ms", "sim", "scdepthv3", "", []string{"HAILO_SIM_LATENCY_MS=0"}},
		{"simulated device, 1.39 ms as scdepthv3", "sim", "scdepthv3", "", []string{"HAILO_SIM_LATENCY_MS=1.39"}},
		{"simulated device, 10 ms", "sim", "scdepthv3", "", []string{"HAILO_SIM_LATENCY_MS=10"}},
		{"pocketdepth, 1 thread", "onnx", "pocketdepth", "onnx: {threads: 1}\n", nil},
		{"pocketdepth, 2 threads", "onnx", "pocketdepth", "onnx: {threads: 2}\n", nil},
		{"pocketdepth_int8, 1 thread", "onnx", "pocketdepth_int8", "onnx: {threads: 1}\n", nil},
		{"pocketdepth_int8, 2 threads", "onnx", "pocketdepth_int8", "onnx: {threads: 2}\n", nil},
		{"pocketdepth, 2 threads that spin", "onnx", "pocketdepth", "onnx: {threads: 2, spin: true}\n", nil},
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	bin := flags.String("bin", "bin", "`folder` of the programs")
	models := flags.String("models", "models", "`folder` of the models")
	seconds := flags.Float64("seconds", 3, "measuring time of each line")
	only := flags.String("only", "", "measure only devices whose name contains this `text`")
	sockets := flags.Bool("sockets", false, "measure only the manager's sockets")
	floor := flags.String("floor", "", "be the bare server on the `socket` that the manager is compared with; bench starts it itself")
	floorLatency := flags.Duration("floor-latency", 0, "how long that server waits before it answers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *floor != "" {
		return serveFloor(ctx, *floor, *floorLatency, stdout)
	}
	picture, photo, err := subjects(ctx)
	if err != nil {
		return err
	}
	folder, err := modelFolder(*models)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }() // a temporary folder
	fmt.Fprintf(stdout, "%s/%s, %d cores; JPEG of 640x480 pixels, %d bytes; %v s a line\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), len(picture), *seconds)
	b := &bench{out: stdout, picture: picture, photo: photo, measure: time.Duration(*seconds * float64(time.Second)), models: folder, sockets: *sockets}
	for _, d := range devices() {
		if !strings.Contains(d.name, *only) {
			continue
		}
		if err := b.device(ctx, *bin, d); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return nil
}

// modelFolder has the repository's models and a file that the simulated device
// takes for scdepthv3.
func modelFolder(models string) (string, error) {
	folder, err := os.MkdirTemp("", "bench-models")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(folder, os.DirFS(models)); err != nil {
		return "", err
	}
	return folder, os.WriteFile(filepath.Join(folder, "scdepthv3.hef"), make([]byte, 65536), 0o644)
}

// bench holds what every round needs.
type bench struct {
	out     io.Writer
	picture []byte // 640x480
	photo   []byte // 4000x3000
	measure time.Duration
	models  string
	sockets bool // measure nothing else
}

func (b *bench) device(ctx context.Context, bin string, d device) error {
	logs, err := os.MkdirTemp("", "bench-logs")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(logs) }() // a temporary folder
	s, err := stack.Start(ctx, stack.Config{Bin: bin, Logs: logs, Backend: d.backend, ModelDir: b.models, Model: d.model, Manager: d.config, Env: d.env})
	if err != nil {
		return err
	}
	if err := b.rounds(ctx, s, d); err != nil {
		_ = s.Stop() // the first error is the one to tell
		return err
	}
	return s.Stop()
}

func (b *bench) rounds(ctx context.Context, s *stack.Stack, d device) error {
	processes, err := findProcesses(s)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "\n## %s\n", d.name)
	if b.sockets {
		if err := b.protocols(ctx, s, d); err != nil {
			return err
		}
		if err := b.withoutOverlap(ctx, s, d); err != nil {
			return err
		}
		if err := b.floor(ctx, d); err != nil {
			return err
		}
		return b.recovery(ctx, s, d)
	}
	fmt.Fprintln(b.out)
	fmt.Fprintf(b.out, "| answer | clients | pictures/s | p50 ms | p99 ms | /health p99 ms | CPU ms a picture: depth + manager + worker | bytes |\n|---|---|---|---|---|---|---|---|\n")
	var stages map[string]float64
	for _, f := range forms() {
		for _, clients := range []int{1, 8, 32} {
			r, err := b.load(ctx, s.URL, f, b.picture, clients, processes)
			if err != nil {
				return fmt.Errorf("%s, %d clients: %w", f.name, clients, err)
			}
			fmt.Fprintf(b.out, "| %s | %d | %.1f | %.1f | %.1f | %.1f | %.1f + %.1f + %.1f | %d |\n",
				f.name, clients, r.rate, r.p50, r.p99, r.health99, r.cpu[0], r.cpu[1], r.cpu[2], r.bytes)
			if f.name == "json both" && clients == 1 {
				stages = r.stages
			}
		}
	}
	fmt.Fprintf(b.out, "\nWhere the time goes (json both, 1 client; mean ms): %s\n", stageText(stages))
	fmt.Fprintf(b.out, "Peak memory (MiB): depth %.0f, manager %.0f, worker %.0f\n", processes[0].peak(), processes[1].peak(), processes[2].peak())
	if err := b.protocols(ctx, s, d); err != nil {
		return err
	}
	if err := b.floor(ctx, d); err != nil {
		return err
	}
	if err := b.large(ctx, s, processes); err != nil {
		return err
	}
	return b.recovery(ctx, s, d) // last: it costs the worker its life
}

// large has clients send what telephones take. It comes last: peaks of memory only grow.
func (b *bench) large(ctx context.Context, s *stack.Stack, processes [3]process) error {
	form := answerForm{"image/png", "image", "image/png"}
	for _, clients := range []int{1, 20} {
		r, err := b.load(ctx, s.URL, form, b.photo, clients, processes)
		if err != nil {
			return fmt.Errorf("large pictures, %d clients: %w", clients, err)
		}
		fmt.Fprintf(b.out, "JPEG of 12 megapixels, %s, %d clients: %.2f pictures/s, p50 %.0f ms; peak memory of depth so far %.0f MiB\n",
			form.name, clients, r.rate, r.p50, processes[0].peak())
	}
	return nil
}
