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
		Output: Output{Meaning: "disparity", Near: "large", Unit: "relative", Invariance: "affine"}}
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
		{"near: large", "near: small", `output.near: small is not valid; expected large: disparity grows towards the near`},
		{"meaning: disparity", "meaning: depth", `output.near: large is not valid; expected small: depth grows towards the far`},
		{"meaning: disparity", "meaning: logit, unit: metre", `output.unit: metre is not valid; expected relative: a logit has no unit`},
		{"near: large", "near: large, invariance: shift", `output.invariance: "shift" is not valid; expected one of scale, affine`},
		{"near: large", "near: large, unit: metre, invariance: scale", `output.invariance: scale is not valid; expected none beside unit metre`},
		{"near: large", "near: large, sigmoid: {scale: 10, shift: 0.01}", `output.sigmoid: {10 0.01} is not valid; expected none beside meaning disparity`},
		{"meaning: disparity", "meaning: logit, sigmoid: {shift: 0.01}", `output.sigmoid.scale: 0 is not valid; expected 1e-06 to 1e+06`},
		{"meaning: disparity", "meaning: logit, sigmoid: {scale: .nan, shift: 0.01}", `output.sigmoid.scale: NaN`},
		{"meaning: disparity", "meaning: logit, sigmoid: {scale: 10}", `output.sigmoid.shift: 0 is not valid; expected at least a 5000th of the scale, at most 1e+06`},
		{"meaning: disparity, near: large", "meaning: logit, near: small, sigmoid: {scale: 10, shift: 0.01}", `output.near: small is not valid; expected large: this logit`},
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
		if m.Output.Meaning == "logit" && m.Output.Sigmoid == (Sigmoid{}) {
			t.Errorf("%s does not say how its logit becomes disparity", file.Name())
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if found < 4 {
		t.Errorf("%d manifests", found)
	}
}

// The networks of the Hailo Model Zoo take raw RGB, stretched: their
// normalisation is on the chip. What they give differs.
func TestZooManifests(t *testing.T) {
	for name, want := range map[string]Manifest{
		"scdepthv3": {Input: Input{Width: 320, Height: 256}, Licence: "GPL-3.0",
			Output: Output{Meaning: "logit", Near: "large", Unit: "relative", Invariance: "scale", Sigmoid: Sigmoid{10, 0.009}}},
		"fast_depth": {Input: Input{Width: 224, Height: 224}, Licence: "MIT",
			Output: Output{Meaning: "depth", Near: "small", Unit: "metre"}},
		"depth_anything_vits": {Input: Input{Width: 224, Height: 224}, Licence: "Apache-2.0",
			Output: Output{Meaning: "disparity", Near: "large", Unit: "relative", Invariance: "affine"}},
		"depth_anything_v2_vits": {Input: Input{Width: 224, Height: 224}, Licence: "Apache-2.0",
			Output: Output{Meaning: "disparity", Near: "large", Unit: "relative", Invariance: "affine"}},
	} {
		f, err := models.Files.Open(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(f, name)
		if err != nil {
			t.Error(err)
		}
		want.Input.Layout, want.Input.DType, want.Input.Channels, want.Input.PixelMax = "NHWC", "uint8", "RGB", 255
		if !reflect.DeepEqual(m.Input, want.Input) || m.Output != want.Output || !strings.HasPrefix(m.Licence, want.Licence+" ") {
			t.Errorf("%s is %+v", name, m)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
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
