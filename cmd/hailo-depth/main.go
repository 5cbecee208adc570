// Command hailo-depth estimates depth from pictures: as an HTTP service and
// from the command line.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"hailo-depth/config"
	"hailo-depth/internal/gctune"
)

// memoryLimit is a little more than the largest pictures take, decoded side by
// side up to limits.work_megapixels.
const memoryLimit = 1536 << 20

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2 // also a wrong configuration: restarting will not help
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	gctune.Apply(os.Getenv, memoryLimit)
	p := program{lookup: os.LookupEnv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	err := p.run(ctx, os.Args[1:])
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "hailo-depth:", err)
	if _, ok := errors.AsType[*config.Error](err); ok {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailure)
}

// program is what a run has of the world.
type program struct {
	lookup         func(string) (string, bool)
	stdin          io.Reader
	stdout, stderr io.Writer
}

func (p program) getenv(name string) string {
	value, _ := p.lookup(name)
	return value
}

const usage = `hailo-depth estimates depth from single pictures.

Usage:
  hailo-depth serve [flags]                   serve the HTTP API and a page to try it
  hailo-depth estimate [flags] FILE|URL|- ... estimate pictures (- is standard input)
  hailo-depth version

"hailo-depth serve --help" and "hailo-depth estimate --help" list the flags.
`

func (p program) run(ctx context.Context, args []string) error {
	command := "help"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "serve":
		return p.serve(ctx, args)
	case "estimate":
		return p.estimate(ctx, args)
	case "version", "--version", "-version":
		_, err := fmt.Fprintln(p.stdout, "hailo-depth", config.Version())
		return err
	case "help", "--help", "-help", "-h":
		_, err := fmt.Fprint(p.stdout, usage)
		return err
	}
	return &config.Error{Source: "command", Message: fmt.Sprintf("%q is unknown; expected serve, estimate or version (see hailo-depth --help)", command)}
}
