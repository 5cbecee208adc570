package npz_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hailo-depth/depthmap"
	"hailo-depth/internal/npz"
)

// npy is a file as NumPy writes it; the header's length fills up to 64 bytes.
func npy(descr, order, shape string, data []byte) []byte {
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order, shape)
	dict += strings.Repeat(" ", 63-(10+len(dict))%64) + "\n"
	raw := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(dict)))
	return append(append(raw, dict...), data...)
}

// archive is a ZIP file of members, name and content in turn.
func archive(tb testing.TB, members ...string) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i < len(members); i += 2 {
		w, err := z.Create(members[i])
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(members[i+1])); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func TestWhatTheServiceWrites(t *testing.T) {
	want := depthmap.Map{Width: 3, Height: 2, Values: []float32{0, -1.5, 1e-40, math.MaxFloat32, 0.1, 7}}
	var out bytes.Buffer
	if err := want.EncodeNPZ(&out, nil); err != nil {
		t.Fatal(err)
	}
	members, err := npz.Read(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, ok := members["depth"]
	if !ok || len(members) != 1 || got.DType != "<f4" || !slices.Equal(got.Shape, []int{2, 3}) || !slices.Equal(got.Float32s(), want.Values) {
		t.Errorf("%+v", members)
	}
}

// The recorded arrays were written by NumPy itself.
func TestWhatNumPyWrites(t *testing.T) {
	files, err := filepath.Glob("../../testdata/contract/arrays/*.npz")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	types := map[string]int{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		members, err := npz.Read(raw)
		if err != nil || len(members) == 0 {
			t.Errorf("%s: %d members, %v", file, len(members), err)
		}
		for name, a := range members {
			types[a.DType]++
			n := 1
			for _, d := range a.Shape {
				n *= d
			}
			if got := len(a.Float64s()); got != n {
				t.Errorf("%s: %s has %d values for %v of %s", file, name, got, a.Shape, a.DType)
			}
		}
	}
	for _, want := range []string{"<f4", "<u2", "|u1"} {
		if types[want] == 0 {
			t.Errorf("no array of %s among %v", want, types)
		}
	}
}

func TestValues(t *testing.T) {
	raw := archive(t,
		"a.npy", string(npy("<u2", "False", "(3,)", []byte{1, 0, 0, 1, 255, 255})),
		"b.npy", string(npy("|u1", "False", "(2, 1)", []byte{7, 255})),
		"c.npy", string(npy("<f4", "False", "()", []byte{0, 0, 0x80, 0x3f})),
		"d.npy", string(npy("<i8", "False", "(1, 1)", []byte{1, 2, 3, 4, 5, 6, 7, 8})),
		"e", string(npy("<f4", "False", "(0, 5)", nil)),
	)
	members, err := npz.Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		shape  []int
		values []float64
	}{
		"a": {[]int{3}, []float64{1, 256, 65535}},
		"b": {[]int{2, 1}, []float64{7, 255}},
		"c": {nil, []float64{1}},
		"d": {[]int{1, 1}, nil}, // a type whose values nobody asked for yet
		"e": {[]int{0, 5}, nil},
	} {
		got := members[name]
		if !slices.Equal(got.Shape, want.shape) || !slices.Equal(got.Float64s(), want.values) {
			t.Errorf("%s: %+v %v", name, got, got.Float64s())
		}
		if f := got.Float32s(); (f != nil) != (got.DType == "<f4") {
			t.Errorf("%s of %s as float32: %v", name, got.DType, f)
		}
	}
}

func TestRefused(t *testing.T) {
	four := []byte{1, 2, 3, 4}
	good := npy("<f4", "False", "(1,)", four)
	version2 := bytes.Replace(good, []byte("\x01\x00"), []byte("\x02\x00"), 1)
	lengthless := slices.Clone(good)
	binary.LittleEndian.PutUint16(lengthless[8:], math.MaxUint16)
	for name, content := range map[string][]byte{
		"empty": nil, "text": []byte("no array at all, but long enough"), "version 2": version2,
		"header beyond the end": lengthless,
		"cut":                   good[:len(good)-1],
		"too long":              append(slices.Clone(good), 0),
		"big endian":            npy(">f4", "False", "(1,)", four),
		"objects":               npy("|O", "False", "(1,)", four),
		"no size":               npy("<fx", "False", "(1,)", four),
		"size 0":                npy("<f0", "False", "(1,)", nil),
		"negative size":         npy("<f-4", "False", "(-1,)", four),
		"record":                npy("[('a', '<f4')]", "False", "(1,)", four),
		"another shape":         npy("<f4", "False", "(2,)", four),
		"two minuses":           npy("<f4", "False", "(-1, -1)", four),
		"overflow":              npy("<f4", "False", "(4611686018427387905, 1)", four), // times 4 is 4 again
		"overflow later":        npy("<u2", "False", "(2, 4294967296, 4294967297)", four),
		"no number":             npy("<f4", "False", "(1.5,)", four),
		"code":                  npy("<f4", "False", "(__import__,)", four),
	} {
		members, err := npz.Read(archive(t, "x.npy", string(content)))
		if err == nil || !strings.HasPrefix(err.Error(), "x.npy: ") || members != nil {
			t.Errorf("%s: %v, %v", name, members, err)
		}
	}
	_, err := npz.Read(archive(t, "x.npy", string(npy("<f4", "True", "(1,)", four))))
	if want := `x.npy: dtype "<f4", Fortran order true`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	for name, raw := range map[string][]byte{"nothing": nil, "no archive": []byte("GIF89a"), "an array without archive": good} {
		if _, err := npz.Read(raw); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

// The size that an archive promises is looked at before anything is unpacked.
func TestArchiveThatUnpacksToTooMuch(t *testing.T) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range []string{"a.npy", "b.npy"} {
		content := npy("|u1", "False", "(1,)", []byte{1})
		w, err := z.CreateRaw(&zip.FileHeader{Name: name, CompressedSize64: uint64(len(content)), UncompressedSize64: 1<<30 + 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := npz.Read(out.Bytes()); err == nil || err.Error() != "a.npy: the archive unpacks to more than 1073741824 bytes" {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(archive(f, "a.npy", string(npy("<f4", "False", "(1,)", []byte{1, 2, 3, 4}))))
	f.Add(archive(f, "a.npy", string(npy("<u2", "False", "(2, 1)", []byte{1, 2, 3, 4})), "b", string(npy("|u1", "False", "()", []byte{9}))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if members, err := npz.Read(raw); err == nil {
			check(t, members)
		}
	})
}

// FuzzHeader reaches what FuzzRead's checksums keep from change.
func FuzzHeader(f *testing.F) {
	for _, shape := range []string{"(1,)", "()", "(2, 2)", "(-1, -1)", "(4611686018427387905,)"} {
		f.Add("<f4", shape, []byte{1, 2, 3, 4})
	}
	f.Fuzz(func(t *testing.T, descr, shape string, data []byte) {
		if len(descr)+len(shape) > 60000 {
			return // the header's length has 16 bits
		}
		if members, err := npz.Read(archive(t, "a", string(npy(descr, "False", shape, data)))); err == nil {
			check(t, members)
		}
	})
}

// check holds what every array promises.
func check(t *testing.T, members map[string]npz.Array) {
	t.Helper()
	for name, a := range members {
		n := 1
		for _, d := range a.Shape {
			if d < 0 {
				t.Fatalf("%s has the shape %v", name, a.Shape)
			}
			n *= d
		}
		if n > len(a.Data) || n > 0 && len(a.Data)%n != 0 {
			t.Fatalf("%s: %d bytes for %v", name, len(a.Data), a.Shape)
		}
		if v := a.Float64s(); v != nil && len(v) != n {
			t.Fatalf("%s: %d values of %s for %v", name, len(v), a.DType, a.Shape)
		}
	}
}
