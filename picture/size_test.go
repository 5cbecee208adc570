package picture

import (
	"errors"
	"testing"
)

func TestSizeIsWhatDecodeFinds(t *testing.T) {
	for name, data := range samplePictures(t) {
		width, height, err := Size(data, Options{})
		if err != nil || width != 29 || height != 21 {
			t.Errorf("%s: %dx%d, %v; want 29x21", name, width, height, err)
		}
		var e *Error
		if _, _, err := Size(data, Options{MaxPixels: 29*21 - 1}); !errors.As(err, &e) || e.Kind != TooLarge {
			t.Errorf("%s over the limit: %v", name, err)
		}
	}
	for name, kind := range map[string]Kind{
		"bad_bomb_20000x20000.png": TooLarge, "bad_header_only.jpg": Corrupt, "bad_zero_size.png": Corrupt,
	} {
		var e *Error
		if _, _, err := Size(readCase(t, name), Options{}); !errors.As(err, &e) || e.Kind != kind {
			t.Errorf("%s: %v, want %v", name, err, kind)
		}
	}
	var e *Error
	if _, _, err := Size(nil, Options{}); !errors.As(err, &e) || e.Kind != Empty {
		t.Errorf("no bytes: %v", err)
	}
}

func TestPanicWhileReadingTheSizeIsCorrupt(t *testing.T) {
	f := format{name: "test", size: func(data []byte) (int, int, error) { return int(data[7]), 0, nil }}
	var e *Error
	if _, _, err := f.guardedSize(nil); !errors.As(err, &e) || e.Kind != Corrupt {
		t.Errorf("got %v, want Corrupt", err)
	}
}
