package stream

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Dequantisable reports whether the stream's integers can be turned into
// numbers by Dequantise: they have one scale for all, or one for each channel,
// which then is the last dimension, and none of the scales is nonsense.
func (s Stream) Dequantisable() bool {
	if s.Type != Uint8 && s.Type != Uint16 || s.Detections() {
		return false
	}
	for _, q := range s.Quantisation {
		if scale := float64(q.Scale); q.Scale == 0 || math.IsNaN(scale) || math.IsInf(scale, 0) || math.IsNaN(float64(q.ZeroPoint)) {
			return false
		}
	}
	return len(s.Quantisation) == 1 || len(s.Quantisation) == s.Features && s.Order != NCHW && s.Order != NHW
}

// Dequantise writes what the frame's integers, little endian, stand for as
// float32, little endian: dst has 4 bytes for each of them. The arithmetic is
// the library's own, in float32.
func (s Stream) Dequantise(dst, frame []byte) error {
	size := s.Type.DType().Size()
	switch {
	case !s.Dequantisable():
		return fmt.Errorf("stream %q of type %d and order %d cannot be dequantised: it has %d scales for %d channels", s.Name, s.Type, s.Order, len(s.Quantisation), s.Features)
	case len(frame) != s.Bytes || len(dst)*size != 4*len(frame):
		return fmt.Errorf("stream %q: %d bytes into %d; expected %d into %d", s.Name, len(frame), len(dst), s.Bytes, s.Bytes/size*4)
	}
	if s.Type == Uint8 && len(s.Quantisation) == 1 {
		var table [256]uint32
		for q := range table {
			table[q] = s.Quantisation[0].bits(float32(q))
		}
		for i, q := range frame {
			binary.LittleEndian.PutUint32(dst[4*i:], table[q])
		}
		return nil
	}
	for i := range len(frame) / size {
		q := float32(frame[i*size])
		if s.Type == Uint16 {
			q = float32(binary.LittleEndian.Uint16(frame[2*i:]))
		}
		binary.LittleEndian.PutUint32(dst[4*i:], s.Quantisation[i%len(s.Quantisation)].bits(q))
	}
	return nil
}

func (q Quantisation) bits(value float32) uint32 {
	return math.Float32bits((value - q.ZeroPoint) * q.Scale)
}
