package depth

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/depthmap"
	"hailo-depth/manifest"
	"hailo-depth/representation"
)

// About says what a map's numbers mean and what they come from. Its JSON is in
// the service's answers and in NumPy archives.
type About struct {
	representation.Values
	// Range is what 0 and 1 of a normalised map, the ends of the colours, and 0 and
	// 65535 of a 16-bit PNG stand for in the representation's own numbers: the
	// smallest and the largest value, or what the request fixed (Request.Scale). The
	// numbers are float32, and exact.
	Range      [2]float64 `json:"range"`
	Normalized bool       `json:"normalized"` // the array holds (value - Range[0]) / (Range[1] - Range[0])
	Model      string     `json:"model"`
	Licence    string     `json:"licence"` // of the model
}

func about(m manifest.Manifest, v representation.Values, s depthmap.Scale, normalized bool) About {
	return About{Values: v, Range: [2]float64{float64(s.Low), float64(s.High)}, Normalized: normalized, Model: m.Name, Licence: m.Licence}
}

// JSON is the object.
func (a About) JSON() ([]byte, error) { return json.Marshal(a, jsontext.AllowInvalidUTF8(true)) }

// Formula says how a sample of the 16-bit PNG becomes the value, to half a step:
// samples are cut off, not rounded, and so their values lie half a step higher.
func (a About) Formula() string {
	return fmt.Sprintf("value = %v + (sample + 0.5) * %v", a.Range[0], (a.Range[1]-a.Range[0])/65535)
}

// RangeText is the range as in the header Depth-Range: "0.5 9.25".
func (a About) RangeText() string { return fmt.Sprint(a.Range[0], a.Range[1]) }

// text says inside a PNG what its numbers are, so that a file that was passed on
// still explains itself.
func (a About) text(extra ...depthmap.Text) []depthmap.Text {
	values := fmt.Sprintf("%s, %s, unit %s; scaled from %v to %v", a.Kind, a.Larger(), a.Unit, a.Range[0], a.Range[1])
	list := []depthmap.Text{
		{Key: "Software", Value: "hailo-depth"},
		{Key: "Depth model", Value: a.Model},
		{Key: "Depth model licence", Value: a.Licence},
		{Key: "Depth values", Value: values},
		{Key: "Depth meaning", Value: a.Values.String()},
		{Key: "Depth range", Value: a.RangeText()},
	}
	list = append(list, extra...)
	for i := range list {
		list[i].Value = Latin1(list[i].Value)
	}
	return list
}

// Latin1 replaces what neither a PNG's text nor an HTTP header can hold: a
// manifest is written by anybody.
func Latin1(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' && r < 0xa0 || r > 0xff {
			return '?'
		}
		return r
	}, s)
}
