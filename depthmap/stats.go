package depthmap

import "math"

// Stats describes the values of a map up to its 95th percentile: the far end of a depth map is where networks guess, and
// a few wild values there would hide what the rest looks like.
type Stats struct {
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`  // largest value not above P95
	Mean float64 `json:"mean"` // arithmetic mean of the values not above P95
	P95  float64 `json:"p95"`  // 95th percentile of all values
}

// Stats takes the percentile by linear interpolation between the two nearest ranks (NumPy's default method), with the
// difference of the two values in float32 and everything else in float64, as NumPy does for a float32 array. The mean
// is summed in float64; the earlier service summed in float32 and differs from it by about 1e-7 of the value. Time is
// linear in the size of the map.
func (m *Map) Stats() Stats {
	// Converted explicitly for the reason that resample.Triangle gives.
	position := float64(float64(len(m.Values)-1) * 0.95)
	rank := int(position)
	fraction := position - float64(rank)
	at, next := m.selectRank(rank)
	p95 := interpolate(at, next, fraction)

	s := Stats{Min: math.Inf(1), Max: math.Inf(-1), P95: p95}
	sum, count := 0.0, 0
	for _, v32 := range m.Values {
		v := float64(v32)
		if v <= p95 {
			sum += v
			count++
			s.Min, s.Max = min(s.Min, v), max(s.Max, v)
		}
	}
	s.Mean = sum / float64(count)
	return s
}

// interpolate starts from the nearer of the two values, as NumPy does, which makes both ends exact.
func interpolate(a, b float32, t float64) float64 {
	difference := float64(b - a)
	if t >= 0.5 {
		return float64(b) - float64(difference*(1-t))
	}
	return float64(a) + float64(difference*t)
}

// selectRank returns the value at a rank (0 is the smallest) and the one that follows it in order, or the same one at
// the end.
//
// It counts values by the upper half of their bits, then, within the half that holds the rank, by the lower half: two passes
// over the map and no copy of it, whatever its order.
func (m *Map) selectRank(rank int) (at, next float32) {
	counts := make([]int32, 1<<16)
	for _, v := range m.Values {
		counts[sortable(v)>>16]++
	}
	upper, below := find(counts, 0, rank)

	clear(counts)
	for _, v := range m.Values {
		if k := sortable(v); k>>16 == upper {
			counts[k&0xffff]++
		}
	}
	lower, below := find(counts, below, rank)
	key := upper<<16 | lower
	at = fromSortable(key)
	if below+int(counts[lower]) > rank+1 {
		return at, at
	}
	following := uint32(math.MaxUint32)
	for _, v := range m.Values {
		if k := sortable(v); k > key {
			following = min(following, k)
		}
	}
	if following == math.MaxUint32 {
		return at, at
	}
	return at, fromSortable(following)
}

// find returns the first index at which the running count exceeds rank, and the count before it.
func find(counts []int32, below, rank int) (uint32, int) {
	for i, c := range counts {
		if below+int(c) > rank {
			return uint32(i), below
		}
		below += int(c)
	}
	return uint32(len(counts) - 1), below
}

// sortable maps a float32 to an integer of the same order: for negative numbers all bits are turned over, for others
// the sign alone.
func sortable(v float32) uint32 {
	b := math.Float32bits(v)
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

func fromSortable(k uint32) float32 {
	if k&(1<<31) != 0 {
		return math.Float32frombits(k ^ 1<<31)
	}
	return math.Float32frombits(^k)
}
