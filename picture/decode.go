package picture

import "fmt"

// DefaultMaxPixels is the limit when Options.MaxPixels is zero. The limit is also one on memory. The usual baseline 4:2:0
// JPEG needs 4.5 bytes per pixel while it is decoded; a progressive one without chroma subsampling 18 (12 of coefficients,
// 3 of samples, 3 of RGB), which is 1.2 GB at this limit; a compressed TIFF made to hurt up to 27 (see tiffSize).
const DefaultMaxPixels = 64_000_000

// Options of Decode; the zero value is what the HTTP API does by default.
type Options struct {
	MaxPixels int  // largest width*height; 0 means DefaultMaxPixels
	Orient    bool // turn the picture upright as its EXIF orientation says
}

// Decode reads a JPEG, PNG, GIF (first frame), BMP, TIFF or WebP (first frame) picture as 8-bit RGB.
//
// The format is recognised by content. Alpha is dropped, neither composited nor multiplied in; 16-bit samples keep
// their high byte; colour profiles are ignored. The size in the header is checked before memory for pixels is taken.
// Every error is an *Error.
func Decode(data []byte, opt Options) (*RGB, error) {
	if len(data) == 0 {
		return nil, failf(Empty, "the picture is empty (0 bytes)")
	}
	f, err := formatOf(data)
	if err != nil {
		return nil, err
	}
	return f.decode(data, opt)
}

func (f format) decode(data []byte, opt Options) (pic *RGB, err error) {
	// Decoders of x/image have panicked on damaged files before (index out of range); one request must not end the service.
	defer func() {
		if r := recover(); r != nil {
			pic, err = nil, &Error{Kind: Corrupt, Detail: f.name + " picture is damaged", Err: fmt.Errorf("decoder: %v", r)}
		}
	}()

	width, height, err := f.size(data)
	if err != nil {
		return nil, decoderError(f.name, err)
	}
	if err := checkSize(width, height, opt.MaxPixels); err != nil {
		return nil, err
	}
	pic, err = f.pixels(data)
	if err != nil {
		return nil, decoderError(f.name, err)
	}
	if pic.Width != width || pic.Height != height {
		return nil, failf(Corrupt, "%s picture is damaged: its header says %dx%d, its pixels are %dx%d",
			f.name, width, height, pic.Width, pic.Height)
	}
	if opt.Orient {
		pic = pic.upright(orientation(f.exif(data)))
	}
	return pic, nil
}

func checkSize(width, height, maxPixels int) error {
	if maxPixels <= 0 {
		maxPixels = DefaultMaxPixels
	}
	if width <= 0 || height <= 0 {
		return failf(Corrupt, "picture is %dx%d; both sides must be at least 1", width, height)
	}
	// In floating point: the product of two 32-bit sides may not fit an int.
	if pixels := float64(width) * float64(height); pixels > float64(maxPixels) {
		return failf(TooLarge, "picture is %dx%d = %.1f megapixels; the limit is %.1f",
			width, height, pixels/1e6, float64(maxPixels)/1e6)
	}
	return nil
}
