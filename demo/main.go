// Command demo shows the whole system at work: it starts the device manager and
// the depth service, estimates a picture, writes the results to a folder and
// says what it did. Run it with `make demo`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"hailo-depth/internal/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// patience bounds the whole demonstration.
const patience = 2 * time.Minute

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	bin := flags.String("bin", "bin", "`folder` of the programs")
	models := flags.String("models", "models", "`folder` of the models")
	out := flags.String("out", "out", "`folder` for the results")
	image := flags.String("image", "", "picture `file`; none: a rendered room whose depth is known")
	seed := flags.Uint64("seed", 7, "which room to render")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	d := &demo{stdout: stdout, out: *out}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	p, err := d.picture(ctx, *image, *seed)
	if err != nil {
		return err
	}
	folder, err := filepath.Abs(*models)
	if err != nil {
		return err
	}
	began := time.Now()
	s, err := stack.Start(ctx, stack.Config{Bin: *bin, Logs: *out, Backend: "auto", ModelDir: folder, Depth: "output: {depth_png_16: true}\n"})
	if err != nil {
		return err
	}
	d.step(began, "started hailo-device-manager (pid %d, socket %s) and hailo-depth (pid %d, %s)", s.Manager.PID(), s.Socket, s.Depth.PID(), s.URL)
	err = d.estimate(ctx, s, p)
	began = time.Now()
	if err = errors.Join(err, s.Stop()); err != nil {
		return err
	}
	d.step(began, "stopped both")
	return d.summary(p)
}

// demo prints what it does as it goes.
type demo struct {
	stdout io.Writer
	out    string
	files  []file
}

// file is a result with what it holds.
type file struct{ name, about string }

// step prints one line: how long it took, and what it was.
func (d *demo) step(began time.Time, format string, args ...any) {
	fmt.Fprintf(d.stdout, "%8.0f ms  %s\n", milliseconds(time.Since(began)), fmt.Sprintf(format, args...))
}

func milliseconds(t time.Duration) float64 { return float64(t.Microseconds()) / 1000 }

func (d *demo) write(name, about string, data []byte) error {
	d.files = append(d.files, file{name, about})
	return os.WriteFile(filepath.Join(d.out, name), data, 0o644)
}

func (d *demo) summary(p *subject) error {
	fmt.Fprintf(d.stdout, "\nResults for %s:\n", p.name)
	for _, f := range d.files {
		fmt.Fprintf(d.stdout, "  %-22s %s\n", filepath.Join(d.out, f.name), f.about)
	}
	_, err := fmt.Fprintf(d.stdout, "\nLook at %s. To try your own: make demo IMAGE=photo.jpg; to serve: make run\n", filepath.Join(d.out, "side-by-side.png"))
	return err
}
