package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"hailo-depth/device"
)

const modelHelp = `
MODEL is the name of a configured or loaded model, as ps shows it, or a file as
TYPE:PATH.
`

const loadHelp = `Loads a model, evicting others if need be, and waits until it is there.

Usage: hailo-device-manager load [--json] MODEL
` + modelHelp + `
Example:
  hailo-device-manager load depth:/usr/share/hailo/models/scdepthv3.hef
`

const unloadHelp = `Frees a model. The next request for it loads it again.

Usage: hailo-device-manager unload [--json] MODEL
` + modelHelp + `
Example:
  hailo-device-manager unload scdepthv3
`

const pinHelp = `Keeps a model on the device: it is loaded now, if it is not there, is neither
evicted nor expires, and is loaded again when the worker died. It holds until
the manager ends; pinned: true in models: of the configuration holds for good.

Usage: hailo-device-manager pin [--json] MODEL
` + modelHelp + `
Example:
  hailo-device-manager pin scdepthv3
`

const unpinHelp = `Lets a pinned model go when there is need.

Usage: hailo-device-manager unpin [--json] MODEL
` + modelHelp + `
Example:
  hailo-device-manager unpin scdepthv3
`

const reloadHelp = `Applies the manager's configuration file anew. One that is not valid changes
nothing, and is said to be so.

Usage: hailo-device-manager reload [--json]

Example:
  sudoedit /etc/hailo/hailo-device-manager.yaml && hailo-device-manager reload
`

// modelCommand runs do for the model that the argument names, and prints what
// it returns: as JSON, or in words.
func modelCommand(ctx context.Context, p program, name, help string, args []string, do func(context.Context, *device.HTTPClient, target) (result any, words string, err error)) error {
	o := newOptions(name)
	args, err := o.parse(p, args, help, 1, 1)
	if err != nil {
		return unlessHelp(err)
	}
	t, err := parseTarget(args[0])
	if err != nil {
		return err
	}
	return o.ask(ctx, p, func(ctx context.Context, client *device.HTTPClient) error {
		result, words, err := do(ctx, client, t)
		if err != nil {
			return t.known(ctx, client, err)
		}
		return o.print(p, result, words)
	})
}

func (o *options) print(p program, result any, words string) error {
	if *o.json {
		return p.printJSON(result)
	}
	_, err := fmt.Fprintln(p.stdout, words)
	return err
}

func loadCommand(ctx context.Context, p program, args []string) error {
	return modelCommand(ctx, p, "load", loadHelp, args, func(ctx context.Context, client *device.HTTPClient, t target) (any, string, error) {
		var l device.Loaded
		var err error
		begin := time.Now()
		if t.file != nil {
			l, err = client.Load(ctx, *t.file)
		} else {
			l, err = client.LoadNamed(ctx, t.name)
		}
		took := time.Since(begin)
		words := fmt.Sprintf("%s: loaded in %.1f s", t.name, took.Seconds())
		if l.Already {
			words = t.name + ": was loaded already"
		}
		return struct {
			Model   string  `json:"model"`
			Already bool    `json:"already_loaded"`
			Seconds float64 `json:"seconds"` // waiting in the queue included
		}{t.name, l.Already, took.Seconds()}, words, err
	})
}

func unloadCommand(ctx context.Context, p program, args []string) error {
	return modelCommand(ctx, p, "unload", unloadHelp, args, func(ctx context.Context, client *device.HTTPClient, t target) (any, string, error) {
		var was bool
		var err error
		if t.file != nil {
			was, err = client.Unload(ctx, *t.file)
		} else {
			was, err = client.UnloadNamed(ctx, t.name)
		}
		words := t.name + ": unloaded"
		if !was {
			words = t.name + ": was not loaded"
		}
		return struct {
			Model string `json:"model"`
			Was   bool   `json:"was_loaded"`
		}{t.name, was}, words, err
	})
}

func pinCommand(ctx context.Context, p program, args []string) error {
	return setPin(ctx, p, "pin", pinHelp, args, true)
}

func unpinCommand(ctx context.Context, p program, args []string) error {
	return setPin(ctx, p, "unpin", unpinHelp, args, false)
}

func setPin(ctx context.Context, p program, name, help string, args []string, pinned bool) error {
	return modelCommand(ctx, p, name, help, args, func(ctx context.Context, client *device.HTTPClient, t target) (any, string, error) {
		var err error
		if t.file != nil {
			err = client.PinModel(ctx, *t.file, pinned)
		} else {
			err = client.Pin(ctx, t.name, pinned)
		}
		words := t.name + ": pinned"
		if !pinned {
			words = t.name + ": no longer pinned"
		}
		return struct {
			Model  string `json:"model"`
			Pinned bool   `json:"pinned"`
		}{t.name, pinned}, words, err
	})
}

func reloadCommand(ctx context.Context, p program, args []string) error {
	o := newOptions("reload")
	if _, err := o.parse(p, args, reloadHelp, 0, 0); err != nil {
		return unlessHelp(err)
	}
	return o.ask(ctx, p, func(ctx context.Context, client *device.HTTPClient) error {
		r, err := client.Reload(ctx)
		if err != nil {
			return err
		}
		words := "the configuration is applied"
		if len(r.NeedRestart) > 0 {
			words += "; wait for the next start (sudo systemctl restart hailo-device-manager): " + strings.Join(r.NeedRestart, ", ")
		}
		return o.print(p, r, words)
	})
}
