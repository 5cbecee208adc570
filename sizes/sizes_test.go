package sizes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func record(t *testing.T, b *Book, identity string, bytes int64) {
	t.Helper()
	if err := b.Record(identity, "model "+identity, Measured{bytes, 1500 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *Book {
	t.Helper()
	b, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSizesSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sizes.json")
	b := open(t, path)
	if _, ok := b.Find("a"); ok {
		t.Error("an empty book knows a model")
	}
	record(t, b, "a", 10)
	record(t, b, "b", 20)
	record(t, b, "a", 30) // the last measurement counts
	for _, nothing := range []Measured{{0, 1}, {-5, 1}, {5, -1}} {
		if err := b.Record("b", "b", nothing); err != nil {
			t.Error(err)
		}
	}
	for _, b := range []*Book{b, open(t, path)} {
		for identity, want := range map[string]int64{"a": 30, "b": 20} {
			if got, ok := b.Find(identity); !ok || got != (Measured{want, 1500 * time.Millisecond}) {
				t.Errorf("%s: %+v, %v", identity, got, ok)
			}
		}
	}
	files, err := filepath.Glob(filepath.Dir(path) + "/*")
	if err != nil || len(files) != 1 {
		t.Errorf("%q are left, %v", files, err)
	}
}

// TestUnusableFileIsAnEmptyBook with a warning, and is replaced by what is measured next.
func TestUnusableFileIsAnEmptyBook(t *testing.T) {
	for text, want := range map[string]string{
		"": "EOF", "{": "EOF", "[]": "", "{\"version\": 2}": "has version 2; this program knows 1",
		`{"version": 1, "models": [{"identity": "a", "bytes": -1}]}`:                 "has an impossible entry",
		`{"version": 1, "models": [{"bytes": 1}]}`:                                   "has an impossible entry",
		`{"version": 1, "models": [{"identity":"a","bytes":1,"load_seconds":1e30}]}`: "has an impossible entry",
		`{"version": 1, "models": [{"identity":"a","bytes":1,"seen":"tomorrow"}]}`:   "seen",
		`{"version": 1, "models": [{"identity":"a","bytes":1e40}]}`:                  "bytes",
		`{"version": 1, "version": 1}`:                                               "version",
		"{\"version\": 1, \"models\": [" + strings.Repeat(" ", maxFile) + "]}":       "is over 1048576 bytes",
		"\xff\xfe\x00": "",
		`{"version": 1, "models": [{"identity": "a", "bytes": 1, "load_seconds": -2}]}`: "has an impossible entry",
	} {
		path := filepath.Join(t.TempDir(), "sizes.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), "measured anew") {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
		if _, ok := b.Find("a"); ok {
			t.Errorf("%.60q is believed", text)
		}
		record(t, b, "a", 5)
		if got, ok := open(t, path).Find("a"); !ok || got.Bytes != 5 {
			t.Errorf("%.60q: not replaced: %+v, %v", text, got, ok)
		}
	}
}

func TestTheOldestGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sizes.json")
	synctest.Test(t, func(t *testing.T) {
		b := open(t, path)
		for i := range maxEntries + 10 {
			record(t, b, fmt.Sprint(i), 1)
			time.Sleep(time.Second)
			if i == maxEntries-1 {
				record(t, b, "0", 2) // seen again, and larger
			}
		}
		b = open(t, path)
		for i := range maxEntries + 10 {
			if _, ok := b.Find(fmt.Sprint(i)); ok != (i == 0 || i > 10) {
				t.Errorf("model %d is known: %v", i, ok)
			}
		}
		if info, err := os.Stat(path); err != nil || info.Size() > maxFile/2 {
			t.Errorf("%+v, %v", info, err)
		}
	})
}

// TestWhatIsKnownIsNotWritten: every load is measured, few tell anything new.
func TestWhatIsKnownIsNotWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sizes.json")
	b := open(t, path)
	for i, c := range []struct {
		m      Measured
		writes bool
	}{
		{Measured{10, time.Second}, true}, {Measured{10, time.Second}, false}, {Measured{10, 1400 * time.Millisecond}, false},
		{Measured{11, time.Second}, true}, {Measured{11, 5 * time.Second}, true}, {Measured{11, time.Second}, true},
	} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := b.Record("a", "not UTF-8: \xff", c.m); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || (info.Size() > 0) != c.writes {
			t.Errorf("measurement %d: written %d bytes, want any: %v (%v)", i, info.Size(), c.writes, err)
		}
	}
	open(t, path)
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	b, err := Open(filepath.Join(t.TempDir(), "missing", "sizes.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Record("a", "a", Measured{1, 1}); err == nil {
		t.Error("no error")
	}
	if _, ok := b.Find("a"); !ok {
		t.Error("what could not be written is forgotten")
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder is read as a book")
	}
}

func TestInMemory(t *testing.T) {
	b := open(t, "")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			record(t, b, fmt.Sprint(i), 1)
			b.Find(fmt.Sprint(i))
		})
	}
	group.Wait()
	if _, ok := b.Find("7"); !ok {
		t.Error("forgotten")
	}
}

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	file, other := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	write := func(path, text string, at time.Time) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "one", day)
	write(other, "one", day)
	seen := map[string]string{}
	differs := func(what string, device, use string, files ...string) {
		t.Helper()
		id, err := Identity(device, use, files...)
		again, _ := Identity(device, use, files...)
		if err != nil || id != again || seen[id] != "" {
			t.Errorf("%s: %q (%v), like %q", what, id, err, seen[id])
		}
		seen[id] = what
	}
	differs("first", "sim", "depth", file)
	differs("device", "hailort", "depth", file)
	differs("use", "sim", "pose", file)
	differs("file", "sim", "depth", other)
	differs("files", "sim", "depth", file, other)
	write(file, "one", day.Add(1))
	differs("time", "sim", "depth", file)
	write(file, "four", day)
	differs("size", "sim", "depth", file)
	if _, err := Identity("sim", "depth", filepath.Join(dir, "none")); err == nil {
		t.Error("a missing file has an identity")
	}
}
