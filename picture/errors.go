package picture

import (
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Kind says in what way a picture could not be read. Every kind is the sender's mistake, not ours.
type Kind int

const (
	Empty         Kind = iota + 1 // no bytes at all
	UnknownFormat                 // not the beginning of any picture format we know
	Corrupt                       // damaged or cut off
	TooLarge                      // more pixels than Options.MaxPixels
	Unsupported                   // a sound file that uses something we do not read
)

// String is the kind as a short word for logs and metrics.
func (k Kind) String() string {
	switch k {
	case Empty:
		return "empty"
	case UnknownFormat:
		return "unknown_format"
	case Corrupt:
		return "corrupt"
	case TooLarge:
		return "too_large"
	case Unsupported:
		return "unsupported"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// Error is every error that Decode returns. Its text is written for the person who sent the picture.
type Error struct {
	Kind   Kind
	Detail string // what is wrong, with the value found and what was expected
	Err    error  // the decoder's error where there is one
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Detail + ": " + e.Err.Error()
	}
	return e.Detail
}

func (e *Error) Unwrap() error { return e.Err }

func failf(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// decoderError gives the error of a decoder a kind. An error that has one already passes through.
func decoderError(name string, err error) error {
	var (
		own     *Error
		inJPEG  jpeg.UnsupportedError
		inPNG   png.UnsupportedError
		inTIFF  tiff.UnsupportedError
		missing = errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
	)
	switch {
	case errors.As(err, &own):
		return err
	case errors.As(err, &inJPEG), errors.As(err, &inPNG), errors.As(err, &inTIFF), errors.Is(err, bmp.ErrUnsupported):
		return &Error{Kind: Unsupported, Detail: "this kind of " + name + " picture cannot be read", Err: err}
	case missing:
		return &Error{Kind: Corrupt, Detail: name + " picture is cut off", Err: err}
	}
	return &Error{Kind: Corrupt, Detail: name + " picture is damaged", Err: err}
}
