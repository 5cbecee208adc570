// Command hailo-device-manager owns the accelerator and lets services share it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"hailo-depth/config"
	"hailo-depth/internal/gctune"
	"hailo-depth/strictyaml"
)

// memoryLimit leaves room for a few of the largest messages at once.
const memoryLimit = 512 << 20

// Exit codes: systemd should not restart what cannot start.
const (
	exitFailure = 1
	exitConfig  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)      // a second signal ends the process at once
	hangup := make(chan os.Signal, 1) // room for one: a reload that is due covers all that came before it
	signal.Notify(hangup, syscall.SIGHUP)
	gctune.Apply(os.Getenv, memoryLimit)
	err := run(ctx, os.Args[1:], os.LookupEnv, hangup, os.Stdout, os.Stderr)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "hailo-device-manager:", err)
	if _, ok := errors.AsType[*config.Error](err); ok {
		os.Exit(exitConfig)
	}
	os.Exit(exitFailure)
}

// run does everything; main only turns its error into an exit code.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), hangup <-chan os.Signal, stdout, stderr io.Writer) error {
	getenv := func(name string) string {
		value, _ := lookup(name)
		return value
	}
	if len(args) > 0 {
		for _, c := range commands() {
			if c.name == args[0] {
				return c.run(ctx, program{lookup: lookup, stdout: stdout, stderr: stderr}, args[1:])
			}
		}
	}
	c, action, err := configure(args, lookup, stdout)
	if err != nil || action == actionNone {
		return err
	}
	if action == actionCheck {
		if _, err := settings(c); err != nil {
			return err
		}
		_, err := fmt.Fprintln(stdout, "the configuration is valid")
		return err
	}
	again := func() (config.Manager, error) {
		c, _, err := configure(args, lookup, io.Discard)
		return c, err
	}
	return serve(ctx, c, again, hangup, getenv, stderr)
}

type action int

const (
	actionServe action = iota
	actionCheck        // --check-config
	actionNone         // --help, --version
)

const usage = `hailo-device-manager owns the accelerator and lets services share it, one
operation at a time, over a Unix socket.

Usage: hailo-device-manager [flags]            serve
       hailo-device-manager COMMAND [flags]    "COMMAND --help" says more

Commands:
`

const environment = `
Environment (each is overridden by its flag and overrides the file):
  HAILO_DEVICE_SOCKET             --socket
  HAILO_DEVICE_SOCKET_MODE        file mode of the socket (0660)
  HAILO_DEVICE_SOCKET_GROUP       owning group of the socket (that of /dev/hailo0, where it exists)
  HAILO_DEVICE_API_SOCKET         --api-socket
  HAILO_DEVICE_HTTP_BIND          --http
  HAILO_DEVICE_BACKEND            --backend
  HAILO_DEVICE_GROUP_ID           VDevice group of HailoRT
  HAILO_DEVICE_MAX_MESSAGE_BYTES  largest request and answer (67108864)
  HAILO_DEVICE_MAX_EVICTIONS      rounds of eviction for one load (3)
  HAILO_ONNXRUNTIME_LIB           the ONNX Runtime library, for the backend onnx
  HAILO_SIM_*                     the simulated device: hailo-worker-sim --help
`

// configure merges defaults, file, environment and flags.
func configure(args []string, lookup func(string) (string, bool), stdout io.Writer) (c config.Manager, a action, err error) {
	c = config.DefaultManager()
	flags := flag.NewFlagSet("hailo-device-manager", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	file := flags.String("config", "", "configuration `file` in YAML (default "+defaultFile+", if it exists)")
	socket := flags.String("socket", "", "Unix socket to listen on (default "+c.Socket+")")
	api := flags.String("api-socket", "", "Unix socket of the HTTP interface, or off (default manager.sock beside --socket)")
	backend := flags.String("backend", "", "auto, onnx, sim or hailort (default auto: hailort where there is a device, else onnx)")
	bind := flags.String("http", "", "address of status and metrics: host:port, a port on 127.0.0.1, or off (default "+c.HTTP+")")
	checkOnly := flags.Bool("check-config", false, "say whether the configuration is valid, and exit")
	version := flags.Bool("version", false, "print the version, and exit")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(stdout)
			_, err = fmt.Fprint(stdout, usage, listCommands(), "\nFlags of the service:\n")
			flags.PrintDefaults()
			_, envErr := fmt.Fprint(stdout, environment)
			return c, actionNone, errors.Join(err, envErr)
		}
		return c, a, &config.Error{Source: "flags", Message: err.Error() + "; see --help"}
	}
	if flags.NArg() > 0 {
		return c, a, &config.Error{Source: "command", Message: fmt.Sprintf("%q is unknown; expected %s, or flags alone to serve (see --help)", flags.Arg(0), commandNames())}
	}
	if *version {
		_, err := fmt.Fprintln(stdout, "hailo-device-manager", config.Version())
		return c, actionNone, err
	}
	if c, _, err = load(*file, lookup); err != nil {
		return c, a, err
	}
	flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "socket":
			c.Socket = *socket
		case "api-socket":
			c.APISocket = *api
		case "backend":
			c.Backend = *backend
		case "http":
			c.HTTP = *bind
		}
	})
	if *checkOnly {
		a = actionCheck
	}
	return c, a, c.Validate("flags")
}

// load merges defaults, file and environment. It returns the file that was
// read, "" for none. An empty file means the default one, which need not exist.
func load(file string, lookup func(string) (string, bool)) (c config.Manager, source string, err error) {
	c = config.DefaultManager()
	path, optional := file, false
	if path == "" {
		path, optional = defaultFile, true
	}
	// Checked after each source, so that an error names the one at fault.
	found, err := strictyaml.DecodeFile(path, optional, &c)
	if err != nil {
		return c, path, err
	}
	if found {
		source = path
	}
	if err := c.Validate(path); err != nil {
		return c, source, err
	}
	if err := c.Environment(lookup); err != nil {
		return c, source, err
	}
	return c, source, c.Validate("environment")
}

const defaultFile = "/etc/hailo/hailo-device-manager.yaml"
