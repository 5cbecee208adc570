// Package sizes remembers, across restarts, what models were measured to need:
// device memory and the time to load them.
package sizes

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// version is of the file's form; a file of another one is not read.
const version = 1

const (
	// maxEntries bounds the file; the entries seen longest ago go first.
	maxEntries = 512
	maxFile    = 1 << 20
)

// Measured is what a model needed the last time that it was loaded.
type Measured struct {
	Bytes    int64         // of device memory, above 0
	LoadTime time.Duration // without waiting for room
}

// entry is a line of the file.
type entry struct {
	Identity    string    `json:"identity"`
	Name        string    `json:"name"` // for people
	Bytes       int64     `json:"bytes"`
	LoadSeconds float64   `json:"load_seconds"`
	Seen        time.Time `json:"seen"`
}

type document struct {
	Version int     `json:"version"`
	Models  []entry `json:"models"`
}

// Book is the record. It is safe for concurrent use.
type Book struct {
	path string // empty: nothing is kept

	mu      sync.Mutex
	entries map[string]entry
}

// Open reads the book at path. A file that is missing is an empty book; so is
// one that cannot be used, which the error, a warning, says: the Book is usable
// with any error. An empty path is a book that is kept in memory only.
func Open(path string) (*Book, error) {
	b := &Book{path: path, entries: map[string]entry{}}
	if path == "" {
		return b, nil
	}
	doc, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return b, fmt.Errorf("%s: %w; sizes of models are measured anew", path, err)
	}
	for _, e := range doc.Models {
		b.entries[e.Identity] = e
	}
	b.trim()
	return b, nil
}

func read(path string) (doc document, err error) {
	f, err := os.Open(path)
	if err != nil {
		return doc, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return doc, err
	}
	if len(text) > maxFile {
		return doc, fmt.Errorf("is over %d bytes", maxFile)
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return document{}, err
	}
	if doc.Version != version {
		return document{}, fmt.Errorf("has version %d; this program knows %d", doc.Version, version)
	}
	for _, e := range doc.Models {
		if e.Identity == "" || e.Bytes <= 0 || !(e.LoadSeconds >= 0 && e.LoadSeconds < 1e6) {
			return document{}, fmt.Errorf("has an impossible entry: %+v", e)
		}
	}
	return doc, nil
}

// Identity is what a model's measurements are kept under: another device,
// another file, or the same file changed since, is another model. what tells
// apart uses of the same files (type, parameters). The error is that of a file
// that cannot be looked at.
func Identity(device, what string, files ...string) (string, error) {
	sum := sha256.New()
	// Lengths keep the parts apart; a hash takes every write.
	_, _ = fmt.Fprintf(sum, "%q %q", device, what)
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(sum, " %q %d %d", file, info.Size(), info.ModTime().UnixNano())
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Find returns the measurements of a model; false when there are none.
func (b *Book) Find(identity string) (Measured, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.entries[identity]
	return Measured{e.Bytes, time.Duration(e.LoadSeconds * float64(time.Second))}, ok
}

// Record keeps measurements and writes the file when they differ from those in it. name is for people. Sizes of 0
// and below are none and are not kept.
func (b *Book) Record(identity, name string, m Measured) error {
	if m.Bytes <= 0 || m.LoadTime < 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := entry{identity, strings.ToValidUTF8(name, "\uFFFD"), m.Bytes, m.LoadTime.Seconds(), time.Now().Round(time.Second)}
	old, known := b.entries[identity]
	b.entries[identity] = e
	b.trim()
	if b.path == "" || known && alike(old, e) {
		return nil
	}
	return b.write()
}

// alike reports whether writing b where a is written would teach nobody
// anything: the file is on an SD card.
func alike(a, b entry) bool {
	return a.Bytes == b.Bytes && b.LoadSeconds <= 1.5*a.LoadSeconds && a.LoadSeconds <= 1.5*b.LoadSeconds && b.Seen.Sub(a.Seen) < 24*time.Hour
}

// trim drops what was seen longest ago, beyond the bound.
func (b *Book) trim() {
	if len(b.entries) <= maxEntries {
		return
	}
	for _, e := range b.sorted()[maxEntries:] {
		delete(b.entries, e.Identity)
	}
}

// sorted lists the entries, the last seen first.
func (b *Book) sorted() []entry {
	list := make([]entry, 0, len(b.entries))
	for _, e := range b.entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(b.Seen.Compare(a.Seen), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Identity, b.Identity))
	})
	return list
}

// write replaces the file in one step: a crash leaves the old one or the new one.
func (b *Book) write() (err error) {
	text, err := json.Marshal(document{version, b.sorted()}, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(b.path), filepath.Base(b.path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), b.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
