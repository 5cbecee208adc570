package stack

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func begin(t *testing.T, script string) *Process {
	t.Helper()
	path := filepath.Join(t.TempDir(), "daemon")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p, err := Run(path, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Signal(os.Kill) // an error means that it has ended
		<-p.Ended()
	})
	return p
}

// Lines are found once each and in order, also those that came with the end.
func TestAwait(t *testing.T) {
	p := begin(t, `for n in 1 2; do echo '{"msg": "up", "n": '$n'}' >&2; done; echo last words >&2; exit 3`)
	<-p.Ended()
	for want := 1.0; want <= 2; want++ {
		if line, err := p.Await(t.Context(), "up"); err != nil || line["n"] != want {
			t.Errorf("%v, %v; want number %v", line, err, want)
		}
	}
	if _, err := p.Await(t.Context(), "up"); err == nil || !strings.Contains(err.Error(), "ended (exit status 3); its last words: last words") {
		t.Errorf("got %v", err)
	}
	if p.ExitCode() != 3 || p.LastWords() != "last words" {
		t.Errorf("exit code %d, %q", p.ExitCode(), p.LastWords())
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := begin(t, "exec tail -f /dev/null").Await(ctx, "up"); err == nil || !strings.Contains(err.Error(), `did not say "up" in time`) {
		t.Errorf("got %v", err)
	}
}

func TestStop(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"in good order", `trap 'exit 0' TERM; echo up >&2; while :; do read -r line <&8; done`, ""},
		{"with a failure", `trap 'exit 4' TERM; echo up >&2; while :; do read -r line <&8; done`, "exit status 4"},
		{"by force", `trap '' TERM; echo up >&2; exec tail -f /dev/null`, "did not stop within"},
		{"ended before", "echo up >&2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fifo := filepath.Join(t.TempDir(), "fifo") // what the shell waits on: a read that a signal ends
			p := begin(t, "mkfifo "+fifo+"; exec 8<>"+fifo+"; "+c.script)
			if _, err := p.Await(t.Context(), "up"); err != nil {
				t.Fatal(err)
			}
			patience := time.Minute
			switch c.name {
			case "by force":
				patience = 50 * time.Millisecond
			case "ended before":
				<-p.Ended()
			}
			if err := p.Stop(patience); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			select {
			case <-p.Ended():
			default:
				t.Error("Stop returned while it lives")
			}
		})
	}
}
