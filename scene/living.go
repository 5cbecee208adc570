package scene

import "math"

// living furnishes the hall as a living room: a sofa against the far wall.
func (h *hall) living() {
	back := 2 * h.half.z
	middle := h.between(-0.3, 0.3)
	h.moved(vec{middle, 0, back - 0.55}, 0).sofa(2+h.random.IntN(2), h.accent)
	h.moved(vec{middle + h.between(-0.1, 0.1), 1.62, back}, 0).pictures(h.between(1.1, 1.5))

	h.rugAt(vec{middle, 0, back - 1.75})
	table := h.moved(vec{middle + h.between(-0.1, 0.1), 0, back - 1.7}, h.between(-0.08, 0.08))
	top := table.coffeeTable(h.timber)
	table.moved(vec{y: top}, 0).setting(0.42, 0.16)

	h.corners(back, middle)
	h.wallside()
	h.foreground(h.between(2.0, back-2.6))
}

func (h *hall) rugAt(at vec) {
	half := vec{h.between(1.1, 1.35), 0.006, h.between(0.75, 0.95)}
	ground := h.one(0xA33B32, 0xCFC4AE, 0x2F4A5E, 0x8A8F86, 0xC9A66B)
	skin := rug(ground, h.one(0xE9DFC8, 0x26323C, 0xD8A24A), h.one(0x3B2A25, 0x6D7F86, 0xE5DBC5), half, h.seed())
	if h.often(0.4) {
		skin = carpet(ground, h.seed())
	}
	at.y = half.y
	h.moved(at, h.between(-0.06, 0.06)).box(vec{}, half, skin)
}

// corners stands a plant in one far corner and a lamp in the other.
func (h *hall) corners(back, middle float64) {
	left, right := vec{-h.half.x + 0.42, 0, back - 0.45}, vec{h.half.x - 0.42, 0, back - 0.45}
	if h.often(0.5) {
		left, right = right, left
	}
	h.moved(left, 0).plant(h.between(1.1, 1.6))
	h.soft = append(h.soft, h.moved(right, 0).floorLamp(h.between(0.2, 0.7)))
}

// wallside fills the wall opposite the window.
func (h *hall) wallside() {
	wall, angle := -h.side*h.half.x, h.side*math.Pi/2
	z := h.half.z * h.between(1.05, 1.25)
	if h.often(0.55) {
		h.moved(vec{wall + h.side*0.15, 0, z}, angle).shelf(h.timber, h.between(0.40, 0.60), 5+h.random.IntN(2))
		return
	}
	cabinet := h.moved(vec{wall + h.side*0.23, 0, z}, angle)
	top := cabinet.sideboard(h.timber, h.timber.mix(vec{0.7, 0.7, 0.68}, 0.5), h.between(0.55, 0.75))
	h.soft = append(h.soft, cabinet.moved(vec{-0.35, top, 0}, 0).tableLamp(h.between(0.15, 0.35)))
	cabinet.moved(vec{0.2, top, 0}, 0).setting(0.3, 0.05)
	h.moved(vec{wall, 1.55, z}, angle).pictures(1.0)
}

// foreground stands a seat or a box between the camera and the rest.
func (h *hall) foreground(z float64) {
	s := h.moved(vec{h.side * h.half.x * h.between(0.42, 0.55), 0, z}, h.side*h.between(1.7, 2.3))
	switch h.random.IntN(3) {
	case 0:
		s.armchair(h.one(0xB5533C, 0xD9A441, 0x5F7F8C, 0x7C8B5A, 0xE0D6C4), h.timber)
	case 1:
		s.pouf(h.one(0xB5533C, 0xD9A441, 0x5F7F8C, 0xC9BFAE))
	default:
		half := vec{h.between(0.17, 0.24), h.between(0.14, 0.2), h.between(0.14, 0.2)}
		s.carton(half)
		s.moved(vec{0.03, 2 * half.y, 0.01}, 0.4).carton(half.scale(0.7))
	}
	if h.often(0.5) {
		radius := h.between(0.10, 0.13)
		h.ball(vec{-h.side * h.half.x * h.between(0.35, 0.5), radius, z - 0.1}, vec{radius, radius, radius},
			&skin{tint: h.one(0xC0392B, 0x2C5F9C, 0xE0A030, 0xF0EDE6), gloss: 0.6})
	}
}
