package accuracy

// Ramp is the map of a network that sees nothing: 0 in the top row to 1 in the
// bottom row, width*height values, row-major, larger is nearer. Most pictures
// have their ground below, so a network must beat it by far to be of use.
// A width or height under 1 gives an empty map, a height of 1 zeros.
func Ramp(width, height int) []float32 {
	if width < 1 || height < 1 {
		return nil
	}
	ramp := make([]float32, width*height)
	for i := range ramp {
		if height > 1 {
			ramp[i] = float32(float64(i/width) / float64(height-1))
		}
	}
	return ramp
}
