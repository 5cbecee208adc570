//go:build hailort

// Command hailo-worker-hailort is a worker that runs networks on a Hailo-10H.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"hailo-depth/hailort"
	"hailo-depth/worker"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Getenv, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "hailo-worker-hailort:", err)
		os.Exit(1)
	}
}

// groupEnv is the group of virtual devices, which the manager passes on.
const groupEnv = "HAILO_DEVICE_GROUP_ID"

// outputsEnv says who turns outputs into float32.
const outputsEnv = "HAILO_WORKER_OUTPUTS"

func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	flags := flag.NewFlagSet("hailo-worker-hailort", flag.ContinueOnError)
	flags.SetOutput(stderr)
	device := flags.String("device", "", "PCI `address` of the device; empty: the only one that there is")
	flags.Usage = func() {
		version, err := hailort.Version()
		if err != nil {
			version = err.Error()
		}
		fmt.Fprintf(stderr, "hailo-worker-hailort runs networks on a Hailo-10H for hailo-device-manager --backend hailort, which starts it.\n"+
			"It runs on HailoRT %s.\nFlags:\n", version)
		flags.PrintDefaults()
		fmt.Fprintf(stderr, "Environment:\n  %s  programs of one group share the device; empty: this one has it for itself\n"+
			"  %s   \"native\" (default): outputs are dequantised here; \"library\": by HailoRT, on the device\n", groupEnv, outputsEnv)
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	config := hailort.Config{Device: *device, Group: getenv(groupEnv), Log: slog.New(slog.NewTextHandler(stderr, nil))}
	switch outputs := getenv(outputsEnv); outputs {
	case "", "native":
	case "library":
		config.LibraryFloats = true
	default:
		return fmt.Errorf("%s=%q: expected native or library", outputsEnv, outputs)
	}
	backend, err := hailort.Open(config)
	if e, ok := errors.AsType[*worker.Error](err); ok {
		return errors.Join(err, worker.Refuse(ctx, e))
	}
	if err != nil {
		return err
	}
	return worker.Serve(ctx, backend)
}
