package sim

import (
	"math/rand/v2"
	"strings"
	"testing"

	"hailo-depth/worker"
)

// FuzzParseFaults: reading never panics; what is read can be carried out, and
// what is refused is refused with the entry that is wrong.
func FuzzParseFaults(f *testing.F) {
	for _, seed := range []string{
		"", "infer=81@3", "load=4@1-2, any=crash@10+", "infer=hang@p0.01", "infer=4@3+-5",
		"unload=hang", "infer=4@18446744073709551615", "any=9@pInf", "=@", ",,", "infer=\xff",
	} {
		f.Add(seed, uint64(1))
	}
	f.Fuzz(func(t *testing.T, text string, number uint64) {
		faults, err := ParseFaults(text)
		if err != nil {
			if faults != nil || !strings.Contains(err.Error(), "expected e.g. ") {
				t.Errorf("%q: %+v, %v", text, faults, err)
			}
			return
		}
		random := rand.New(rand.NewPCG(1, 2))
		for _, one := range faults {
			effects := 0
			for _, is := range []bool{one.hang, one.crash, one.status > 0} {
				if is {
					effects++
				}
			}
			if effects != 1 || one.from == 0 || one.to != 0 && one.to < one.from || !(one.probability >= 0 && one.probability <= 1) {
				t.Errorf("%q gives %+v", text, one)
			}
			operation := one.operation
			if operation == anyOperation {
				operation = worker.OpUnload
			}
			hit := Faults{one}.at(operation, number, random) != nil
			inside := number >= one.from && (one.to == 0 || number <= one.to)
			if hit && !inside || inside && !hit && one.probability == 1 {
				t.Errorf("%q at %d: %v", text, number, hit)
			}
		}
	})
}
