// Package logging makes the programs' loggers: log/slog on stderr, as text, as
// JSON, or as the journal likes it.
package logging

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Config is the log section of a configuration.
type Config struct {
	Format string `yaml:"format"` // text or json
	Level  string `yaml:"level"`  // debug, info, warn or error
}

// Default is text at level info.
func Default() Config { return Config{Format: "text", Level: "info"} }

// New makes a logger that writes to w. Under systemd (JOURNAL_STREAM is set,
// see systemd.exec(5)) text lines carry their priority and no time, which the
// journal adds itself.
func New(w io.Writer, c Config, getenv func(string) string) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return nil, fmt.Errorf("log.level: %q is unknown; expected debug, info, warn or error", c.Level)
	}
	options := &slog.HandlerOptions{Level: level}
	switch {
	case c.Format == "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	case c.Format != "text":
		return nil, fmt.Errorf("log.format: %q is unknown; expected text or json", c.Format)
	case getenv("JOURNAL_STREAM") == "":
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	line := &line{w: w}
	options.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
		if _, own := a.Value.Any().(slog.Level); own && len(groups) == 0 && a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}
	return slog.New(&journalHandler{Handler: slog.NewTextHandler(&line.buffer, options), line: line}), nil
}

// line is one log line in the making, shared by a logger and its descendants.
type line struct {
	mu     sync.Mutex
	buffer bytes.Buffer
	w      io.Writer
}

// journalHandler puts sd-daemon(3)'s priority prefix before each line.
type journalHandler struct {
	slog.Handler
	line *line
}

func (h *journalHandler) Handle(ctx context.Context, r slog.Record) error {
	h.line.mu.Lock()
	defer h.line.mu.Unlock()
	h.line.buffer.Reset()
	h.line.buffer.WriteString(prefix(r.Level))
	r.Time = time.Time{} // a record without time is written without
	if err := h.Handler.Handle(ctx, r); err != nil {
		return err
	}
	_, err := h.line.w.Write(h.line.buffer.Bytes())
	return err
}

func prefix(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "<3>"
	case l >= slog.LevelWarn:
		return "<4>"
	case l >= slog.LevelInfo:
		return "<6>"
	}
	return "<7>"
}

func (h *journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &journalHandler{Handler: h.Handler.WithAttrs(attrs), line: h.line}
}

func (h *journalHandler) WithGroup(name string) slog.Handler {
	return &journalHandler{Handler: h.Handler.WithGroup(name), line: h.line}
}
