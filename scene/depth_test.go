package scene

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s = %.9g, want %.9g", what, got, want)
	}
}

// shot is the depth map of solids on their own.
func shot(t *testing.T, s stage, c camera) *View {
	t.Helper()
	v, err := newWorld(*s.solids).render(t.Context(), c, 0.2, 1)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A camera at height h that looks down by a sees the floor at the depth
// h / (sin a + y/f cos a) in a row y pixels under the middle.
func TestFloorDepth(t *testing.T) {
	const width, height, high, down = 120, 90, 1.5, 0.2
	s := newStage(1)
	s.box(vec{0, -0.1, 0}, vec{150, 0.1, 150}, plain(vec{0.5, 0.5, 0.5}))
	eye := vec{0.3, high, 0}
	c := aim(eye, eye.add(vec{0, -math.Sin(down), math.Cos(down)}), 0.8, width, height)
	v := shot(t, s, c)
	near(t, "focal length", v.FocalPixels, 96, 1e-9)
	for y := range height {
		steep := math.Sin(down) + (float64(y)+0.5-height/2)/v.FocalPixels*math.Cos(down)
		want := high / steep
		if steep <= 0 || want > 100 {
			want = skyDepth
		}
		if want > 60 {
			continue // near the floor's end
		}
		for _, x := range []int{0, 17, 60, width - 1} {
			near(t, "floor depth", float64(v.Depth[y*width+x]), want, 1e-5*want)
		}
	}
	near(t, "depth above the horizon", float64(v.Depth[5]), skyDepth, 0)
}

// A wall at a right angle to the axis has one depth, however far to the side;
// one that is turned by a has d / (1 + tan(a) x/f) when its middle is d away.
func TestWallDepth(t *testing.T) {
	for _, angle := range []float64{0, 0.3, -0.5} {
		s := newStage(1)
		turn := yaw(angle)
		s.put(box, turn.apply(vec{z: 0.5}).add(vec{z: 4}), vec{40, 40, 0.5}, turn, plain(vec{0.5, 0.5, 0.5}))
		v := shot(t, s, aim(vec{}, vec{z: 1}, 0.85, 64, 48))
		normal := turn.apply(vec{z: 1})
		for _, p := range [][2]int{{0, 0}, {63, 0}, {31, 24}, {10, 40}, {63, 47}} {
			x := (float64(p[0]) + 0.5 - 32) / v.FocalPixels
			want := 4 * normal.z / (normal.z + normal.x*x)
			near(t, "wall depth", float64(v.Depth[p[1]*64+p[0]]), want, 1e-5)
		}
	}
}

// The middle pixel of an odd picture lies on the axis: there a sphere is at
// its nearest, and a pixel sees it if its ray passes within the radius.
func TestSphereDepth(t *testing.T) {
	const size, away, radius = 101, 3.0, 0.8
	s := newStage(1)
	s.ball(vec{z: away}, vec{radius, radius, radius}, plain(vec{0.5, 0.5, 0.5}))
	v := shot(t, s, aim(vec{}, vec{z: 1}, 0.9, size, size))
	near(t, "nearest point", float64(v.Depth[50*size+50]), away-radius, 1e-6)
	for y := range size {
		for x := range size {
			dx, dy := (float64(x)-50)/v.FocalPixels, (float64(y)-50)/v.FocalPixels
			a := 1 + dx*dx + dy*dy
			root := away*away - a*(away*away-radius*radius)
			want := float64(skyDepth)
			if root >= 0 {
				want = (away - math.Sqrt(root)) / a
			}
			if math.Abs(root) > 1e-9 {
				near(t, "sphere depth", float64(v.Depth[y*size+x]), want, 1e-4)
			}
		}
	}
}

// A column's side and lid, and a taper's front, at hand-computed depths.
func TestOtherShapes(t *testing.T) {
	grey := plain(vec{0.5, 0.5, 0.5})
	s := newStage(1)
	s.column(vec{0, 0, 5}, 1, 0.5, 1, grey) // radius 0.75 at half height
	v := shot(t, s, aim(vec{}, vec{z: 1}, 1, 33, 33))
	near(t, "column", float64(v.Depth[16*33+16]), 4.25, 1e-6)
	v = shot(t, s, aim(vec{0, 6, 5}, vec{0, 0, 5.000001}, 1, 33, 33))
	near(t, "lid", float64(v.Depth[16*33+16]), 5, 1e-5)

	s = newStage(1)
	s.put(taper, vec{0, 0, 5}, vec{1, 1, 2}, yaw(0), grey).narrow = vec{x: 0.3, z: 0.5}
	v = shot(t, s, aim(vec{}, vec{z: 1}, 1, 33, 33))
	near(t, "taper", float64(v.Depth[16*33+16]), 3.5, 1e-6) // 2 m deep, three quarters at half height
}
