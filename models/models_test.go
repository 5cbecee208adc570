package models_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hailo-depth/manifest"
	"hailo-depth/models"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := models.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func parse(t *testing.T, name string) manifest.Manifest {
	t.Helper()
	m, err := manifest.Parse(bytes.NewReader(read(t, name)), name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Each manifest can be read and goes by its file's name; the only networks that
// come with the program are our own, small and with a manifest each.
func TestFiles(t *testing.T) {
	files, err := models.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	documented, err := os.ReadFile("../docs/models.md")
	if err != nil {
		t.Fatal(err)
	}
	manifests := 0
	for _, file := range files {
		name, isManifest := strings.CutSuffix(file.Name(), ".yaml")
		switch {
		case !isManifest:
			if !slices.Contains([]string{models.Default + ".onnx", models.Default + "_int8.onnx"}, file.Name()) {
				t.Errorf("%s comes with the program", file.Name())
			}
			if size := len(read(t, file.Name())); size == 0 || size > 4<<20 {
				t.Errorf("%s has %d bytes", file.Name(), size)
			}
		default:
			manifests++
			if m := parse(t, file.Name()); m.Name != name {
				t.Errorf("%s is the manifest of %q", file.Name(), m.Name)
			}
			if !strings.Contains(string(documented), "`"+name+"`") {
				t.Errorf("docs/models.md does not name %s", name)
			}
		}
	}
	if manifests < 4 {
		t.Errorf("%d manifests", manifests)
	}
	if got := models.BuiltIn(); !slices.Equal(got, []string{"pocketdepth", "pocketdepth_int8"}) {
		t.Errorf("built in: %q", got)
	}
	for _, name := range models.BuiltIn() {
		parse(t, name+".yaml")
	}
}

// The network's file is the one that its card and its reference describe; that
// manifest and network agree is shown where it runs, in package onnx.
func TestBuiltInNetwork(t *testing.T) {
	network := read(t, models.Default+".onnx")
	raw, err := os.ReadFile(models.Default + "_reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		SHA256 string `json:"onnx_sha256"`
	}
	if err := json.Unmarshal(raw, &reference); err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(network); hex.EncodeToString(sum[:]) != reference.SHA256 {
		t.Errorf("the network's sha256 is %x, its reference was made with %s", sum, reference.SHA256)
	}
	card, err := os.ReadFile(models.Default + ".md")
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"size":   fmt.Sprintf("%.1f MB", float64(len(network))/1e6),
		"input":  "`image`, uint8 [1, 256, 320, 3]",
		"output": "`disparity`, float32 [1, 1, 256, 320]",
	} {
		if !strings.Contains(string(card), want) {
			t.Errorf("%s: the card does not say %q", what, want)
		}
	}
}

// The variant in whole numbers was made from the default, as the file itself says,
// and takes its place without a change.
func TestVariantIsAlike(t *testing.T) {
	sum := sha256.Sum256(read(t, models.Default+".onnx"))
	if !bytes.Contains(read(t, models.Default+"_int8.onnx"), []byte(hex.EncodeToString(sum[:]))) {
		t.Errorf("%s_int8.onnx was not made from %s.onnx: run training/quantise.py", models.Default, models.Default)
	}
	a, b := parse(t, models.Default+".yaml"), parse(t, models.Default+"_int8.yaml")
	if !reflect.DeepEqual(a.Input, b.Input) || !reflect.DeepEqual(a.Output, b.Output) || a.Licence != b.Licence {
		t.Errorf("%+v is not like %+v", b, a)
	}
}

// The manifest says of input and output what the card says.
func TestBuiltInManifest(t *testing.T) {
	m := parse(t, models.Default+".yaml")
	in, out := m.Input, m.Output
	if m.Name != models.Default || in.Name != "image" || in.Width != 320 || in.Height != 256 || in.Layout != "NHWC" || in.DType != "uint8" || in.Channels != "RGB" {
		t.Errorf("%s, input %+v", m.Name, in)
	}
	if len(in.Mean) != 0 || len(in.Std) != 0 { // the normalisation is inside
		t.Errorf("mean %v, std %v", in.Mean, in.Std)
	}
	if out.Name != "disparity" || out.Meaning != "disparity" || out.Near != "large" || out.Unit != "relative" {
		t.Errorf("output %+v", out)
	}
	card, err := os.ReadFile(models.Default + ".md")
	if err != nil {
		t.Fatal(err)
	}
	// "of 1.53 million parameters" and "1 527 337 parameters".
	stated := regexp.MustCompile(`\| size \| ([\d ]+) parameters`).FindStringSubmatch(string(card))
	described := regexp.MustCompile(`of (\d\.\d\d) million parameters`).FindStringSubmatch(m.Description)
	if stated == nil || described == nil {
		t.Fatalf("card %q, manifest %q", stated, described)
	}
	parameters, err := strconv.Atoi(strings.ReplaceAll(stated[1], " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%.2f", float64(parameters)/1e6); got != described[1] {
		t.Errorf("the card counts %s million parameters, the manifest %s", got, described[1])
	}
}
