package hailort

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The script that `make worker-hailort` begins with says what is missing, or
// which release is there.
func TestInstalledLibrary(t *testing.T) {
	const header, speech = "include/hailo/hailort.hpp", "include/hailo/genai/speech2text/speech2text.hpp"
	for _, c := range []struct {
		name  string
		files []string
		link  string // where lib/libhailort.so leads
		says  string
		fails bool
	}{
		{"nothing", nil, "", "include/hailo/hailort.hpp is missing", true},
		{"headers of 5.0", []string{header}, "", "older than HailoRT 5.1.0", true},
		{"no library", []string{header, speech}, "", "lib/libhailort.so is missing", true},
		{"a library of 5.0", []string{header, speech, "lib/libhailort.so.5.0.1"}, "libhailort.so.5.0.1", "HailoRT 5.0.1 is in", true},
		{"one for the Hailo-8", []string{header, speech, "lib/libhailort.so.4.23.0"}, "libhailort.so.4.23.0", "HailoRT 4.23.0 is in", true},
		{"a library without a version", []string{header, speech, "lib/other.so"}, "other.so", "does not lead to a library with a version", true},
		{"5.1.0", []string{header, speech, "lib/libhailort.so.5.1.0"}, "libhailort.so.5.1.0", "5.1.0\n", false},
		{"5.1.1", []string{header, speech, "lib/libhailort.so.5.1.1"}, "libhailort.so.5.1.1", "5.1.1\n", false},
		{"5.10.0", []string{header, speech, "lib/libhailort.so.5.10.0"}, "libhailort.so.5.10.0", "5.10.0\n", false},
	} {
		root := t.TempDir()
		for _, file := range append(c.files, "lib/.keep") {
			path := filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if c.link != "" {
			if err := os.Symlink(c.link, filepath.Join(root, "lib/libhailort.so")); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command("sh", "../scripts/hailort-headers.sh", filepath.Join(root, "include"), filepath.Join(root, "lib")).CombinedOutput()
		if (err != nil) != c.fails || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: %v: %s", c.name, err, out)
		}
		if c.fails && !strings.Contains(string(out), "h10-hailort") {
			t.Errorf("%s: it does not say what to install: %s", c.name, out)
		}
	}
}
