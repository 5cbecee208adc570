package onnx

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"hailo-depth/manifest"
	"hailo-depth/models"
	"hailo-depth/scene"
	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// reference is what another ONNX Runtime gave for our own network.
type reference struct {
	Min       float64 `json:"output_min"`
	Max       float64 `json:"output_max"`
	Mean      float64 `json:"output_mean"`
	Tolerance float64
	Samples   []struct {
		Row, Col int
		Value    float64
	}
}

func readReference(t *testing.T) reference {
	t.Helper()
	raw, err := os.ReadFile("../models/pocketdepth_reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Samples) < 10 || r.Tolerance <= 0 || r.Tolerance > 0.01 {
		t.Fatalf("%d samples, tolerance %v", len(r.Samples), r.Tolerance)
	}
	return r
}

// builtIn is the manifest of the network that comes with the program.
func builtIn(t *testing.T) manifest.Manifest {
	t.Helper()
	file := models.Default + ".yaml"
	raw, err := models.Files.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse(bytes.NewReader(raw), file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPocketdepthGivesItsReference(t *testing.T) {
	b := open(t, Config{Threads: 2})
	n := load(t, b, worker.LoadSpec{Path: "../models/pocketdepth.onnx"})
	defer n.unload(t)
	s := n.signature
	m := builtIn(t)
	shape := tensor.Shape{1, m.Input.Height, m.Input.Width, 3}
	if len(s.Inputs) != 1 || s.Inputs[0].Name != m.Input.Name || s.Inputs[0].DType.String() != m.Input.DType || !slices.Equal(s.Inputs[0].Shape, shape) {
		t.Fatalf("inputs %+v, the manifest says %+v", s.Inputs, m.Input)
	}
	if len(s.Outputs) != 1 || s.Outputs[0].Name != m.Output.Name || s.Outputs[0].DType != tensor.Float32 || !slices.Equal(s.Outputs[0].Shape, tensor.Shape{1, 1, 256, 320}) {
		t.Fatalf("outputs %+v, the manifest says %+v", s.Outputs, m.Output)
	}
	picture := make([]byte, 256*320*3)
	for i := range picture { // the formula in the reference's "input"
		picture[i] = byte((i*7 + i/320*13) % 251)
	}
	want := readReference(t)
	for range 2 { // the second inference into the same memory gives the same
		got, err := n.infer(t, picture)[0].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range want.Samples {
			if v := float64(got[sample.Row*320+sample.Col]); math.Abs(v-sample.Value) > want.Tolerance {
				t.Errorf("row %d, column %d: %v, want %v", sample.Row, sample.Col, v, sample.Value)
			}
		}
		sum := 0.0
		for _, v := range got {
			sum += float64(v)
		}
		for what, pair := range map[string][2]float64{
			"minimum": {float64(slices.Min(got)), want.Min},
			"maximum": {float64(slices.Max(got)), want.Max},
			"mean":    {sum / float64(len(got)), want.Mean},
		} {
			if math.Abs(pair[0]-pair[1]) > want.Tolerance {
				t.Errorf("%s %v, want %v", what, pair[0], pair[1])
			}
		}
		clear(n.outputs[0])
	}
}

// TestWholeNumbersSeeTheSame has both variants look at rendered pictures: the one
// in whole numbers may differ from the other by far less than either does from
// the truth, and must keep their order.
func TestWholeNumbersSeeTheSame(t *testing.T) {
	b := open(t, Config{Threads: 2})
	var maps [2][][]float32
	for i, name := range []string{"pocketdepth", "pocketdepth_int8"} {
		n := load(t, b, worker.LoadSpec{Path: "../models/" + name + ".onnx"})
		for seed := range uint64(2) {
			view, err := scene.Roam(t.Context(), seed, 320, 256)
			if err != nil {
				t.Fatal(err)
			}
			values, err := n.infer(t, view.Picture)[0].Float32s()
			if err != nil {
				t.Fatal(err)
			}
			maps[i] = append(maps[i], values)
		}
		n.unload(t)
	}
	for seed, want := range maps[0] {
		got, span := maps[1][seed], slices.Max(want)-slices.Min(want)
		away, right, pairs := 0.0, 0, 0
		for k, v := range want {
			away += math.Abs(float64(got[k]-v)) / float64(len(want))
			other := (k*7919 + 13) % len(want)
			if gap := v - want[other]; math.Abs(float64(gap)) > 0.05*float64(span) {
				pairs++
				if (got[k]-got[other])*gap > 0 {
					right++
				}
			}
		}
		if away > 0.02*float64(span) || pairs == 0 || float64(right) < 0.99*float64(pairs) {
			t.Errorf("scene %d: %.4f away on average, of a span of %.3f; %d of %d pairs in the same order", seed, away, span, right, pairs)
		}
	}
}

func TestIdentify(t *testing.T) {
	b := open(t, Config{Threads: 1})
	got := b.Identify()
	if got.Backend != "onnx" || got.DeviceID != "cpu" || got.Architecture != "CPU" || !strings.HasPrefix(got.Firmware, "ONNX Runtime 1.") {
		t.Errorf("%+v", got)
	}
	s := b.Statistics()
	if s.MemoryTotalBytes < 64<<20 || s.MemoryUsedBytes != 0 {
		t.Errorf("an idle backend without a budget has the machine's memory: %+v", s)
	}
	if (s.TemperatureCelsius == nil) == (s.TemperatureError == "") {
		t.Errorf("either a temperature or why there is none: %+v", s)
	}
}
