package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"hailo-depth/config"
)

// program is what a command has of the world.
type program struct {
	lookup         func(string) (string, bool)
	stdout, stderr io.Writer
}

func (p program) getenv(name string) string {
	value, _ := p.lookup(name)
	return value
}

// command is what the program does instead of serving.
type command struct {
	name, about string
	run         func(context.Context, program, []string) error
}

// commands lists them in the order of the help.
func commands() []command {
	return []command{
		{"doctor", "look at this machine, and say what is ok and what to do", doctorCommand},
		{"ps", "show the device, the models and the queue", psCommand},
		{"top", "the same, again and again", topCommand},
		{"load", "load a model", loadCommand},
		{"unload", "free a model", unloadCommand},
		{"pin", "keep a model on the device", pinCommand},
		{"unpin", "let a pinned model go when there is need", unpinCommand},
		{"reload", "apply the configuration file anew", reloadCommand},
	}
}

func commandNames() string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

func listCommands() string {
	var b strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-8s %s\n", c.name, c.about)
	}
	return b.String()
}

// options are the flags that commands share.
type options struct {
	set               *flag.FlagSet
	file, socket, api *string
	json              *bool
}

func newOptions(name string) *options {
	set := flag.NewFlagSet("hailo-device-manager "+name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	return &options{
		set:    set,
		file:   set.String("config", "", "configuration `file` of the manager (default "+defaultFile+", if it exists)"),
		socket: set.String("socket", "", "`path` of the manager's socket (default: as configured)"),
		api:    set.String("api-socket", "", "`path` of its HTTP interface (default: as configured, else manager.sock beside --socket)"),
		json:   set.Bool("json", false, "print JSON"),
	}
}

// errHelp says that the help was printed and there is nothing more to do.
var errHelp = errors.New("help was printed")

// parse reads the flags, which may stand before and behind the arguments; about
// is the help's text above them. It takes least to most arguments, which it
// returns.
func (o *options) parse(p program, args []string, about string, least, most int) (names []string, err error) {
	for {
		if err := o.set.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, o.help(p, about)
			}
			return nil, o.usage("%v", err)
		}
		if o.set.NArg() == 0 {
			break
		}
		names, args = append(names, o.set.Arg(0)), o.set.Args()[1:]
	}
	switch n := len(names); {
	case n > most:
		return nil, o.usage("unexpected argument %q", names[most])
	case n < least:
		return nil, o.usage("a model is missing")
	}
	return names, nil
}

// help returns errHelp when it could print.
func (o *options) help(p program, about string) error {
	if _, err := fmt.Fprint(p.stdout, about, "\nFlags:\n"); err != nil {
		return err
	}
	o.set.SetOutput(p.stdout)
	o.set.PrintDefaults()
	return errHelp
}

// load merges the manager's configuration with the flags. It returns the
// configuration's file as the function load does.
func (o *options) load(p program) (config.Manager, string, error) {
	c, source, err := load(*o.file, p.lookup)
	if *o.socket != "" {
		c.Socket = *o.socket
	}
	if *o.api != "" {
		c.APISocket = *o.api
	}
	return c, source, err
}

func (o *options) usage(format string, args ...any) error {
	return &config.Error{Source: strings.TrimPrefix(o.set.Name(), "hailo-device-manager "), Message: fmt.Sprintf(format, args...) + "; see --help"}
}
