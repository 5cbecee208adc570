package picture

import (
	"errors"
	"testing"
)

// fakeFormat claims a size and answers with the given pixels.
func fakeFormat(width, height int, pixels func([]byte) (*RGB, error)) format {
	return format{
		name:   "test",
		size:   func([]byte) (int, int, error) { return width, height, nil },
		pixels: pixels,
		exif:   noEXIF,
	}
}

func TestPanicOfADecoderIsCorrupt(t *testing.T) {
	f := fakeFormat(2, 2, func(data []byte) (*RGB, error) { return nil, errors.New(string(data[5:9])) })
	var e *Error
	p, err := f.decode([]byte("abc"), Options{})
	if !errors.As(err, &e) || e.Kind != Corrupt || p != nil {
		t.Errorf("picture %v, error %v; want Corrupt", p, err)
	}
}

func TestPixelsAreOnlyTakenOnceTheSizeIsChecked(t *testing.T) {
	cases := []struct {
		width, height, limit int
		kind                 Kind
	}{
		{0, 5, 0, Corrupt},
		{5, -1, 0, Corrupt},
		{8001, 8000, 0, TooLarge},
		{1 << 31, 1 << 31, 0, TooLarge}, // the product does not fit 64 bits with a sign
		{11, 10, 109, TooLarge},
	}
	for _, c := range cases {
		f := fakeFormat(c.width, c.height, func([]byte) (*RGB, error) {
			t.Errorf("%dx%d: pixels were decoded", c.width, c.height)
			return newRGB(1, 1), nil
		})
		var e *Error
		if _, err := f.decode(nil, Options{MaxPixels: c.limit}); !errors.As(err, &e) || e.Kind != c.kind {
			t.Errorf("%dx%d with limit %d: %v, want %v", c.width, c.height, c.limit, err, c.kind)
		}
	}
}

func TestPixelsThatBelieTheHeaderAreCorrupt(t *testing.T) {
	f := fakeFormat(4, 3, func([]byte) (*RGB, error) { return newRGB(3, 4), nil })
	var e *Error
	if _, err := f.decode(nil, Options{}); !errors.As(err, &e) || e.Kind != Corrupt {
		t.Errorf("got %v, want Corrupt", err)
	}
}

func TestKindsHaveNames(t *testing.T) {
	want := map[Kind]string{Empty: "empty", UnknownFormat: "unknown_format", Corrupt: "corrupt", TooLarge: "too_large", Unsupported: "unsupported", 9: "Kind(9)"}
	for kind, name := range want {
		if kind.String() != name {
			t.Errorf("kind %d is called %q, want %q", int(kind), kind, name)
		}
	}
}
