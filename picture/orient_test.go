package picture

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// exifBlock is a TIFF structure whose first directory holds another tag and the orientation.
func exifBlock(order binary.AppendByteOrder, orientation uint16) []byte {
	data := []byte("II\x2a\x00")
	if order.String() == binary.BigEndian.String() {
		data = []byte("MM\x00\x2a")
	}
	data = order.AppendUint32(data, 10)
	data = append(data, 0xaa, 0xbb) // the directory need not follow the header
	data = order.AppendUint16(data, 2)
	for _, e := range [][2]uint16{{0x0100, 5}, {0x0112, orientation}} {
		data = order.AppendUint16(data, e[0])
		data = order.AppendUint16(data, 3) // SHORT
		data = order.AppendUint32(data, 1)
		data = order.AppendUint16(data, e[1])
		data = append(data, 0, 0)
	}
	return order.AppendUint32(data, 0)
}

func TestOrientationTag(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for value := range uint16(12) {
			want := int(value)
			if value < 1 || value > 8 {
				want = 1
			}
			if got := orientation(exifBlock(order, value)); got != want {
				t.Errorf("%v, value %d: orientation %d, want %d", order, value, got, want)
			}
		}
	}
	whole := exifBlock(binary.LittleEndian, 6)
	for cut := range len(whole) - 6 { // without the last value
		if got := orientation(whole[:cut]); got != 1 {
			t.Errorf("cut to %d bytes: orientation %d, want 1", cut, got)
		}
	}
	far := exifBlock(binary.LittleEndian, 6)
	binary.LittleEndian.PutUint32(far[4:], 0xfffffffe)
	wrongType := withByte(whole, "\x12\x01", 2, 7)
	wrongCount := withByte(whole, "\x12\x01", 4, 2)
	for name, data := range map[string][]byte{"offset beyond the end": far, "type UNDEFINED": wrongType, "two values": wrongCount} {
		if got := orientation(data); got != 1 {
			t.Errorf("%s: orientation %d, want 1", name, got)
		}
	}
	asLong := withByte(whole, "\x12\x01", 2, 4)
	if got := orientation(asLong); got != 6 {
		t.Errorf("a LONG: orientation %d, want 6", got)
	}
}

// TestUpright names the eight orientations by where the corners of a 3x2 picture
//
//	a b c
//	d e f
//
// belong (EXIF 2.32, tag Orientation).
func TestUpright(t *testing.T) {
	want := []string{
		1: "abc def", 2: "cba fed", 3: "fed cba", 4: "def abc",
		5: "ad be cf", 6: "da eb fc", 7: "fc eb da", 8: "cf be ad",
	}
	stored := &RGB{3, 2, []byte("a12b34c56d78e90f!?")}
	rest := map[byte]string{'a': "12", 'b': "34", 'c': "56", 'd': "78", 'e': "90", 'f': "!?"}
	for o := 1; o <= 8; o++ {
		got := stored.upright(o)
		text := ""
		for y := range got.Height {
			if y > 0 {
				text += " "
			}
			for x := range got.Width {
				pixel := got.row(y)[3*x : 3*x+3]
				if string(pixel[1:]) != rest[pixel[0]] {
					t.Fatalf("orientation %d: pixel %q is torn apart", o, pixel)
				}
				text += string(pixel[:1])
			}
		}
		if text != want[o] {
			t.Errorf("orientation %d gives %q, want %q", o, text, want[o])
		}
	}
}

// TestOrientInEveryContainer puts orientation 6 where each format keeps it.
func TestOrientInEveryContainer(t *testing.T) {
	samples := samplePictures(t)
	exif := exifBlock(binary.BigEndian, 6)
	prefixed := append([]byte(exifPrefix), exif...)
	pixels := rawPNG{width: 29, height: 21, depth: 8, samples: func(x, y int) []uint16 { return []uint16{uint16(x + 9*y)} }}
	before, after := pixels, pixels
	before.extra = map[string][]byte{"eXIf": exif}
	after.afterPixels = map[string][]byte{"eXIf": prefixed}
	cases := map[string]struct{ plain, turned []byte }{
		"jpeg":            {samples["jpeg"], jpegWithAPP1(samples["jpeg"], prefixed)},
		"png":             {pixels.encode(), before.encode()},
		"png, at the end": {pixels.encode(), after.encode()},
		"webp":            {samples["webp"], webpWithEXIF(samples["webp"], exif)},
		"webp, prefixed":  {samples["webp lossless"], webpWithEXIF(samples["webp lossless"], prefixed)},
		"tiff":            {samples["tiff"], tiffWithOrientation(samples["tiff"], 6)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			plain, err := Decode(c.plain, Options{Orient: true})
			if err != nil {
				t.Fatal(err)
			}
			ignored, err := Decode(c.turned, Options{})
			if err != nil {
				t.Fatal(err)
			}
			comparePictures(t, ignored, plain, 0)
			turned, err := Decode(c.turned, Options{Orient: true})
			if err != nil {
				t.Fatal(err)
			}
			comparePictures(t, turned, plain.upright(6), 0)
		})
	}
}

func TestRecordedPhotographTurns(t *testing.T) {
	p, err := Decode(readCase(t, "exif_orientation6_320x240.jpg"), Options{Orient: true})
	if err != nil {
		t.Fatal(err)
	}
	if p.Width != 240 || p.Height != 320 {
		t.Errorf("turned picture is %dx%d, want 240x320", p.Width, p.Height)
	}
}

func jpegWithAPP1(data, exif []byte) []byte {
	out := append([]byte{}, data[:2]...)
	out = append(out, fmt.Sprintf("\xff\xfe\x00\x06note\xff\xff\xe1%c%c", byte(0), byte(len(exif)+2))...)
	return append(append(out, exif...), data[2:]...)
}

func webpWithEXIF(data, exif []byte) []byte {
	out := append([]byte{}, data...)
	if len(out)%2 == 1 {
		out = append(out, 0)
	}
	out = append(out, "EXIF"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(exif)))
	return append(out, exif...)
}

// tiffWithOrientation turns the resolution unit of a little-endian TIFF, which nobody reads, into the orientation by
// moving it to its place in the order of the tags.
func tiffWithOrientation(data []byte, value uint16) []byte {
	out := append([]byte{}, data...)
	at := binary.LittleEndian.Uint32(out[4:])
	n := int(binary.LittleEndian.Uint16(out[at:]))
	entries := out[at+2:][:12*n]
	unit := 12 * (n - 1)
	for binary.LittleEndian.Uint16(entries[unit:]) != 296 {
		unit -= 12
	}
	first := 0
	for binary.LittleEndian.Uint16(entries[first:]) < 0x0112 {
		first += 12
	}
	copy(entries[first+12:unit+12], append([]byte{}, entries[first:unit]...))
	entry := binary.LittleEndian.AppendUint16(nil, 0x0112)
	entry = append(entry, 3, 0, 1, 0, 0, 0, byte(value), 0, 0, 0)
	copy(entries[first:], entry)
	return out
}
