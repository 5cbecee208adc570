package scene

import "math/rand/v2"

// stage is where solids are put: a place in the world with its own axes, so
// that furniture is made around its own middle and then stood somewhere.
type stage struct {
	solids *[]solid
	random *rand.Rand
	at     vec
	turn   mat
}

func newStage(seed uint64) stage {
	return stage{solids: &[]solid{}, random: rand.New(rand.NewPCG(seed, 0x5CE7E)), turn: yaw(0)}
}

// moved is a stage within this one, with its origin at and turned about the vertical.
func (s stage) moved(at vec, angle float64) stage {
	s.at, s.turn = s.where(at), s.turn.after(yaw(angle))
	return s
}

func (s stage) where(p vec) vec { return s.at.add(s.turn.apply(p)) }

// put adds a solid with half extents, turned by turn within the stage.
func (s stage) put(shape shape, centre, half vec, turn mat, surface *skin) *solid {
	*s.solids = append(*s.solids, place(shape, s.where(centre), half, s.turn.after(turn), surface))
	return &(*s.solids)[len(*s.solids)-1]
}

func (s stage) box(centre, half vec, surface *skin) { s.put(box, centre, half, yaw(0), surface) }

// wall is a box that casts no shadow, since all lights are on one side of it.
func (s stage) wall(centre, half vec, turn mat, surface *skin) {
	s.put(box, centre, half, turn, surface).clear = true
}

func (s stage) ball(centre, half vec, surface *skin) { s.put(ball, centre, half, yaw(0), surface) }

// column is a round upright of the given radius at the bottom that loses a part
// of it, narrow, up to the top.
func (s stage) column(centre vec, radius, narrow, halfHeight float64, surface *skin) *solid {
	made := s.put(frustum, centre, vec{radius, halfHeight, radius}, yaw(0), surface)
	made.narrow = vec{x: narrow}
	return made
}

// between is a random number from low to high.
func (s stage) between(low, high float64) float64 { return low + (high-low)*s.random.Float64() }

// seed is for a texture.
func (s stage) seed() uint64 { return s.random.Uint64() }

// one picks a colour.
func (s stage) one(hex ...uint32) vec { return rgb(hex[s.random.IntN(len(hex))]) }

// often is true with a probability.
func (s stage) often(probability float64) bool { return s.random.Float64() < probability }
