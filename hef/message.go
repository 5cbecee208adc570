package hef

import (
	"bufio"
	"encoding/binary"
	"io"
)

// The fields of the description that are read, by their numbers.
const (
	fieldHeader     = 1
	fieldExtensions = 5

	headerArch     = 1
	headerText     = 3
	headerCompiler = 5

	extensionType = 1
	// strictVersioning is the extension of files that only the library of the
	// compiler's own version may load.
	strictVersioning = 35
)

// maxText bounds the compiler's name for its version, in bytes.
const maxText = 64

// describe reads the message of r, which describes the network. Megabytes of it
// are skipped.
func (f *File) describe(r *io.SectionReader) error {
	found := false
	err := eachField(r, func(number uint64, value uint64, part *io.SectionReader) error {
		switch {
		case number == fieldHeader && part != nil:
			found = true
			return f.header(part)
		case number == fieldExtensions && part != nil:
			return f.extension(part)
		}
		return nil
	})
	if err == nil && !found {
		err = broken("it does not say for which chip it was compiled")
	}
	return err
}

func (f *File) header(r *io.SectionReader) error {
	return eachField(r, func(number, value uint64, part *io.SectionReader) error {
		switch {
		case number == headerArch && part == nil:
			f.Arch = Arch(value)
		case number == headerText && part != nil:
			text := make([]byte, min(part.Size(), maxText))
			if _, err := io.ReadFull(part, text); err != nil {
				return err
			}
			f.Compiler = string(text)
		case number == headerCompiler && part != nil:
			return eachField(part, func(number, value uint64, _ *io.SectionReader) error {
				switch number {
				case 1:
					f.Major = value
				case 2:
					f.Minor = value
				}
				return nil
			})
		}
		return nil
	})
}

func (f *File) extension(r *io.SectionReader) error {
	return eachField(r, func(number, value uint64, part *io.SectionReader) error {
		if number == extensionType && part == nil && value == strictVersioning {
			f.Strict = true
		}
		return nil
	})
}

// eachField calls do for the fields of a message in the wire format of Protocol
// Buffers: with the value of a number, or with the bytes of a part.
func eachField(r *io.SectionReader, do func(number, value uint64, part *io.SectionReader) error) error {
	buffered := bufio.NewReaderSize(r, 512)
	at := func() (int64, error) {
		end, err := r.Seek(0, io.SeekCurrent)
		return end - int64(buffered.Buffered()), err
	}
	for {
		tag, err := binary.ReadUvarint(buffered)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return damaged(err)
		}
		var value uint64
		var part *io.SectionReader
		skip := int64(0)
		switch tag & 7 {
		case 0:
			value, err = binary.ReadUvarint(buffered)
		case 1:
			skip = 8
		case 5:
			skip = 4
		case 2:
			var size uint64
			var here int64
			if size, err = binary.ReadUvarint(buffered); err != nil {
				break
			}
			if here, err = at(); err != nil {
				break
			}
			if size > uint64(r.Size()-here) {
				return broken("its description is damaged: a part of %d bytes where %d are left", size, r.Size()-here)
			}
			skip, part = int64(size), io.NewSectionReader(r, here, int64(size))
		default:
			return broken("its description is damaged: a field of type %d", tag&7)
		}
		if err != nil {
			return damaged(err)
		}
		if err := do(tag>>3, value, part); err != nil {
			return err
		}
		if err := pass(r, buffered, skip); err != nil {
			return err
		}
	}
}

// pass moves on by n bytes without reading what is far ahead.
func pass(r *io.SectionReader, buffered *bufio.Reader, n int64) error {
	if n <= int64(buffered.Buffered()) {
		_, err := buffered.Discard(int(n))
		return err
	}
	here, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	here += n - int64(buffered.Buffered())
	if here > r.Size() {
		return damaged(io.ErrUnexpectedEOF)
	}
	if _, err := r.Seek(here, io.SeekStart); err != nil {
		return err
	}
	buffered.Reset(r)
	return nil
}

func damaged(err error) error { return broken("its description is damaged: %v", err) }
