package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"hailo-depth/console"
	"hailo-depth/device"
)

const topHelp = `Shows the device, the models and the queue again and again, with how busy the
device was and the inferences a second in between. On a terminal it is drawn in
place, and q or Ctrl-C leaves; else each page follows the one before.

Usage: hailo-device-manager top [--interval TIME] [--count N] [--json]

Example:
  hailo-device-manager top
  hailo-device-manager top --json --interval 10s >> manager.jsonl
`

// leastInterval keeps watching from being work for the manager.
const leastInterval = 100 * time.Millisecond

func topCommand(ctx context.Context, p program, args []string) error {
	o := newOptions("top")
	interval := o.set.Duration("interval", time.Second, "`time` between pages, at least 100ms")
	count := o.set.Int("count", 0, "leave after `N` pages; 0: never")
	if _, err := o.parse(p, args, topHelp, 0, 0); err != nil {
		return unlessHelp(err)
	}
	switch {
	case *interval < leastInterval:
		return o.usage("--interval %v: expected at least %v", *interval, leastInterval)
	case *count < 0:
		return o.usage("--count %d: expected 0 or more", *count)
	}
	return o.ask(ctx, p, func(ctx context.Context, client *device.HTTPClient) (err error) {
		t := top{
			interval: *interval, count: *count,
			look: func(ctx context.Context) (device.Overview, error) {
				ctx, cancel := context.WithTimeout(ctx, overviewPatience)
				defer cancel()
				return client.Overview(ctx)
			},
		}
		switch {
		case *o.json:
			t.show = func(s shot) error {
				if s.err != nil { // the next one may come
					_, err := fmt.Fprintln(p.stderr, "hailo-device-manager:", s.err)
					return err
				}
				return p.printJSON(s.now)
			}
		case p.draws():
			screen, openErr := openScreen(p.stdout)
			if openErr != nil {
				return openErr
			}
			defer func() { err = errors.Join(err, screen.close()) }()
			t.show, t.leave = func(s shot) error { return screen.draw(s.lines(*interval)) }, screen.left
		default:
			t.show = func(s shot) error { return writeLines(p.stdout, append(s.lines(*interval), "")) }
		}
		return t.run(ctx)
	})
}

// top shows what the manager does again and again.
type top struct {
	interval time.Duration
	count    int // 0: without end
	look     func(context.Context) (device.Overview, error)
	show     func(shot) error
	leave    <-chan struct{} // the user has had enough; may be nil
}

// shot is the manager at one moment, or why it could not be seen.
type shot struct {
	at     time.Time
	now    device.Overview
	before *device.Overview // the one before; nil: none
	err    error
}

// run ends when ctx does, when the user leaves, and after count pages. A manager
// that goes away is waited for; only the first look must succeed.
func (t top) run(ctx context.Context) error {
	tick := time.NewTicker(t.interval)
	defer tick.Stop()
	var before *device.Overview
	for n := 1; ; n++ {
		now, err := t.look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && n == 1:
			return err
		}
		if err := t.show(shot{time.Now(), now, before, err}); err != nil {
			return err
		}
		before = &now
		if err != nil {
			before = nil
		}
		if n == t.count {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.leave:
			return nil
		case <-tick.C:
		}
	}
}

// lines are the page under a line of its own.
func (s shot) lines(interval time.Duration) []string {
	head := fmt.Sprintf("%s, every %v", s.at.Format(time.DateTime), interval)
	if s.err != nil {
		return []string{head, fmt.Sprintf("the manager does not answer: %v", s.err)}
	}
	return append([]string{head}, console.Lines(s.now, s.before)...)
}

func writeLines(w io.Writer, lines []string) error {
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
