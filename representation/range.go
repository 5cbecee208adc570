package representation

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Range is what somebody who knows the scene says of a picture: the distances of
// its nearest and of its farthest place in metres, 0 < Near < Far. The zero value
// says nothing.
type Range struct{ Near, Far float64 }

// mostRange bounds the distances, so that no number overflows; leastRange likewise.
const (
	leastRange = 1e-6
	mostRange  = 1e6
)

// ParseRange reads "NEAR,FAR". Errors are *Error.
func ParseRange(text string) (Range, error) {
	near, far, found := strings.Cut(text, ",")
	n, err := strconv.ParseFloat(strings.TrimSpace(near), 64)
	f, err2 := strconv.ParseFloat(strings.TrimSpace(far), 64)
	r := Range{n, f}
	if !found || err != nil || err2 != nil || !r.valid() {
		return Range{}, refuse("depth_range: %.64q is not valid; expected the distances of the nearest and the farthest place in metres, as 0.5,10 (%g to %g)",
			text, leastRange, mostRange)
	}
	return r, nil
}

func (r Range) valid() bool { return r.Near >= leastRange && r.Near < r.Far && r.Far <= mostRange }

// String is what ParseRange reads.
func (r Range) String() string {
	return strconv.FormatFloat(r.Near, 'g', -1, 64) + "," + strconv.FormatFloat(r.Far, 'g', -1, 64)
}

// MarshalJSONTo writes [NEAR, FAR].
func (r Range) MarshalJSONTo(enc *jsontext.Encoder) error {
	for _, t := range []jsontext.Token{jsontext.BeginArray, jsontext.Float(r.Near), jsontext.Float(r.Far), jsontext.EndArray} {
		if err := enc.WriteToken(t); err != nil {
			return err
		}
	}
	return nil
}
