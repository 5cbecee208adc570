package depthmap_test

import (
	"os"
	"testing"

	"hailo-depth/internal/npz"
)

// array is what numpy.load returns.
type array = npz.Array

func readNPZ(tb testing.TB, raw []byte) map[string]array {
	tb.Helper()
	members, err := npz.Read(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return members
}

func readNPZFile(tb testing.TB, path string) map[string]array {
	tb.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return readNPZ(tb, raw)
}
