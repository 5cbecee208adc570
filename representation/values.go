// Package representation turns a network's map into the quantity that was asked
// for, as far as that can be done honestly, and says what its numbers mean.
package representation

import (
	"fmt"
	"strings"

	"hailo-depth/manifest"
)

// Name is a quantity that can be asked for.
type Name string

// The representations.
const (
	Raw       Name = "raw"       // what the network gives
	Disparity Name = "disparity" // inverse depth: larger is nearer
	Depth     Name = "depth"     // distance: larger is farther
)

// Names lists the representations, the default first.
func Names() []string { return []string{string(Raw), string(Disparity), string(Depth)} }

// Parse reads a name. The *Error for an unknown one lists the known ones.
func Parse(text string) (Name, error) {
	for _, n := range Names() {
		if n == text {
			return Name(n), nil
		}
	}
	return "", refuse("representation: %.64q is unknown; expected one of %s", text, strings.Join(Names(), ", "))
}

// Error is a wish that cannot be met: a mistake of whoever asked, or one that
// the network's numbers do not allow.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func refuse(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Values says what the numbers of a map mean.
type Values struct {
	Representation Name   `json:"representation"`
	Kind           string `json:"kind"` // logit, disparity or depth
	Unit           string `json:"unit"` // relative, metre, or 1/metre
	Near           string `json:"near"` // large or small: which end of the numbers is near
	// ScaleKnown: the numbers are in Unit. Without it all of them may be
	// multiplied by one unknown factor, another one for every picture.
	ScaleKnown bool `json:"scale_known"`
	// ShiftKnown: the ratio of two numbers means something. Without it an unknown
	// number is added to all of them; only their order counts.
	ShiftKnown bool `json:"shift_known"`
	// Range is what the request stated, where scale and shift come from it.
	Range Range `json:"depth_range,omitzero"`
}

// Larger says in words which way the numbers run.
func (v Values) Larger() string { return manifest.Output{Near: v.Near}.Larger() }

// String is the form of the header Depth-Values:
// "disparity; near=large; unit=relative; scale=unknown; shift=known".
func (v Values) String() string {
	known := map[bool]string{true: "known", false: "unknown"}
	text := fmt.Sprintf("%s; near=%s; unit=%s; scale=%s; shift=%s", v.Kind, v.Near, v.Unit, known[v.ScaleKnown], known[v.ShiftKnown])
	if v.Range != (Range{}) {
		text += "; depth-range=" + v.Range.String()
	}
	return text
}

// rawValues are those of a network's own output.
func rawValues(o manifest.Output) Values {
	v := Values{Representation: Raw, Kind: o.Meaning, Unit: o.Unit, Near: o.Near}
	switch {
	case o.Meaning == "logit": // not even ratios: the sigmoid is yet to come
	case o.Unit == "metre":
		v.ScaleKnown, v.ShiftKnown = true, true
		v.Unit = unit(v.Kind, true)
	default:
		v.ShiftKnown = o.Invariance == "scale"
	}
	return v
}

// unit is that of a kind.
func unit(kind string, known bool) string {
	switch {
	case !known:
		return "relative"
	case kind == "disparity":
		return "1/metre"
	}
	return "metre"
}
