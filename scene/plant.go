package scene

import "math"

// plant is a pot with an arching bush of leaves, about height metres in all.
func (s stage) plant(height float64) {
	pot := height * 0.14
	s.column(vec{0, pot, 0}, pot*0.75, -0.3, pot, lacquer(s.one(0xB8684A, 0xE9E4DA, 0x4A4E52, 0x8FA3A6)))
	s.column(vec{0, 2*pot + 0.001, 0}, pot*0.9, 0, 0.002, plain(rgb(0x2E2119)))
	green := s.one(0x4F7F3A, 0x3E6E48, 0x6B8E3D, 0x2F5D3A)
	stems := 11
	for i := range stems {
		turn := 2*math.Pi*float64(i)/float64(stems) + s.between(-0.3, 0.3)
		lean := s.between(0.15, 0.75)
		length := (height - 2*pot) * s.between(0.7, 1.05)
		s.stem(vec{0, 2 * pot, 0}, turn, lean, length, green)
	}
}

// stem goes up from a foot and bends outwards, with pairs of leaves.
func (s stage) stem(foot vec, turn, lean, length float64, green vec) {
	const parts = 6
	at, bark := foot, plain(rgb(0x55603A))
	for i := range parts {
		bend := lean * (0.3 + 0.9*float64(i)/parts)
		way := yaw(turn).apply(vec{math.Sin(bend), math.Cos(bend), 0})
		piece := length / parts
		s.put(frustum, at.add(way.scale(piece/2)), vec{0.005, piece / 2, 0.005}, yaw(turn).after(roll(-bend)), bark)
		at = at.add(way.scale(piece))
		for _, side := range []float64{-1, 1} {
			long := s.between(0.06, 0.11) * (0.6 + length)
			open := turn + side*s.between(0.5, 1.3)
			droop := bend + s.between(0.3, 0.9)
			outward := yaw(open).apply(vec{math.Sin(droop), math.Cos(droop), 0})
			tint := green.scale(s.between(0.65, 1.35)).mul(vec{s.between(0.8, 1.2), 1, s.between(0.7, 1.1)})
			s.put(ball, at.add(outward.scale(long)), vec{0.004, long, long * 0.38}, yaw(open).after(roll(-droop)),
				&skin{tint: tint, gloss: 0.3})
		}
	}
}
