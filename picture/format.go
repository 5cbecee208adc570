package picture

import (
	"bytes"
	"image"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
)

// format is how one file format is read.
type format struct {
	name   string
	size   func(data []byte) (width, height int, err error) // from the header, without taking memory for pixels
	pixels func(data []byte) (*RGB, error)                  // only called once the size is known to be acceptable
	exif   func(data []byte) []byte                         // the EXIF block (a TIFF structure), nil when there is none
}

// formatOf recognises the format by its first bytes; names and media types are not to be trusted.
func formatOf(data []byte) (format, error) {
	starts := func(prefix string) bool { return bytes.HasPrefix(data, []byte(prefix)) }
	within := func(offset int, text string) bool {
		return len(data) >= offset+len(text) && string(data[offset:offset+len(text)]) == text
	}
	switch {
	case starts("\xff\xd8\xff"):
		return format{"JPEG", jpegSize, jpegPixels, jpegEXIF}, nil
	case starts("\x89PNG\r\n\x1a\n"):
		return format{"PNG", configSize(png.DecodeConfig), imagePixels(png.Decode), pngEXIF}, nil
	case starts("GIF87a"), starts("GIF89a"):
		return format{"GIF", gifSize, gifPixels, noEXIF}, nil
	case starts("RIFF") && within(8, "WEBP"):
		return format{"WebP", webpSize, webpPixels, webpEXIF}, nil
	case starts("II\x2a\x00"), starts("MM\x00\x2a"):
		return format{"TIFF", tiffSize, tiffPixels, tiffEXIF}, nil
	case starts("BM"):
		return format{"BMP", configSize(bmp.DecodeConfig), imagePixels(bmp.Decode), noEXIF}, nil
	}
	const expected = "expected JPEG, PNG, GIF, BMP, TIFF or WebP"
	// Telephones and cameras send these; their owners should not be told that the file is no picture.
	switch {
	case within(4, "ftypheic"), within(4, "ftypheix"), within(4, "ftyphevc"), within(4, "ftypmif1"), within(4, "ftypmsf1"):
		return format{}, failf(Unsupported, "HEIC pictures cannot be read; %s", expected)
	case within(4, "ftypavif"), within(4, "ftypavis"):
		return format{}, failf(Unsupported, "AVIF pictures cannot be read; %s", expected)
	case starts("\xff\x0a"), starts("\x00\x00\x00\x0cJXL "):
		return format{}, failf(Unsupported, "JPEG XL pictures cannot be read; %s", expected)
	case starts("\x00\x00\x00\x0cjP  "):
		return format{}, failf(Unsupported, "JPEG 2000 pictures cannot be read; %s", expected)
	case starts("II\x2b\x00"), starts("MM\x00\x2b"):
		return format{}, failf(Unsupported, "BigTIFF pictures cannot be read; %s", expected)
	}
	return format{}, failf(UnknownFormat, "not a picture: starts with % x; %s", data[:min(len(data), 8)], expected)
}

// configSize adapts a DecodeConfig function of image/png and its relatives. Those of PNG and BMP read the header fields
// that Decode allocates by, so what they say is what Decode will take: at most 8 bytes a pixel.
func configSize(decode func(io.Reader) (image.Config, error)) func([]byte) (int, int, error) {
	return func(data []byte) (int, int, error) {
		c, err := decode(bytes.NewReader(data))
		return c.Width, c.Height, err
	}
}

func imagePixels(decode func(io.Reader) (image.Image, error)) func([]byte) (*RGB, error) {
	return func(data []byte) (*RGB, error) {
		img, err := decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return fromImage(img), nil
	}
}

func noEXIF([]byte) []byte { return nil }
