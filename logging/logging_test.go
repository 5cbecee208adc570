package logging

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

func underSystemd(name string) string {
	return map[string]string{"JOURNAL_STREAM": "8:12345"}[name]
}

func atTerminal(string) string { return "" }

func TestJournalLines(t *testing.T) {
	var out bytes.Buffer
	log, err := New(&out, Config{Format: "text", Level: "debug"}, underSystemd)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("a")
	log.Info("b c", "key", "two words")
	log.Warn("d", "error", errors.New("first line\nsecond line"))
	log.Error("e", "level", 5, "time", "noon", "at", time.Second)
	log.Log(t.Context(), slog.LevelInfo+2, "f")
	log.Log(t.Context(), slog.LevelError+4, "g")
	log.With("component", "worker").Info("h", "n", 1)
	log.WithGroup("device").With("id", 3).Info("i", "level", slog.LevelWarn)
	log.Info("j")
	want := strings.Join([]string{
		`<7>msg=a`,
		`<6>msg="b c" key="two words"`,
		`<4>msg=d error="first line\nsecond line"`,
		`<3>msg=e level=5 time=noon at=1s`,
		`<6>msg=f`,
		`<3>msg=g`,
		`<6>msg=h component=worker n=1`,
		`<6>msg=i device.id=3 device.level=WARN`,
		`<6>msg=j`, "",
	}, "\n")
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestLevels(t *testing.T) {
	for level, want := range map[string]string{"debug": "diwe", "info": "iwe", "warn": "we", "error": "e"} {
		for _, getenv := range []func(string) string{underSystemd, atTerminal} {
			var out bytes.Buffer
			log, err := New(&out, Config{Format: "text", Level: level}, getenv)
			if err != nil {
				t.Fatal(err)
			}
			log.Debug("d")
			log.Info("i")
			log.Warn("w")
			log.Error("e")
			got := ""
			for line := range strings.Lines(out.String()) {
				_, message, _ := strings.Cut(line, "msg=")
				got += strings.TrimSpace(message)
			}
			if got != want {
				t.Errorf("%s: %q, want %q", level, got, want)
			}
		}
	}
}

func TestTextOutsideSystemd(t *testing.T) {
	var out bytes.Buffer
	log, err := New(&out, Default(), atTerminal)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("hello", "k", 1)
	if got := out.String(); !strings.HasPrefix(got, "time=") || !strings.HasSuffix(got, " level=INFO msg=hello k=1\n") {
		t.Errorf("got %q", got)
	}
}

func TestJSON(t *testing.T) {
	for _, getenv := range []func(string) string{underSystemd, atTerminal} {
		var out bytes.Buffer
		log, err := New(&out, Config{Format: "json", Level: "info"}, getenv)
		if err != nil {
			t.Fatal(err)
		}
		log.With("component", "x").Warn("hello", "k", 1)
		var line struct {
			Time      time.Time
			Level     string
			Msg       string
			Component string
			K         int
		}
		if err := json.Unmarshal(out.Bytes(), &line, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		if line.Time.IsZero() || line.Level != "WARN" || line.Msg != "hello" || line.Component != "x" || line.K != 1 {
			t.Errorf("got %s", out.String())
		}
	}
}

func TestUnknownSettings(t *testing.T) {
	for c, want := range map[Config]string{
		{Format: "text", Level: "loud"}: `log.level: "loud" is unknown; expected debug, info, warn or error`,
		{Format: "text", Level: ""}:     `log.level: "" is unknown`,
		{Format: "xml", Level: "info"}:  `log.format: "xml" is unknown; expected text or json`,
		{Format: "", Level: "info"}:     `log.format: "" is unknown`,
	} {
		if _, err := New(&bytes.Buffer{}, c, atTerminal); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestJournalLinesStayWhole: loggers made from one another share a buffer.
func TestJournalLinesStayWhole(t *testing.T) {
	var out bytes.Buffer
	log, err := New(&out, Default(), underSystemd)
	if err != nil {
		t.Fatal(err)
	}
	const writers, each = 8, 200
	var group sync.WaitGroup
	for w := range writers {
		own := log.With("w", w)
		group.Go(func() {
			for i := range each {
				own.Info("m", "i", i)
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		seen[line] = true
	}
	for w := range writers {
		for i := range each {
			if want := fmt.Sprintf("<6>msg=m w=%d i=%d\n", w, i); !seen[want] {
				t.Fatalf("%q is missing", want)
			}
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestAWriterThatFailsIsSurvived(t *testing.T) {
	log, err := New(brokenWriter{}, Default(), underSystemd)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("one")
	log.Info("two")
	if err := log.Handler().Handle(t.Context(), slog.Record{}); err == nil {
		t.Error("the failure is not told")
	}
}
