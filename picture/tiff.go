package picture

import (
	"bytes"

	"golang.org/x/image/tiff"
)

// tiffSize reads the first directory.
//
// What x/image/tiff takes beyond the pixels: tables of strip or tile positions, one entry per strip or tile of the checked
// size, and one unpacked strip or tile of at most 8 bytes a pixel, whatever the file claims, in a buffer that doubles as it
// grows: 16 to 24 bytes a pixel at worst. A tile may exceed the picture only up to 1024x1024 (or 16 pixels of padding), so
// a small picture cannot ask for a huge tile.
func tiffSize(data []byte) (int, int, error) {
	// x/image ignores this tag and would read the first plane as if it were interleaved.
	const planarConfiguration, samplesPerPixel = 284, 277
	if ifdValue(data, planarConfiguration) == 2 && ifdValue(data, samplesPerPixel) > 1 {
		return 0, 0, failf(Unsupported, "TIFF pictures with separate colour planes cannot be read; expected interleaved samples")
	}
	c, err := tiff.DecodeConfig(bytes.NewReader(data))
	return c.Width, c.Height, err
}

func tiffPixels(data []byte) (*RGB, error) {
	img, err := tiff.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	pic := fromImage(img)
	// The fax codings name their runs white and black, and BlackIsZero turns both over (TIFF 6.0 section 8, "the image
	// should display and print reversed"); x/image leaves them as they are.
	const compression, group3, group4 = 259, 3, 4
	const photometric, blackIsZero = 262, 1
	if c := ifdValue(data, compression); (c == group3 || c == group4) && ifdValue(data, photometric) == blackIsZero {
		for i, v := range pic.Pix {
			pic.Pix[i] = 255 - v
		}
	}
	return pic, nil
}

// tiffEXIF is the file itself: the orientation is a tag of its first directory.
func tiffEXIF(data []byte) []byte { return data }
