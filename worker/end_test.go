package worker

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A worker that started others neither holds the manager up when it dies, though
// they have its stderr open, nor do they live on with the device.
func TestWhatAWorkerStartedEndsWithIt(t *testing.T) {
	for _, c := range []struct{ name, end, want string }{
		{"by itself", awaitRequest + "exit 4", "died: exit status 4"},
		{"killed", "printf garbage >&3; " + stay, "died: signal: killed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			noLeak(t, func() {
				fifo := filepath.Join(t.TempDir(), "fifo")
				_, ended := watched(t, fifo)
				_, err := begin(t, t.Context(), script(t, "exec 4>"+fifo+"; echo here >&4; tail -f /dev/null 3>&- & "+c.end))
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				await(t, ended, "the end of what the worker started")
			})
		})
	}
}

// A line of any length reaches the log, and so does what comes after it.
func TestLongLinesOnStderr(t *testing.T) {
	_, err := begin(t, t.Context(), script(t, "head -c 300000 /dev/zero | tr '\\0' x >&2; echo >&2; echo bye >&2; exit 5"))
	if err == nil || !strings.Contains(err.Error(), `(its last words: "bye")`) {
		t.Errorf("got %.300v", err)
	}
}

func TestClose(t *testing.T) {
	for _, c := range []struct {
		name, then, want string
		patience         time.Duration
	}{
		{"in good order", awaitRequest + `printf '{"id":2}' >&3; exit 0`, "exit status 0", patience},
		{"without an answer", awaitRequest + "exit 0", "exit status 0", patience},
		{"answers and stays", awaitRequest + `printf '{"id":2}' >&3; ` + stay, "signal: killed", 100 * time.Millisecond},
		{"does not listen", stay, "signal: killed", 100 * time.Millisecond},
		{"has died", "exit 7", "exit status 7", patience},
	} {
		t.Run(c.name, func(t *testing.T) {
			noLeak(t, func() {
				p, err := begin(t, t.Context(), script(t, identify+c.then))
				if err != nil {
					t.Fatal(err)
				}
				if p.Identity().Backend != "shell" {
					t.Errorf("it is %+v", p.Identity())
				}
				ctx, cancel := context.WithTimeout(t.Context(), c.patience)
				defer cancel()
				p.Close(ctx)
				await(t, p.Done(), "the worker's end")
				if err := p.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("it ended with %v, want %q", err, c.want)
				}
				if _, err := p.Load(t.Context(), LoadSpec{Path: "/x"}); KindOf(err) != KindLost {
					t.Errorf("a load after the end: %v", err)
				}
				p.Kill() // harmless
			})
		})
	}
}

// A worker that closed its channel is of no use: it gets a moment to leave.
func TestWorkerThatClosesItsChannel(t *testing.T) {
	t.Parallel() // the moment is two seconds long
	for _, c := range []struct{ then, want string }{
		{stay, "signal: killed"},
		{"tail -f /dev/null 4>&- & kill $!; wait $!; exit 9", "exit status 9"},
	} {
		p, err := begin(t, t.Context(), script(t, identify+"exec 3>&-; "+c.then))
		if err != nil {
			t.Fatal(err)
		}
		await(t, p.Done(), "the worker's end")
		if err := p.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("it ended with %v, want %q", err, c.want)
		}
	}
}

// What a worker answered counts, also when it died right after.
func TestAnswerBeforeTheEnd(t *testing.T) {
	for range 20 {
		p, err := begin(t, t.Context(), script(t, identify+"exit 7"))
		if err != nil {
			t.Fatal(err)
		}
		await(t, p.Done(), "the worker's end")
	}
}

// The kernel tells of requests that the worker left unread before it hands out
// the answers.
func TestAnswerBeforeUnreadRequests(t *testing.T) {
	for range 200 {
		p, theirs, end := played(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		answered := make(chan error, 1)
		go func() {
			_, err := p.Statistics(ctx)
			answered <- err
		}()
		if _, err := theirs.Read(make([]byte, maxMessage)); err != nil {
			t.Fatal(err)
		}
		err := p.channel.send(ctx, request{ID: 9, Verb: verbStatistics}, -1)
		if err = errors.Join(err, packet{text: `{"id":1,"statistics":{}}`}.send(theirs), theirs.Close()); err != nil {
			t.Fatal(err)
		}
		if err := <-answered; err != nil {
			t.Fatal(err)
		}
		cancel()
		end()
	}
}
