package manifest

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// FuzzParse: nothing panics, and a manifest that is accepted is safe to use:
// its name stays in its folder and its numbers can be computed with.
func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte("name: a\ninput: {width: 1, height: 1, dtype: float32, mean: [1, 2, 3], std: [1, 2, 1e-300], pixel_max: 1}\noutput: {meaning: logit, near: small}\n"))
	f.Add([]byte("name: a\ninput: {width: 1, height: 1}\noutput: {meaning: logit, near: large, invariance: affine, sigmoid: {scale: 1e300, shift: 1e-300}}\n"))
	f.Add([]byte("name: ../x\ninput: &a {width: 1, height: 1}\noutput: *a\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4<<10 {
			return // the YAML parser's time grows with the square of the depth
		}
		m, err := Parse(bytes.NewReader(text), "file")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "file") {
				t.Errorf("%q does not name the file", err)
			}
			return
		}
		in := m.Input
		if m.Name == "" || strings.ContainsAny(m.Name, "/\\\x00") || in.Width < 1 || in.Width > maxSide || in.Height < 1 || in.Height > maxSide {
			t.Fatalf("accepted %+v", m)
		}
		for _, v := range append(append([]float64{}, in.Mean...), in.Std...) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("accepted %+v", in)
			}
		}
		for _, v := range in.Std {
			if v <= 0 {
				t.Fatalf("accepted a division by %v", v)
			}
		}
		if s := m.Output.Sigmoid; s != (Sigmoid{}) {
			if d := float32(1 / s.Shift); !(s.Scale > 0 && d > 0 && d <= math.MaxFloat32) {
				t.Fatalf("accepted %+v", s)
			}
		}
	})
}
