package picture

// upright turns a picture stored with an EXIF orientation (1..8) so that its top is up; 5 to 8 exchange the sides.
// Orientation 1 returns the picture itself.
func (p *RGB) upright(orientation int) *RGB {
	w, h := p.Width, p.Height
	// The output pixel (x, y) is the stored pixel number start + x*right + y*down.
	var start, right, down int
	switch orientation {
	case 2: // mirrored
		start, right, down = w-1, -1, w
	case 3: // upside down
		start, right, down = w*h-1, -1, -w
	case 4: // upside down, mirrored
		start, right, down = w*(h-1), 1, -w
	case 5: // the stored rows are columns from the left
		start, right, down = 0, w, 1
	case 6: // lies on its left side: turn clockwise
		start, right, down = w*(h-1), -w, 1
	case 7: // the stored rows are columns from the right, bottom up
		start, right, down = w*h-1, -w, -1
	case 8: // lies on its right side: turn anticlockwise
		start, right, down = w-1, w, -1
	default:
		return p
	}
	turned := newRGB(w, h)
	if orientation >= 5 {
		turned.Width, turned.Height = h, w
	}
	for y := range turned.Height {
		row := turned.row(y)
		from := 3 * (start + y*down)
		for i := 0; i < len(row); i += 3 {
			pixel := p.Pix[from : from+3 : from+3]
			row[i], row[i+1], row[i+2] = pixel[0], pixel[1], pixel[2]
			from += 3 * right
		}
	}
	return turned
}
