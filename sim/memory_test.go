package sim

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"hailo-depth/worker"
)

// sized writes a model of n bytes without taking the space for it.
func sized(t *testing.T, name string, n int64) string {
	t.Helper()
	path := modelPath(t, name, nil)
	if err := os.Truncate(path, n); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMemoryBudget(t *testing.T) {
	d := newDevice(t, "MEMORY_MB=1")
	var networks []worker.LoadedNetwork
	for _, bytes := range []int64{1 << 19, 1<<19 - 1, 1} { // full to the last byte
		n, err := d.Load(worker.LoadSpec{Path: sized(t, "fits.hef", bytes)})
		if err != nil {
			t.Fatal(err)
		}
		if got := n.Signature().MemoryBytes; got != bytes {
			t.Errorf("a file of %d bytes occupies %d", bytes, got)
		}
		networks = append(networks, n)
	}
	one := worker.LoadSpec{Path: sized(t, "one.hef", 1)}
	_, err := d.Load(one)
	var full *worker.Error
	if !errors.As(err, &full) || full.Kind != worker.KindMemoryFull || full.Status != 81 ||
		full.NeededBytes != 1 || full.TotalBytes != 1<<20 || full.NeverFits() {
		t.Errorf("one byte too many: %+v", err)
	}
	if s := d.Statistics(); s.MemoryUsedBytes != 1<<20 || s.MemoryTotalBytes != 1<<20 || *s.TemperatureCelsius != 53.5 {
		t.Errorf("a failed load changed the statistics: %+v", s)
	}
	if err := networks[2].Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Load(one); err != nil {
		t.Errorf("the freed byte: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestMoreThanTheDevice(t *testing.T) {
	d := newDevice(t, "MEMORY_MB=1")
	_, err := d.Load(worker.LoadSpec{Path: sized(t, "huge.hef", 1<<20+1)})
	if e, ok := errors.AsType[*worker.Error](err); !ok || !e.NeverFits() {
		t.Errorf("%+v", err)
	}
}

func TestModelsThatDoNotLoad(t *testing.T) {
	d := newDevice(t)
	for _, c := range []struct {
		path   string
		status int
		part   string
	}{
		{t.TempDir() + "/none.hef", 13, "no such file"},
		{t.TempDir(), 14, "is not a regular file"},
		{modelPath(t, "a.hef", []byte(`{"fake_hef": 1, "inputs": 5}`)), 26, "its first line is not a network"},
		{modelPath(t, "b.hef", append([]byte(`{"fake_hef": 1, "inputs": [`), bytes.Repeat([]byte(" "), 2*maxHeader)...)), 26, "its first line is not a network"},
		{modelPath(t, "c.hef", []byte(`{"fake_hef": 1, "load_error": "made for another chip"}`)), 0, "made for another chip"},
	} {
		_, err := d.Load(worker.LoadSpec{Path: c.path})
		e, ok := errors.AsType[*worker.Error](err)
		if !ok || e.Kind != worker.KindModel || e.Status != c.status || !strings.Contains(e.Message, c.part) {
			t.Errorf("%s: %+v", c.path, err)
		}
	}
	if used := d.Statistics().MemoryUsedBytes; used != 0 {
		t.Errorf("%d bytes are in use, nothing is loaded", used)
	}
}

// A first line that only looks like a header is content.
func TestOtherFilesAreTheDepthNetwork(t *testing.T) {
	for _, content := range []string{"", "HEF\x00\x01", "{}", "{\"name\": 1}\n", "\n{\"fake_hef\": 1, \"inputs\": []}", "[\"fake_hef\"]"} {
		n, err := newDevice(t).Load(worker.LoadSpec{Path: modelPath(t, "a.hef", []byte(content))})
		if err != nil {
			t.Errorf("%q: %v", content, err)
			continue
		}
		s := n.Signature()
		if len(s.Inputs) != 1 || len(s.Outputs) != 1 || !slices.Equal(s.Inputs[0].Shape, []int{256, 320, 3}) || !slices.Equal(s.Outputs[0].Shape, []int{256, 320, 1}) {
			t.Errorf("%q has the signature %+v", content, s)
		}
	}
}
