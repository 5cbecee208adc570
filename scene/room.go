package scene

import (
	"context"
	"math"
)

// Room renders an indoor room by daylight, width*height pixels. A seed gives
// its size, colours, furniture, window and camera: about eye height, looking
// a little down, 58 to 65 degrees across the longer side of the picture.
// It fails with ErrSize for sizes it does not make, and with ctx's error if
// ctx ends before the picture is done.
func Room(ctx context.Context, seed uint64, width, height int) (*View, error) {
	if err := check(width, height); err != nil {
		return nil, err
	}
	w, c := room(seed, width, height)
	return w.render(ctx, c, 0.26, seed)
}

// hall is the empty room: x from -half.x to half.x, y from 0 to 2*half.y, z
// from 0 behind the camera to 2*half.z.
type hall struct {
	stage
	half   vec
	side   float64 // the side of the window: -1 left, 1 right
	timber vec
	accent vec
	soft   []light
	sharp  []light
}

func room(seed uint64, width, height int) (*world, camera) {
	s := newStage(seed)
	h := &hall{stage: s, half: vec{s.between(2.1, 2.7), s.between(1.25, 1.36), s.between(2.5, 3.1)}, side: 1}
	if s.often(0.5) {
		h.side = -1
	}
	h.timber = s.one(0x9C6B3F, 0x6B4529, 0xC49A6C, 0x84603E, 0xB58555)
	h.accent = s.one(0x3E5A73, 0xC79A3B, 0x6F7F6A, 0x8D8F93, 0xA95C42, 0x4D6B62, 0xBFB29C, 0x6D4C5B)
	h.walls()
	h.daylight()
	if s.often(0.6) {
		h.living()
	} else {
		h.dining()
	}
	w := newWorld(*s.solids)
	w.soft, w.sharp, w.ambient = h.soft, h.sharp, vec{0.09, 0.087, 0.08}
	return w, h.camera(width, height)
}

func (h *hall) walls() {
	const thick = 0.1
	x, y, z := h.half.x, h.half.y, h.half.z
	h.wall(vec{0, -thick, z}, vec{max(x, z) + 1, thick, max(x, z) + 1}, yaw(math.Pi/2*float64(h.random.IntN(2))), h.floor())
	h.wall(vec{0, 2*y + thick, z}, vec{x + 1, thick, z + 1}, yaw(0), plaster(rgb(0xEDEAE4), h.seed()))
	paint := h.one(0xE6DFD2, 0xC9D3CB, 0xC8D2DA, 0xE3D3BE, 0xDDD9D6, 0xD9C7BF, 0xE8DDB5)
	sides := plaster(paint, h.seed())
	back := sides
	switch {
	case h.often(0.25):
		back = stripes(paint, paint.scale(0.82), 0.09, h.seed())
	case h.often(0.3):
		back = plaster(h.accent.mix(vec{0.7, 0.7, 0.7}, 0.45), h.seed())
	}
	skirting := plain(rgb(0xE2DED6))
	for _, side := range []float64{-1, 1} {
		h.wall(vec{side * (x + thick), y, z}, vec{thick, y, z + thick}, yaw(0), sides)
		h.box(vec{side * (x - 0.0015), 0.045, z}, vec{0.0015, 0.045, z}, skirting)
	}
	h.wall(vec{0, y, 2*z + thick}, vec{x, y, thick}, yaw(0), back)
	h.wall(vec{0, y, -thick}, vec{x, y, thick}, yaw(0), sides)
	h.box(vec{0, 0.045, 2*z - 0.0015}, vec{x, 0.045, 0.0015}, skirting)
}

func (h *hall) floor() *skin {
	switch h.random.IntN(5) {
	case 0:
		light, dark := rgb(0xC9BBA4), rgb(0xBFB098)
		return tiles(light, dark, rgb(0x8F867A), 0.40, 0.5, h.seed())
	case 1:
		return planks(h.one(0x8B8378, 0xA79A88), 0.14, 1.6, 0.45, h.seed())
	}
	return planks(h.timber, h.between(0.09, 0.16), 1.4, 0.55, h.seed())
}

// daylight sets the window and a weak lamp's worth of light at the ceiling.
func (h *hall) daylight() {
	at := vec{h.side * h.half.x, 1.42, h.half.z * h.between(0.95, 1.30)}
	curtain := h.one(0xE5DFD3, 0xB9C2C4, 0xD8C7A8, 0x8FA08C, 0xC7B0A0)
	half := vec{h.between(0.62, 0.85), h.between(0.55, 0.66), 0}
	h.soft, h.sharp = h.moved(at, -h.side*math.Pi/2).window(half, 3.2, h.often(0.6), curtain)
	// A second window behind the camera keeps what faces it from being black.
	behind := &pane{centre: vec{-0.5 * h.side * h.half.x, 1.5, 0.02}, across: vec{x: 0.7}, up: vec{y: 0.6},
		inward: vec{z: 1}, radiance: vec{0.9, 0.9, 0.95}}
	h.soft = append(h.soft, behind)
}

func (h *hall) camera(width, height int) camera {
	eye := vec{-h.side * h.between(-0.1, 0.5) * h.half.x, h.between(1.25, 1.6), h.between(0.25, 0.5)}
	target := vec{h.side * h.between(-0.5, 0.7), h.between(0.72, 0.95), h.half.z * 1.5}
	return aim(eye, target, h.between(0.78, 0.90), width, height)
}
