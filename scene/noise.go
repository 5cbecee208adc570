package scene

import "math"

// hash mixes whole numbers to 64 even bits (the finalizer of SplitMix64).
func hash(a, b int, seed uint64) uint64 {
	z := uint64(a)*0x9E3779B97F4A7C15 + uint64(b)*0xC2B2AE3D27D4EB4F + seed*0x165667B19E3779F9
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// speck is a random number in 0..1 that belongs to two whole numbers.
func speck(a, b int, seed uint64) float64 { return float64(hash(a, b, seed)>>11) / (1 << 53) }

// noise is smooth random, 0..1, with features of size 1 (Perlin's value noise).
func noise(x, y float64, seed uint64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	i, j := int(fx), int(fy)
	u, v := ease(x-fx), ease(y-fy)
	a := speck(i, j, seed)*(1-u) + speck(i+1, j, seed)*u
	b := speck(i, j+1, seed)*(1-u) + speck(i+1, j+1, seed)*u
	return a*(1-v) + b*v
}

// cloud is noise with details: four octaves, 0..1, mean near a half.
func cloud(x, y float64, seed uint64) float64 {
	sum, part := 0.0, 0.5
	for octave := range uint64(4) {
		sum += part * noise(x, y, seed+octave)
		x, y, part = x*2.03+17.1, y*2.03+9.7, part/2
	}
	return sum / 0.9375
}

func ease(t float64) float64 { return t * t * (3 - 2*t) }

// step goes smoothly from 0 at low to 1 at high.
func step(low, high, t float64) float64 {
	return ease(math.Max(0, math.Min(1, (t-low)/(high-low))))
}

// cell returns the number of the tile of a given size that x lies in, and how
// far in, in the unit of x.
func cell(x, size float64) (number int, inside float64) {
	f := math.Floor(x / size)
	return int(f), x - f*size
}

// bell is a random number of mean 0 and deviation 1, near enough to normal.
func bell(a, b int, seed uint64) float64 {
	h := hash(a, b, seed)
	sum := float64(h&0xFFFF) + float64(h>>16&0xFFFF) + float64(h>>32&0xFFFF) + float64(h>>48)
	return (sum/65535 - 2) * math.Sqrt(3)
}
