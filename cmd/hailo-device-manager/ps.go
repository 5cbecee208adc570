package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/console"
	"hailo-depth/device"
)

// overviewPatience is how long the manager may take to say what it does, which
// waits for nothing.
const overviewPatience = 5 * time.Second

const psHelp = `Shows the device, the models and the queue at this moment.

Usage: hailo-device-manager ps [--json]

  MEMORY   what the model takes on the device     LOAD   how long its last load took
  INFER    its inferences of late                 DRIFT  against those soon after its load
  USES     inferences since its load              IDLE   since its last use
  EXPIRES  when it is unloaded by itself          WAITING  requests for it in the queue

Example:
  hailo-device-manager ps
  hailo-device-manager ps --json | jq '.models[] | select(.state == "idle") | .name'
`

func psCommand(ctx context.Context, p program, args []string) error {
	o := newOptions("ps")
	if _, err := o.parse(p, args, psHelp, 0, 0); err != nil {
		return unlessHelp(err)
	}
	return o.ask(ctx, p, func(ctx context.Context, client *device.HTTPClient) error {
		ctx, cancel := context.WithTimeout(ctx, overviewPatience)
		defer cancel()
		now, err := client.Overview(ctx)
		if err != nil {
			return err
		}
		if *o.json {
			return p.printJSON(now, jsontext.WithIndent("  "))
		}
		_, err = fmt.Fprintln(p.stdout, strings.Join(console.Lines(now, nil), "\n"))
		return err
	})
}
