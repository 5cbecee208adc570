package manifest

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"hailo-depth/models"
	"hailo-depth/strictyaml"
)

// minimal is all that must be said.
const minimal = `name: net
input: {width: 320, height: 256}
output: {meaning: disparity, near: large}
`

func TestParseFillsIn(t *testing.T) {
	got, err := Parse(strings.NewReader(minimal), "net.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := Manifest{Name: "net", Type: "monocular", Input: Input{Width: 320, Height: 256, Layout: "NHWC", DType: "uint8", Channels: "RGB", PixelMax: 255},
		Output: Output{Meaning: "disparity", Near: "large", Unit: "relative"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestParseEverything(t *testing.T) {
	got, err := Parse(strings.NewReader(`
name: midas
type: monocular
description: d
licence: MIT
source: s
input: {name: in, width: 8192, height: 1, layout: NCHW, dtype: float32, channels: BGR, pixel_max: 1, mean: [0.485, 0, -1], std: [0.229, 1, 2]}
output: {name: out, meaning: depth, near: small, unit: metre}
`), "midas.yaml")
	want := Manifest{Name: "midas", Type: "monocular", Description: "d", Licence: "MIT", Source: "s",
		Input:  Input{Name: "in", Width: 8192, Height: 1, Layout: "NCHW", DType: "float32", Channels: "BGR", PixelMax: 1, Mean: []float64{0.485, 0, -1}, Std: []float64{0.229, 1, 2}},
		Output: Output{Name: "out", Meaning: "depth", Near: "small", Unit: "metre"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestParseRefusals(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"name: net", "", `name: "" is not valid; expected a name without slashes`},
		{"name: net", "name: a/b", `name: "a/b" is not valid`},
		{"name: net", `name: "a\\b"`, `name: "a\\b" is not valid`},
		{"name: net", `name: "a\0"`, `name: "a\x00" is not valid`},
		{"name: net", "name: net\ntype: stereo", `type: "stereo" is not valid; expected one of monocular`},
		{"width: 320, ", "", "input.width: 0 is not valid; expected 1 to 8192"},
		{"width: 320", "width: 8193", "input.width: 8193"},
		{"width: 320", "width: -1", "input.width: -1"},
		{"height: 256", "height: 0", "input.height: 0 is not valid; expected 1 to 8192"},
		{"height: 256", "height: 9000", "input.height: 9000"},
		{"height: 256", "height: 256, layout: nhwc", `input.layout: "nhwc" is not valid; expected one of NHWC, NCHW`},
		{"height: 256", "height: 256, dtype: float16", `input.dtype: "float16" is not valid; expected one of uint8, float32`},
		{"height: 256", "height: 256, channels: GRAY", `input.channels: "GRAY" is not valid; expected one of RGB, BGR`},
		{"height: 256", "height: 256, dtype: float32, pixel_max: 128", "input.pixel_max: 128 is not valid; expected 255 or 1"},
		{"height: 256", "height: 256, dtype: float32, mean: [1, 2]", "input.mean: [1 2] is not valid; expected three numbers"},
		{"height: 256", "height: 256, dtype: float32, mean: [1, 2, .nan]", "input.mean: [1 2 NaN]"},
		{"height: 256", "height: 256, dtype: float32, std: [1, 0, 1]", "input.std: [1 0 1] is not valid"},
		{"height: 256", "height: 256, dtype: float32, std: [1, -1, 1]", "input.std: [1 -1 1] is not valid"},
		{"height: 256", "height: 256, dtype: float32, std: [1, .inf, 1]", "input.std: [1 +Inf 1] is not valid"},
		{"height: 256", "height: 256, pixel_max: 1", "input.dtype: uint8 is not valid; expected float32, since pixel_max, mean or std are given"},
		{"height: 256", "height: 256, mean: [1, 2, 3]", "input.dtype: uint8"},
		{"height: 256", "height: 256, std: [1, 2, 3]", "input.dtype: uint8"},
		{"meaning: disparity", "meaning: distance", `output.meaning: "distance" is not valid; expected one of logit, disparity, depth`},
		{"meaning: disparity, ", "", `output.meaning: ""`},
		{"near: large", "near: big", `output.near: "big" is not valid; expected one of large, small`},
		{", near: large", "", `output.near: ""`},
		{"near: large", "near: large, unit: mm", `output.unit: "mm" is not valid; expected one of relative, metre`},
	} {
		text := strings.Replace(minimal, c.old, c.new, 1)
		if text == minimal {
			t.Fatalf("%q is not in the manifest", c.old)
		}
		_, err := Parse(strings.NewReader(text), "net.yaml")
		var e *strictyaml.Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "net.yaml: "+c.want) {
			t.Errorf("%q: %v\n\twant %s", c.new, err, c.want)
		}
	}
}

func TestParseSaysAllThatIsWrong(t *testing.T) {
	_, err := Parse(strings.NewReader("name: net\n"), "net.yaml")
	for _, key := range []string{"input.width", "input.height", "output.meaning", "output.near"} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is not named: %v", key, err)
		}
	}
	for text, want := range map[string]string{
		"name: net\nnmae: x\n":            `net.yaml:2: unknown field "nmae"`,
		"name: net\ninput:\n  width: a\n": "net.yaml:3: expected a whole number",
		"name: net\ninput: {mean: 5}\n":   "net.yaml:2: int was used where sequence is expected",
		"":                                "net.yaml: name: ",
		"[1]":                             "net.yaml:1: ",
	} {
		if _, err := Parse(strings.NewReader(text), "net.yaml"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestShippedManifests(t *testing.T) {
	files, err := models.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), ".yaml")
		if !ok {
			continue
		}
		found++
		f, err := models.Files.Open(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(f, file.Name())
		if err != nil || m.Name != name {
			t.Errorf("%s: name %q, %v", file.Name(), m.Name, err)
		}
		if m.Description == "" || m.Licence == "" || m.Source == "" {
			t.Errorf("%s does not say what it is, who allows its use and where it comes from", file.Name())
		}
		if m.Output.Meaning == "depth" != (m.Output.Near == "small") {
			t.Errorf("%s: %s with %s numbers near", file.Name(), m.Output.Meaning, m.Output.Near)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if found < 4 {
		t.Errorf("%d manifests", found)
	}
}

func TestLarger(t *testing.T) {
	if got := (Output{Near: "large"}).Larger(); got != "larger is nearer" {
		t.Error(got)
	}
	if got := (Output{Near: "small"}).Larger(); got != "larger is farther" {
		t.Error(got)
	}
}
