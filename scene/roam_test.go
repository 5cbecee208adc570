package scene

import "testing"

// A camera that was rolled still sees what it looked at in the middle, and a
// point to its right higher up by the angle.
func TestRoll(t *testing.T) {
	c := aim(vec{1, 2, 3}, vec{2, 1, 7}, 1, 100, 100)
	before := c
	c.roll(0.3)
	near(t, "right length", c.right.length(), 1, 1e-12)
	near(t, "up length", c.up.length(), 1, 1e-12)
	near(t, "right against up", c.right.dot(c.up), 0, 1e-12)
	near(t, "right against forward", c.right.dot(c.forward), 0, 1e-12)
	near(t, "right against old up", c.right.dot(before.up), 0.29552020666133955, 1e-12) // sin 0.3
	middle := c.along(50, 50)
	near(t, "middle", middle.sub(before.forward).length(), 0, 1e-12)
}

// The eye is never right before something: no view is a blur of one thing.
func TestRoamKeepsItsDistance(t *testing.T) {
	for seed := range uint64(12) {
		v := view(t, Roam, seed, 48, 36)
		close := 0
		for _, d := range v.Depth {
			if d < 0.3 {
				close++
			}
		}
		if close > len(v.Depth)/8 {
			t.Errorf("seed %d: %d of %d pixels are within 0.3 m", seed, close, len(v.Depth))
		}
	}
}
