package depth

import (
	"fmt"
	"strconv"
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
	// Range is the smallest and the largest value in the representation's own
	// numbers, before they were normalised: what 0 and 1 of a normalised map, the
	// ends of the colours, and 0 and 65535 of a 16-bit PNG stand for.
	Range      [2]float32 `json:"range"`
	Normalized bool       `json:"normalized"` // the array holds (value - Range[0]) / (Range[1] - Range[0])
	Model      string     `json:"model"`
	Licence    string     `json:"licence"` // of the model
}

func about(m manifest.Manifest, v representation.Values, d *depthmap.Map, normalized bool) About {
	low, high := d.Range()
	return About{Values: v, Range: [2]float32{low, high}, Normalized: normalized, Model: m.Name, Licence: m.Licence}
}

// JSON is the object; numbers are those of float32, not of their nearest float64.
func (a About) JSON() ([]byte, error) { return json.Marshal(a, jsontext.AllowInvalidUTF8(true)) }

// Formula says how a sample of the 16-bit PNG becomes the value, to half a step:
// samples are cut off, not rounded, and so their values lie half a step higher.
func (a About) Formula() string {
	step := (float64(a.Range[1]) - float64(a.Range[0])) / 65535
	return fmt.Sprintf("value = %s + (sample + 0.5) * %s", short(a.Range[0]), strconv.FormatFloat(step, 'g', -1, 64))
}

func short(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }

// RangeText is the range as in the header Depth-Range: "0.5 9.25".
func (a About) RangeText() string { return short(a.Range[0]) + " " + short(a.Range[1]) }

// text says inside a PNG what its numbers are, so that a file that was passed on
// still explains itself.
func (a About) text(extra ...depthmap.Text) []depthmap.Text {
	values := fmt.Sprintf("%s, %s, unit %s; scaled from the smallest to the largest value of this picture", a.Kind, a.Larger(), a.Unit)
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
