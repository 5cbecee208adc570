// Package catalog finds depth networks: the files of a folder with their
// manifests, and the networks that are built into the program.
package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hailo-depth/manifest"
	"hailo-depth/models"
)

// Model is a network that can be loaded.
type Model struct {
	manifest.Manifest
	Path string // of the model file; empty for a built-in network until Find has unpacked it
}

// NotFoundError says which models there are instead of the one asked for.
type NotFoundError struct {
	Name, Dir, Extension string
	There                []string
}

func (e *NotFoundError) Error() string {
	there := "none"
	if len(e.There) > 0 {
		there = strings.Join(e.There, ", ")
	}
	where := "no model folder is set"
	if e.Dir != "" {
		where = fmt.Sprintf("looked for %s in %s", e.Name+e.Extension, e.Dir)
	}
	return fmt.Sprintf("model %q is not there: %s; usable on this device: %s", e.Name, where, there)
}

// Catalog is a folder of models. Its methods read the folder each time: files
// may come and go.
type Catalog struct {
	Dir   string // may be empty or missing
	Cache string // where built-in networks are unpacked
}

// Extension is that of the model files for a device of the architecture that
// the manager reports: .hef for HailoRT devices, .onnx for the CPU.
func Extension(architecture string) string {
	if strings.HasPrefix(architecture, "HAILO") {
		return ".hef"
	}
	return ".onnx"
}

// Default is the model to use where none is named.
func Default(architecture string) string {
	if Extension(architecture) == ".hef" {
		return "scdepthv3"
	}
	return models.Default
}

// List gives the models that a device of the architecture can load, by name. A
// model whose manifest is missing or wrong is left out; Find says why.
func (c Catalog) List(architecture string) ([]Model, error) {
	extension := Extension(architecture)
	var files []string
	if c.Dir != "" { // which Glob would take for the current folder
		var err error
		if files, err = filepath.Glob(filepath.Join(escape(c.Dir), "*"+extension)); err != nil {
			return nil, err
		}
	}
	var list []Model
	for _, path := range files {
		if !isFile(path) {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(path), extension)
		m, err := c.describe(name)
		if err == nil {
			list = append(list, Model{Manifest: m, Path: path})
		}
	}
	for _, name := range BuiltIn(extension) {
		if slices.ContainsFunc(list, func(m Model) bool { return m.Name == name }) {
			continue
		}
		m, err := c.describe(name)
		if err != nil {
			return nil, err
		}
		list = append(list, Model{Manifest: m})
	}
	slices.SortFunc(list, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// BuiltIn lists the built-in networks for a device whose files have the extension.
func BuiltIn(extension string) []string {
	if extension != ".onnx" {
		return nil
	}
	return models.BuiltIn()
}

// escape keeps a folder's name from being read as a pattern.
func escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// Find returns the model of that name for the architecture, with a file to
// load. Errors: *NotFoundError, or what is wrong with the manifest.
func (c Catalog) Find(name, architecture string) (Model, error) {
	extension := Extension(architecture)
	if name == "" || strings.ContainsAny(name, "/\\\x00") {
		return Model{}, fmt.Errorf("model name %q: expected a name without slashes; the folder is --model-dir", name)
	}
	path := filepath.Join(c.Dir, name+extension)
	switch {
	case c.Dir != "" && isFile(path):
		m, err := c.describe(name)
		if err != nil {
			return Model{}, err
		}
		path, err = filepath.Abs(path) // the manager has another working folder
		return Model{Manifest: m, Path: path}, err
	case slices.Contains(BuiltIn(extension), name):
		m, err := c.describe(name)
		if err != nil {
			return Model{}, err
		}
		path, err := c.unpack(name)
		return Model{Manifest: m, Path: path}, err
	}
	missing := &NotFoundError{Name: name, Dir: c.Dir, Extension: extension}
	list, err := c.List(architecture)
	for _, m := range list {
		missing.There = append(missing.There, m.Name)
	}
	return Model{}, errors.Join(missing, err)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// describe reads NAME.yaml from the folder, else from the built-in manifests.
func (c Catalog) describe(name string) (manifest.Manifest, error) {
	file := name + ".yaml"
	f, err := c.open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return manifest.Manifest{}, fmt.Errorf("model %q has no manifest: write %s beside it, which says what the network takes and gives (docs/models.md)", name, file)
	}
	if err != nil {
		return manifest.Manifest{}, err
	}
	m, err := manifest.Parse(f, file)
	if err == nil && m.Name != name {
		err = fmt.Errorf("%s: name: %q is not the file's name %q", file, m.Name, name)
	}
	return m, errors.Join(err, f.Close())
}

func (c Catalog) open(file string) (fs.File, error) {
	if c.Dir != "" {
		f, err := os.Open(filepath.Join(c.Dir, file))
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return models.Files.Open(file)
}
