package scene

import "math"

// dining furnishes the hall with a table, chairs around it and a cabinet.
func (h *hall) dining() {
	back := 2 * h.half.z
	at := vec{h.between(-0.3, 0.3), 0, back - 2.1}
	turn := h.between(-0.25, 0.25)
	if h.often(0.4) {
		h.rugAt(at)
	}
	half := vec{h.between(0.68, 0.85), 0, h.between(0.40, 0.46)}
	table := h.moved(at, turn)
	top := table.diningTable(h.timber, half)
	table.moved(vec{y: top}, 0).setting(half.x*0.7, 0.2)
	for _, side := range []float64{-1, 1} {
		for _, x := range []float64{-0.45, 0.45} {
			angle := h.between(-0.25, 0.25)
			if side < 0 {
				angle += math.Pi
			}
			out := half.z + h.between(-0.02, 0.16)
			table.moved(vec{x * half.x * 1.05, 0.012, side * out}, angle).chair(h.timber.scale(h.between(0.9, 1.05)), h.accent)
		}
	}
	h.soft = append(h.soft, h.moved(vec{at.x, 1.72, at.z}, 0).pendant(2*h.half.y-1.72, h.between(0.4, 0.9)))

	cabinet := h.moved(vec{at.x + h.between(-0.4, 0.4), 0, back - 0.24}, 0)
	wide := h.between(0.75, 0.95)
	plate := cabinet.sideboard(h.timber, h.timber.scale(0.9), wide)
	cabinet.moved(vec{wide * 0.4, plate, 0}, 0).setting(0.35, 0.05)
	h.soft = append(h.soft, cabinet.moved(vec{-wide * 0.65, plate, 0}, 0).tableLamp(h.between(0.1, 0.3)))
	h.moved(vec{at.x, 1.6, back}, 0).pictures(h.between(1.0, 1.4))

	h.moved(vec{h.side * (h.half.x - 0.45), 0, back - 0.5}, 0).plant(h.between(1.2, 1.7))
	h.moved(vec{-h.side * (h.half.x - 0.15), 0, h.half.z * h.between(1.2, 1.45)}, h.side*math.Pi/2).
		shelf(h.timber.scale(0.95), h.between(0.40, 0.55), 5+h.random.IntN(2))
}
