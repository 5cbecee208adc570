package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestNearness(t *testing.T) {
	depth := make([]float32, 200)
	for i := range depth {
		depth[i] = 1 + float32(i)/10
	}
	depth[199] = 0.01 // one speck before the lens
	got := nearness(depth)
	if got[199] != 255 || got[0] < 250 || got[198] != 0 {
		t.Errorf("speck %d, near %d, far %d; want 255, about 255, 0", got[199], got[0], got[198])
	}
	for i := 1; i < 199; i++ {
		if got[i] > got[i-1] {
			t.Fatalf("place %d is farther than the one before, but %d after %d", i, got[i], got[i-1])
		}
	}
}

// A run that was stopped in the middle of a picture ends in the same bytes.
func TestGoesOn(t *testing.T) {
	whole, parts := t.TempDir(), t.TempDir()
	render := func(dir, count string) {
		t.Helper()
		if err := run(t.Context(), []string{"--out", dir, "--count", count}, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	render(whole, "2")
	render(parts, "1")
	name := filepath.Join(parts, "labels.near")
	if err := os.Truncate(name, width*height-5); err != nil {
		t.Fatal(err)
	}
	render(parts, "2")
	for _, file := range []string{"pictures.rgb", "labels.near"} {
		a, b := read(t, filepath.Join(whole, file)), read(t, filepath.Join(parts, file))
		if !bytes.Equal(a, b) || len(a)%(2*width*height) != 0 || len(a) == 0 {
			t.Errorf("%s: %d bytes in one go, %d in parts, or other ones", file, len(a), len(b))
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
