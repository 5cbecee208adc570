package device

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// DefaultMaxMessage is the default of HAILO_DEVICE_MAX_MESSAGE_BYTES.
const DefaultMaxMessage = 64 << 20

// headerBytes is the length of a frame's prefix.
const headerBytes = 4

// TooLargeError is a frame whose announced length is over the limit.
type TooLargeError struct{ Bytes, Limit int64 }

func (e *TooLargeError) Error() string { return fmt.Sprintf("Message too large: %d bytes", e.Bytes) }

// ReadFrame reads a frame: a 4-byte big-endian length, then that many bytes. It
// gives io.EOF at a clean end, io.ErrUnexpectedEOF inside a frame and a
// *TooLargeError for a length over limit. Memory is taken as bytes arrive, not
// as the length promises.
func ReadFrame(r io.Reader, limit int64) ([]byte, error) {
	length, err := ReadFrameLength(r, limit)
	if err != nil {
		return nil, err
	}
	return ReadFrameBody(r, length)
}

// ReadFrameLength reads the first half of what ReadFrame reads.
func ReadFrameLength(r io.Reader, limit int64) (int64, error) {
	var prefix [headerBytes]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return 0, err
	}
	length := int64(binary.BigEndian.Uint32(prefix[:]))
	if length > limit {
		return 0, &TooLargeError{Bytes: length, Limit: limit}
	}
	return length, nil
}

// ReadFrameBody reads the length bytes that follow a frame's prefix.
func ReadFrameBody(r io.Reader, length int64) ([]byte, error) {
	const trusted = 1 << 20 // what a peer may make us take without sending it
	var body bytes.Buffer
	body.Grow(int(min(length, trusted)) + bytes.MinRead) // MinRead: so that an exact fill need not grow
	n, err := io.Copy(&body, io.LimitReader(r, length))
	if err != nil {
		return nil, err
	}
	if n < length {
		return nil, io.ErrUnexpectedEOF
	}
	return body.Bytes(), nil
}

// AppendFrame reserves a frame's prefix in dst; FinishFrame fills it in once
// the body has been appended.
func AppendFrame(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// FinishFrame sets the length of a frame that AppendFrame began.
func FinishFrame(frame []byte, limit int64) error {
	length := int64(len(frame)) - headerBytes
	if length < 0 {
		return errors.New("device: frame without prefix")
	}
	if length > limit {
		return &TooLargeError{Bytes: length, Limit: limit}
	}
	binary.BigEndian.PutUint32(frame, uint32(length))
	return nil
}
