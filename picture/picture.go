// Package picture turns the bytes of a picture file into 8-bit RGB and into the size that a network wants.
//
// It reads JPEG, PNG, GIF, BMP, TIFF and WebP. What comes out agrees with what Pillow's open, convert("RGB") and
// resize(..., BILINEAR) give, which is what the depth networks were measured with: bit for bit where the format is
// lossless, within a few levels where decoders are free to round. One difference is meant: 16-bit samples keep their
// high byte, where Pillow clips 16-bit grey to 255.
//
// Everything here treats the file as hostile: the size is checked before memory is taken, and a decoder's panic becomes
// an error.
package picture

// RGB is an 8-bit picture: Height rows of Width pixels, each three bytes red, green, blue, without padding, so
// len(Pix) == 3*Width*Height. Both sides are at least 1.
type RGB struct {
	Width, Height int
	Pix           []byte
}

func newRGB(width, height int) *RGB {
	return &RGB{Width: width, Height: height, Pix: make([]byte, 3*width*height)}
}

// row is row y, 3*Width bytes.
func (p *RGB) row(y int) []byte {
	return p.Pix[3*p.Width*y : 3*p.Width*(y+1) : 3*p.Width*(y+1)]
}
