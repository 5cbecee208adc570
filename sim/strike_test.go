package sim

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hailo-depth/worker"
)

// device makes one whose environment is "NAME=value" pairs without HAILO_SIM_.
func newDevice(t *testing.T, env ...string) *Device {
	t.Helper()
	c, err := FromEnv(environment(env...))
	if err != nil {
		t.Fatal(err)
	}
	return New(c)
}

// modelPath writes a model file.
func modelPath(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// statuses carries an operation out n times and tells how each ended.
func statuses(t *testing.T, n int, do func() error) (got []int) {
	t.Helper()
	for range n {
		err := do()
		var e *worker.Error
		switch {
		case err == nil:
			got = append(got, 0)
		case errors.As(err, &e):
			got = append(got, e.Status)
		default:
			t.Fatal(err)
		}
	}
	return got
}

func TestFaultsStrikeTheirOperations(t *testing.T) {
	d := newDevice(t, "FAULTS=load=81@2, load=26@3-4, infer=62@1, infer=4@3+, unload=8@2, any=3@6")
	path := modelPath(t, "a.hef", []byte("model"))
	var networks []worker.LoadedNetwork
	load := func() error {
		n, err := d.Load(worker.LoadSpec{Path: path})
		if err == nil {
			networks = append(networks, n)
		}
		return err
	}
	if got, want := statuses(t, 7, load), []int{0, 81, 26, 26, 0, 3, 0}; !slices.Equal(got, want) {
		t.Errorf("loads ended with %v, want %v", got, want)
	}
	// Each kind of operation has its own count, whichever network it is for.
	infer := func() error { _, err := networks[0].Infer(0); return err }
	if got, want := statuses(t, 4, infer), []int{62, 0, 4, 4}; !slices.Equal(got, want) {
		t.Errorf("inferences ended with %v, want %v", got, want)
	}
	unload := func() error {
		n := networks[0]
		networks = networks[1:]
		return n.Close()
	}
	if got, want := statuses(t, 3, unload), []int{0, 8, 0}; !slices.Equal(got, want) {
		t.Errorf("unloads ended with %v, want %v", got, want)
	}
	if used := d.Statistics().MemoryUsedBytes; used != 0 {
		t.Errorf("%d bytes are in use after the last unload, one of which failed", used)
	}
}

// An injected failure is that of the library: its kind follows from status and
// operation, and its text names the fault and the file.
func TestFaultsAreTheLibrarysErrors(t *testing.T) {
	d := newDevice(t, "FAULTS=load=4@1")
	_, err := d.Load(worker.LoadSpec{Path: modelPath(t, "a.hef", nil)})
	if worker.KindOf(err) != worker.KindLost || err.Error() != "injected fault at load 1 of a.hef: HAILO_TIMEOUT(4)" {
		t.Errorf("%s: %v", worker.KindOf(err), err)
	}
}

func TestProbability(t *testing.T) {
	path := modelPath(t, "a.hef", nil)
	missing := worker.LoadSpec{Path: path + ".missing"} // a load that leaves nothing behind
	const rounds = 2000
	hits := func(env ...string) (n int, which []int) {
		d := newDevice(t, env...)
		which = statuses(t, rounds, func() error { _, err := d.Load(missing); return err })
		for _, status := range which {
			if status == 62 {
				n++
			}
		}
		return n, which
	}
	for p, between := range map[string][2]int{"0": {0, 0}, "0.25": {425, 575}, "1": {rounds, rounds}} { // ± 4 standard deviations
		if n, _ := hits("FAULTS=load=62@p" + p); n < between[0] || n > between[1] {
			t.Errorf("p%s struck %d of %d", p, n, rounds)
		}
	}
	_, first := hits("FAULTS=load=62@p0.5", "SEED=7")
	_, same := hits("FAULTS=load=62@p0.5", "SEED=7")
	_, other := hits("FAULTS=load=62@p0.5", "SEED=8")
	if !slices.Equal(first, same) || slices.Equal(first, other) {
		t.Error("the seed does not decide which operations are hit")
	}
}

func TestFaultsFileIsReadAgain(t *testing.T) {
	file := modelPath(t, "faults", []byte("load=26\n"))
	d := newDevice(t, "FAULTS=@"+file)
	path := modelPath(t, "a.hef", nil)
	load := func() error { _, err := d.Load(worker.LoadSpec{Path: path}); return err }
	before := statuses(t, 1, load)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := append(before, statuses(t, 1, load)...); !slices.Equal(got, []int{26, 0}) {
		t.Errorf("loads ended with %v", got)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := load(); err == nil || !strings.Contains(err.Error(), "the file of HAILO_SIM_FAULTS") {
		t.Errorf("without the file: %v", err)
	}
}

// The crash is the program's end; here it is noted.
func TestCrash(t *testing.T) {
	d := newDevice(t, "FAULTS=load=crash@2")
	var codes []int
	d.exit = func(code int) { codes = append(codes, code) }
	path := modelPath(t, "a.hef", nil)
	for range 3 {
		_, _ = d.Load(worker.LoadSpec{Path: path}) // what comes after the end does not count
	}
	if !slices.Equal(codes, []int{70}) {
		t.Errorf("exits: %v", codes)
	}
}
