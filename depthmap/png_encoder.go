package depthmap

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// PNGEncoder writes maps as PNG and keeps its compressors and buffers, about a megabyte for each picture being written
// at the same time, from one map to the next. The zero value is ready; it may be used from several goroutines at once.
// It must not be copied.
type PNGEncoder struct {
	scratch sync.Pool // of *pngScratch
}

// pngScratch is what one PNG needs while it is written.
type pngScratch struct {
	compressor *zlib.Writer
	packed     bytes.Buffer
	line       []byte // filter byte and one row
}

// take returns a scratch whose line has lineLen bytes and whose compressor writes into its empty buffer.
func (e *PNGEncoder) take(lineLen int) (*pngScratch, error) {
	s, ok := e.scratch.Get().(*pngScratch)
	if !ok {
		compressor, err := zlib.NewWriterLevel(nil, pngLevel)
		if err != nil {
			return nil, err
		}
		s = &pngScratch{compressor: compressor}
	}
	s.packed.Reset()
	s.compressor.Reset(&s.packed)
	if cap(s.line) < lineLen {
		s.line = make([]byte, lineLen)
	}
	s.line = s.line[:lineLen]
	return s, nil
}
