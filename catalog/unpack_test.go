package catalog

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hailo-depth/models"
)

func builtInFile(t *testing.T) []byte {
	t.Helper()
	content, err := models.Files.ReadFile(models.Default + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// unpacked finds the built-in network and returns its path, whose content it checks.
func unpacked(t *testing.T, c Catalog) string {
	t.Helper()
	m, err := c.Find(models.Default, cpu)
	if err != nil {
		t.Fatal(err)
	}
	if have, err := os.ReadFile(m.Path); err != nil || !bytes.Equal(have, builtInFile(t)) {
		t.Fatalf("%s has %d bytes, %v", m.Path, len(have), err)
	}
	return m.Path
}

func TestUnpackOnce(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "new", "cache")
	path := unpacked(t, Catalog{Cache: cache})
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if before.Mode().Perm() != 0o644 {
		t.Errorf("mode %v: a manager of another user must be able to read it", before.Mode())
	}
	if again := unpacked(t, Catalog{Cache: cache}); again != path {
		t.Errorf("then %s", again)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("written a second time, %v", err)
	}
	if files, err := os.ReadDir(cache); err != nil || len(files) != 1 {
		t.Errorf("in the cache: %v, %v", files, err)
	}
}

// TestUnpackBoth: a variant lies beside the default, under its own name.
func TestUnpackBoth(t *testing.T) {
	c := Catalog{Cache: t.TempDir()}
	for _, name := range models.BuiltIn() {
		m, err := c.Find(name, cpu)
		if err != nil || m.Name != name || !strings.HasPrefix(filepath.Base(m.Path), name+"-") {
			t.Fatalf("%s: %+v, %v", name, m, err)
		}
		want, err := models.Files.ReadFile(name + ".onnx")
		if err != nil {
			t.Fatal(err)
		}
		if have, err := os.ReadFile(m.Path); err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s has %d bytes, want %d, %v", m.Path, len(have), len(want), err)
		}
	}
}

func TestUnpackRepairs(t *testing.T) {
	c := Catalog{Cache: t.TempDir()}
	path := unpacked(t, c)
	content := builtInFile(t)
	flipped := bytes.Clone(content)
	flipped[len(flipped)/2] ^= 1
	for _, damage := range [][]byte{nil, content[:len(content)-1], flipped, append(bytes.Clone(content), 0)} {
		if err := os.WriteFile(path, damage, 0o644); err != nil {
			t.Fatal(err)
		}
		unpacked(t, c)
	}
}

// TestUnpackTogether: whoever looks sees nothing or all of the file.
func TestUnpackTogether(t *testing.T) {
	c := Catalog{Cache: t.TempDir()}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			m, err := c.Find(models.Default, cpu)
			if err != nil {
				t.Error(err)
				return
			}
			if have, err := os.ReadFile(m.Path); err != nil || len(have) != len(builtInFile(t)) {
				t.Errorf("read %d bytes, %v", len(have), err)
			}
		})
	}
	group.Wait()
	if files, err := os.ReadDir(c.Cache); err != nil || len(files) != 1 {
		t.Errorf("in the cache: %v, %v", files, err)
	}
}

func TestUnpackFailures(t *testing.T) {
	if _, err := (Catalog{}).Find(models.Default, cpu); err == nil || !strings.Contains(err.Error(), "set $XDG_CACHE_HOME or $HOME") {
		t.Errorf("without a cache: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Catalog{Cache: filepath.Join(file, "x")}).Find(models.Default, cpu); err == nil || !strings.HasPrefix(err.Error(), "unpacking the built-in model: ") {
		t.Errorf("in a file: %v", err)
	}
	// Something that cannot be replaced is in the way: no temporary file stays.
	c := Catalog{Cache: t.TempDir()}
	path := unpacked(t, c)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Find(models.Default, cpu); err == nil {
		t.Error("a folder is no network")
	}
	if files, err := os.ReadDir(c.Cache); err != nil || len(files) != 1 {
		t.Errorf("in the cache: %v, %v", files, err)
	}
}

func TestTheFolderOverridesTheBuiltIn(t *testing.T) {
	c := Catalog{Dir: folder(t, map[string]string{"pocketdepth.onnx": "mine", "pocketdepth.yaml": ""}), Cache: t.TempDir()}
	m, err := c.Find("pocketdepth", cpu)
	if err != nil || m.Path != filepath.Join(c.Dir, "pocketdepth.onnx") || m.Description != "from the folder" {
		t.Errorf("%+v, %v", m, err)
	}
	list, err := c.List(cpu)
	if err != nil || len(list) != len(models.BuiltIn()) || list[0].Path != m.Path {
		t.Errorf("%+v, %v", list, err)
	}
	if files, err := os.ReadDir(c.Cache); err != nil || len(files) != 0 {
		t.Errorf("unpacked all the same: %v, %v", files, err)
	}
	// The file alone is described by the built-in manifest.
	if err := os.Remove(filepath.Join(c.Dir, "pocketdepth.yaml")); err != nil {
		t.Fatal(err)
	}
	if m, err := c.Find("pocketdepth", cpu); err != nil || m.Input.Width != 320 || m.Path != filepath.Join(c.Dir, "pocketdepth.onnx") {
		t.Errorf("%+v, %v", m, err)
	}
}
