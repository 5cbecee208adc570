package worker

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is for what should take moments, on a machine that is busy.
const patience = 60 * time.Second

// script is a worker program in a few words of shell: its channel is descriptor 3.
func script(t *testing.T, text string) Command {
	t.Helper()
	path := filepath.Join(t.TempDir(), "worker")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return Command{Path: path}
}

const (
	awaitRequest = "head -c 1 <&3 >/dev/null; "
	identify     = awaitRequest + `printf '{"id":1,"identity":{"protocol":1,"backend":"shell"}}' >&3; `
	stay         = "exec tail -f /dev/null"
)

// begin is Start with a log that goes nowhere. It must return, whatever the worker does.
func begin(t *testing.T, ctx context.Context, c Command) (p *Process, err error) {
	t.Helper()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		p, err = Start(ctx, c, slog.New(slog.DiscardHandler))
	}()
	await(t, returned, "Start's return")
	return p, err
}

func await(t *testing.T, event <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

func TestStartFails(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		command Command
		want    string
	}{
		{"program missing", Command{Path: filepath.Join(dir, "absent")}, "no such file or directory"},
		{"not executable", Command{Path: text}, "permission denied"},
		{"a folder", Command{Path: dir}, "permission denied"},
		{"exits at once", script(t, "exit 0"), "died: exit status 0"},
		{"fails with a word", script(t, "echo no device >&2; exit 3"), `died: exit status 3 (its last words: "no device")`},
		{"dies while it is asked", script(t, awaitRequest+"kill -KILL $$"), "died: signal: killed"},
		{"other protocol", script(t, awaitRequest+`printf '{"id":1,"identity":{"protocol":2}}' >&3; `+stay), "it speaks protocol 2; this manager speaks 1"},
		{"no protocol", script(t, awaitRequest+`printf '{"id":1,"identity":{}}' >&3; `+stay), "it speaks protocol 0"},
		{"no identity", script(t, awaitRequest+`printf '{"id":1}' >&3; `+stay), "it did not identify itself"},
		{"refuses", script(t, awaitRequest+`printf '{"id":1,"error":{"kind":"internal","message":"no licence"}}' >&3; `+stay), "no licence"},
		{"no message", script(t, "echo hello >&3; "+stay), "died: signal: killed"},
		{"closes its channel and stays", script(t, "exec 3>&-; "+stay), "died: signal: killed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			noLeak(t, func() {
				p, err := begin(t, t.Context(), c.command)
				if err == nil || p != nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.command.Path) {
					t.Errorf("got %v, %v; want %q", p, err, c.want)
				}
			})
		})
	}
}

// The manager's patience with a worker that does not answer ends with the context.
func TestStartEndsWithItsContext(t *testing.T) {
	noLeak(t, func() {
		ctx, cancel := context.WithCancel(t.Context())
		fifo := filepath.Join(t.TempDir(), "fifo")
		lives, ended := watched(t, fifo)
		go func() {
			<-lives
			cancel()
		}()
		_, err := begin(t, ctx, script(t, "exec 4>"+fifo+"; echo here >&4; "+stay))
		if KindOf(err) != KindLost || !strings.Contains(err.Error(), "context canceled") {
			t.Errorf("got %v", err)
		}
		await(t, ended, "the worker's end")
	})
}

// watched makes a FIFO: lives is closed when something was written, ended when
// every process that had it open has ended.
func watched(t *testing.T, path string) (lives, ended <-chan struct{}) {
	t.Helper()
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	first, end := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(end)
		f, err := os.Open(path)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		if _, err := f.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
		close(first)
		if _, err := io.Copy(io.Discard, f); err != nil {
			t.Error(err)
		}
	}()
	return first, end
}
