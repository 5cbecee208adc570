package picture

import (
	"bytes"
	"encoding/binary"
)

// orientation reads the orientation tag of an EXIF block (TIFF 6.0 section 8; EXIF 2.32 section 4.6.4): 1..8 say where
// the first row and the first column of the stored picture belong. Anything missing or damaged is 1, upright: a picture
// is not refused for its metadata.
func orientation(exif []byte) int {
	const tag = 0x0112
	if v := ifdValue(exif, tag); v >= 1 && v <= 8 {
		return int(v)
	}
	return 1
}

// ifdValue is the value of a tag in the first directory of a TIFF structure when it is a single SHORT or LONG, which
// the entry itself holds; otherwise 0. Offsets are compared with the length before every access.
func ifdValue(data []byte, tag uint16) uint32 {
	const headerLen, entryLen = 8, 12
	if len(data) < headerLen {
		return 0
	}
	var order binary.ByteOrder
	switch string(data[:4]) {
	case "II\x2a\x00":
		order = binary.LittleEndian
	case "MM\x00\x2a":
		order = binary.BigEndian
	default:
		return 0
	}
	at := uint64(order.Uint32(data[4:]))
	if at+2 > uint64(len(data)) {
		return 0
	}
	entries := data[at+2:]
	for range order.Uint16(data[at:]) {
		if len(entries) < entryLen {
			return 0
		}
		entry := entries[:entryLen]
		entries = entries[entryLen:]
		if order.Uint16(entry) != tag || order.Uint32(entry[4:]) != 1 {
			continue
		}
		const typeShort, typeLong = 3, 4
		switch order.Uint16(entry[2:]) {
		case typeShort:
			return uint32(order.Uint16(entry[8:]))
		case typeLong:
			return order.Uint32(entry[8:])
		}
		return 0
	}
	return 0
}

// Where each format keeps the block. JPEG puts this prefix before it; some writers do so in PNG and WebP too.
const exifPrefix = "Exif\x00\x00"

func jpegEXIF(data []byte) (exif []byte) {
	jpegSegments(data, func(marker byte, payload []byte) bool {
		if marker == 0xe1 && bytes.HasPrefix(payload, []byte(exifPrefix)) {
			exif = payload[len(exifPrefix):]
		}
		return exif == nil
	})
	return exif
}

func pngEXIF(data []byte) []byte {
	c := cursor{rest: data[8:]}
	for {
		head := c.take(8)
		if head == nil {
			return nil
		}
		payload := c.take(int(binary.BigEndian.Uint32(head)))
		if string(head[4:]) == "eXIf" {
			return bytes.TrimPrefix(payload, []byte(exifPrefix))
		}
		c.take(4) // the checksum; the decoder has verified it
	}
}

func webpEXIF(data []byte) (exif []byte) {
	// What follows the picture may be damaged; then there is no orientation.
	_ = webpChunks(data[12:], func(id string, payload []byte) bool {
		if id == "EXIF" {
			exif = bytes.TrimPrefix(payload, []byte(exifPrefix))
		}
		return exif == nil
	})
	return exif
}
