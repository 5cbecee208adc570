package library

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// environment is a getenv of fixed variables.
type environment map[string]string

func (e environment) get(key string) string { return e[key] }

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Every place has a library; one after another is taken away.
func TestFindOrder(t *testing.T) {
	root := t.TempDir()
	program := filepath.Join(root, "bin", "worker")
	system := []string{filepath.Join(root, "usr1"), filepath.Join(root, "usr2")}
	named := filepath.Join(root, "anywhere", "mine.so")
	order := []string{
		filepath.Join(root, "bin", "libonnxruntime.so.1"),
		filepath.Join(root, "bin", "libonnxruntime.so"),
		filepath.Join(root, "lib", "onnxruntime", "libonnxruntime.so.1"),
		filepath.Join(root, "lib", "onnxruntime", "libonnxruntime.so"),
		filepath.Join(root, "usr1", "libonnxruntime.so.1"),
		filepath.Join(root, "usr1", "libonnxruntime.so"),
		filepath.Join(root, "usr2", "libonnxruntime.so.1"),
		filepath.Join(root, "usr2", "libonnxruntime.so"),
	}
	for _, path := range append(order, named) {
		touch(t, path)
	}
	got, err := Find(environment{Env: named}.get, program, system)
	if err != nil || got != named {
		t.Errorf("%s, %v; the variable names %s", got, err, named)
	}
	for _, want := range order {
		got, err := Find(environment{}.get, program, system)
		if err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
		// A folder of that name is none.
		if err := os.Remove(want); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(want, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, err = Find(environment{}.get, program, system)
	if err == nil {
		t.Fatal("found in folders without one")
	}
	for _, part := range []string{"run `make onnxruntime`", "set " + Env, filepath.Join(root, "bin"), filepath.Join(root, "lib", "onnxruntime"), system[0], system[1]} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s does not say %s", err, part)
		}
	}
}

// Whoever names a library wants that one or none.
func TestFindNamedButMissing(t *testing.T) {
	root := t.TempDir()
	touch(t, filepath.Join(root, "bin", "libonnxruntime.so.1"))
	named := filepath.Join(root, "absent.so")
	got, err := Find(environment{Env: named}.get, filepath.Join(root, "bin", "worker"), nil)
	if err == nil || !strings.HasPrefix(err.Error(), Env+"="+named+": ") {
		t.Errorf("%s, %v", got, err)
	}
}

// The loader looks for a bare name on the system's path, not in the folder where
// we found it.
func TestFindNamedWithoutFolder(t *testing.T) {
	dir := t.TempDir()
	touch(t, filepath.Join(dir, "mine.so"))
	t.Chdir(dir)
	got, err := Find(environment{Env: "mine.so"}.get, "/bin/worker", nil)
	if err != nil || !filepath.IsAbs(got) || filepath.Base(got) != "mine.so" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestSystemDirs(t *testing.T) {
	standard := SystemDirs(environment{}.get)
	for _, dir := range []string{"/usr/local/lib", "/usr/lib/aarch64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/usr/lib"} {
		if !slices.Contains(standard, dir) {
			t.Errorf("%s is missing in %q", dir, standard)
		}
	}
	// An empty or relative entry means the current folder, where anybody may have put a file.
	got := SystemDirs(environment{"LD_LIBRARY_PATH": "/opt/ort:::lib:/opt/b"}.get)
	if want := append([]string{"/opt/ort", "/opt/b"}, standard...); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
