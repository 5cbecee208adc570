package accuracy

import "math"

// Pairs is the number of random pairs drawn in each picture.
const Pairs = 20000

// PairGap is how far apart the true inverse depths of a pair must be to count,
// as a part of the truth's range in that picture.
const PairGap = 0.05

// pairSeed is the first state of the pairs' random numbers, the same for every
// picture and in training/metrics.py.
const pairSeed = 20240601

// pairOrder is the part of the counting pairs where the prediction's
// difference has the sign of the truth's. Pair k is the pixels number r[2k]
// and r[2k+1] among the valid ones in row-major order, r[i] being number i of
// SplitMix64 modulo their count. Equal predictions are wrong. It is NaN where
// no pair counts.
func pairOrder(prediction, truth []float64) float64 {
	least, largest := extent(truth)
	gap := PairGap * (largest - least)
	random := splitMix{state: pairSeed}
	count := uint64(len(truth))
	var counting, right int
	for range Pairs {
		a, b := random.next()%count, random.next()%count
		difference := truth[a] - truth[b]
		if math.Abs(difference) <= gap {
			continue
		}
		counting++
		if guess := prediction[a] - prediction[b]; guess > 0 && difference > 0 || guess < 0 && difference < 0 {
			right++
		}
	}
	return float64(right) / float64(counting)
}

// splitMix is SplitMix64 (Steele, Lea, Flood 2014): three lines in any
// language, so two programs can draw the same pairs.
type splitMix struct{ state uint64 }

func (s *splitMix) next() uint64 {
	s.state += 0x9E3779B97F4A7C15
	z := s.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
