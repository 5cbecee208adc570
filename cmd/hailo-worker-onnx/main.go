// Command hailo-worker-onnx is a worker that runs ONNX networks on the CPU.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"hailo-depth/onnx"
	"hailo-depth/onnx/library"
	"hailo-depth/worker"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Getenv, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "hailo-worker-onnx:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	flags := flag.NewFlagSet("hailo-worker-onnx", flag.ContinueOnError)
	flags.SetOutput(stderr)
	threads := flags.Int("threads", 0, "threads per inference; 0: all cores but one")
	memory := flags.Int64("memory-mb", 0, "memory for all networks in MiB, beyond which a load fails as \"device memory full\"; 0: no limit")
	spin := flags.Bool("spin", false, "let idle threads wait busily: a little faster, at the price of the machine's other work")
	flags.Usage = func() {
		fmt.Fprintf(stderr, "hailo-worker-onnx runs ONNX networks on the CPU for hailo-device-manager --backend onnx, which starts it.\nIt needs the ONNX Runtime library (%s names it, if it is not found by itself).\nFlags:\n", library.Env)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case *threads < 0 || *threads > 1024:
		return fmt.Errorf("--threads %d: expected 0 to 1024", *threads)
	case *memory < 0 || *memory > 1<<24:
		return fmt.Errorf("--memory-mb %d: expected 0 to %d", *memory, 1<<24)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	path, err := library.Find(getenv, program, library.SystemDirs(getenv))
	if err != nil {
		return err
	}
	backend, err := onnx.Open(onnx.Config{Library: path, Threads: *threads, MemoryBytes: *memory << 20, Spin: *spin})
	if err != nil {
		return err
	}
	return worker.Serve(ctx, backend)
}
