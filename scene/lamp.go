package scene

// Lamps stand or hang with their shade around a bulb; each returns its light.

// floorLamp stands on the origin.
func (s stage) floorLamp(power float64) light {
	metal := lacquer(s.one(0x2A2725, 0xA58B5A, 0x9A9A98))
	s.column(vec{0, 0.012, 0}, 0.14, 0, 0.012, metal)
	s.column(vec{0, 0.72, 0}, 0.011, 0, 0.72, metal)
	return s.shade(vec{0, 1.52, 0}, 0.20, 0.13, power)
}

// pendant hangs from a ceiling at the height above the origin, its shade at the origin.
func (s stage) pendant(ceiling, power float64) light {
	cable := lacquer(rgb(0x1C1A19))
	s.column(vec{0, (0.12 + ceiling) / 2, 0}, 0.005, 0, (ceiling-0.12)/2, cable)
	s.column(vec{0, ceiling - 0.015, 0}, 0.05, 0.3, 0.015, cable)
	return s.shade(vec{}, 0.24, 0.12, power)
}

// tableLamp stands on the origin.
func (s stage) tableLamp(power float64) light {
	foot := lacquer(s.one(0xE9E4DA, 0x3F5B66, 0xB8684A, 0x26282B))
	s.ball(vec{0, 0.10, 0}, vec{0.08, 0.10, 0.08}, foot)
	s.column(vec{0, 0.22, 0}, 0.012, 0, 0.06, foot)
	return s.shade(vec{0, 0.36, 0}, 0.15, 0.10, power)
}

// shade is a cone of cloth that glows.
func (s stage) shade(centre vec, radius, halfHeight, power float64) light {
	warm := vec{1.0, 0.78, 0.50}
	cloth := &skin{tint: vec{0.85, 0.76, 0.60}, glow: warm.scale(0.4 + power)}
	s.column(centre, radius, 0.35, halfHeight, cloth).clear = true
	return &bulb{centre: s.where(centre), radius: radius * 0.6, strength: warm.scale(power)}
}
