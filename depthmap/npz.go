package depthmap

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/klauspost/compress/flate"
)

// EncodeNPZ writes the map as a NumPy archive: a ZIP file whose first member depth.npy is a float32 array of shape
// (Height, Width), little endian, rows first, which numpy.load(...)["depth"] returns. Unless about is empty, it follows as
// the bytes of a second member, an array without axes that numpy.load(...)["about"].item() returns; about must not end
// with NUL, which NumPy cuts off. The same map and text give the same bytes.
//
// The values of an enlarged map hardly ever repeat, so there is nothing for deflate to refer back to: Huffman codes alone
// take off at least as much as level 6, in less than half its time, and leave a file that every unzip reads (BenchmarkNPZ).
func (m *Map) EncodeNPZ(w io.Writer, about []byte) error {
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.HuffmanOnly)
	})
	member := func(name string, write func(io.Writer) error) error {
		w, err := archive.CreateHeader(&zip.FileHeader{
			Name:     name,
			Method:   zip.Deflate,
			Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), // the first day that ZIP knows
		})
		if err != nil {
			return err
		}
		return write(w)
	}
	if err := member("depth.npy", m.writeNPY); err != nil {
		return err
	}
	if len(about) > 0 {
		err := member("about.npy", func(w io.Writer) error {
			if err := writeNPYHeader(w, fmt.Sprintf("|S%d", len(about)), ""); err != nil {
				return err
			}
			_, err := w.Write(about)
			return err
		})
		if err != nil {
			return err
		}
	}
	return archive.Close()
}

// writeNPYHeader writes that of format version 1.0 (numpy.lib.format): magic, header length, a Python dictionary padded
// with spaces so that the data starts at a multiple of 64.
func writeNPYHeader(w io.Writer, descr, shape string) error {
	const fixed = 10 // magic, version and header length
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	padding := 63 - (fixed+len(dict))%64
	dict += strings.Repeat(" ", padding) + "\n"
	head := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(dict)))
	_, err := w.Write(append(head, dict...))
	return err
}

// writeNPY writes the values with their header.
func (m *Map) writeNPY(w io.Writer) error {
	if err := writeNPYHeader(w, "<f4", fmt.Sprintf("%d, %d", m.Height, m.Width)); err != nil {
		return err
	}
	buffer := make([]byte, 0, 4*4096)
	for i, v := range m.Values {
		buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
		if len(buffer) == cap(buffer) || i == len(m.Values)-1 {
			if _, err := w.Write(buffer); err != nil {
				return err
			}
			buffer = buffer[:0]
		}
	}
	return nil
}
