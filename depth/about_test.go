package depth

import (
	"bytes"
	"encoding/json"
	"testing"

	"hailo-depth/depthmap"
	"hailo-depth/representation"
)

// Whoever wrote a manifest may have written anything: a PNG's text and a header
// take it all the same.
func TestAboutTakesAnyManifest(t *testing.T) {
	m := &depthmap.Map{Width: 2, Height: 1, Values: []float32{-1, 0.1}}
	a := About{
		Values: representation.Values{Kind: "depth", Unit: "metre", Near: "small"}, Range: [2]float64{-1, float64(float32(0.1))},
		Model: "m\x00\nö木", Licence: "\xff\u0085 © 2026",
	}
	var out bytes.Buffer
	if err := new(depthmap.PNGEncoder).EncodeGray16(&out, m, m.Scale(), a.text()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Depth model\x00m??\xf6?", "Depth model licence\x00?? \xa9 2026", "Depth range\x00-1 0.10000000149011612", "Depth values\x00depth, larger is farther, unit metre; scaled from -1 to 0.1"} {
		if !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("the PNG lacks %q", want)
		}
	}
	text, err := a.JSON()
	var back struct {
		Model string
		Range [2]float64
	}
	if err != nil || json.Unmarshal(text, &back) != nil || back.Model != a.Model || back.Range != a.Range {
		t.Errorf("%v: %s", err, text)
	}
}
