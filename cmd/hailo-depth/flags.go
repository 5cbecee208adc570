package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"hailo-depth/config"
)

// common are the flags that serve and estimate share.
type common struct {
	set                             *flag.FlagSet
	config, socket, model, modelDir *string
	standalone                      *bool
	backend                         *string
}

func newFlags(name string) *common {
	set := flag.NewFlagSet("hailo-depth "+name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	return &common{
		set:        set,
		config:     set.String("config", "", "configuration `file` in YAML or JSON (default /etc/hailo/hailo-depth.yaml, if it exists)"),
		socket:     set.String("socket", "", "`path` of the device manager's socket; none other is tried then"),
		standalone: set.Bool("standalone", false, "run the device manager inside this program (the default when none answers on the default socket)"),
		backend:    set.String("backend", "", "when standalone: auto, onnx, sim or hailort (default auto)"),
		model:      set.String("model", "", "`name` of the model (default scdepthv3 on an NPU, pocketdepth on the CPU)"),
		modelDir:   set.String("model-dir", "", "`folder` with models and their manifests (default /usr/share/hailo/models)"),
	}
}

// errHelp says that the help was printed and there is nothing more to do.
var errHelp = errors.New("help was printed")

// parse merges defaults, file, environment and flags.
func (c *common) parse(p program, args []string, about string) (config.Depth, error) {
	d := config.DefaultDepth()
	if err := c.set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			c.set.SetOutput(p.stdout)
			if _, err := fmt.Fprint(p.stdout, about, "\nFlags:\n"); err != nil {
				return d, err
			}
			c.set.PrintDefaults()
			return d, errHelp
		}
		return d, usageError("%v; see --help", err)
	}
	source, err := config.LoadDepth(*c.config, p.getenv, &d)
	if err != nil {
		return d, err
	}
	// Checked after each source, so that an error names the one at fault.
	if err := d.Validate(source); err != nil {
		return d, err
	}
	d.Environment(p.lookup)
	if err := d.Validate("environment"); err != nil {
		return d, err
	}
	c.set.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "socket":
			d.Device.Socket, d.Device.Standalone = *c.socket, false
		case "standalone":
			d.Device.Standalone = *c.standalone
		case "backend":
			d.Device.Backend = *c.backend
		case "model":
			d.Model.Name = *c.model
		case "model-dir":
			d.Resources.ModelDir = *c.modelDir
		}
	})
	if *c.standalone {
		if *c.socket != "" {
			return d, usageError("--standalone and --socket exclude each other")
		}
		d.Device.Socket = ""
	}
	return d, d.Validate("flags")
}

func usageError(format string, args ...any) error {
	return &config.Error{Source: "flags", Message: fmt.Sprintf(format, args...)}
}
