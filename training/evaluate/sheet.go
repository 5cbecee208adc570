package main

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"

	"hailo-depth/depthmap"
	"hailo-depth/picture"
)

const (
	tileWidth, tileHeight = 240, 192
	across                = 3  // triples beside each other
	photographsShown      = 33 // spread over the held-back ones
)

// shown is a map that the contact sheet may want.
type shown struct {
	subject subject
	values  []float32
}

// keep remembers every picture with true depth, and some photographs.
func (e *evaluation) keep(name string, s subject, values []float32) {
	every := max(1, len(e.photographs)/photographsShown)
	for i := range e.photographs {
		if e.photographs[i].id == s.id && i%every != 0 {
			return
		}
	}
	e.shown[name] = append(e.shown[name], shown{s, values})
}

// triple is a picture and two maps of it.
type triple struct {
	subject subject
	maps    [2][]float32
}

// contacts are the pictures kept, with the teacher's map and the student's.
func (e *evaluation) contacts() []triple {
	var all []triple
	for i, own := range e.shown[student] {
		all = append(all, triple{own.subject, [2][]float32{e.shown[teacher][i].values, own.values}})
	}
	return all
}

// writeSheet writes triples side by side, three in a row.
func writeSheet(path string, triples []triple) error {
	colours, err := depthmap.Lookup("viridis")
	if err != nil {
		return err
	}
	rows := (len(triples) + across - 1) / across
	sheet := image.NewRGBA(image.Rect(0, 0, across*3*tileWidth, rows*tileHeight))
	for i, one := range triples {
		original, err := picture.Decode(one.subject.file, picture.Options{})
		if err != nil {
			return err
		}
		tiles := []*picture.RGB{original}
		for _, values := range one.maps {
			tiles = append(tiles, coloured(one.subject, values, colours))
		}
		for k, tile := range tiles {
			draw(sheet, tile.Resize(tileWidth, tileHeight), (i%across*3+k)*tileWidth, i/across*tileHeight)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = jpeg.Encode(f, sheet, &jpeg.Options{Quality: 88})
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// coloured shows a map without its outermost two hundredths, which would leave
// no colours for the rest.
func coloured(s subject, values []float32, colours *depthmap.Colormap) *picture.RGB {
	sorted := slices.Sorted(slices.Values(values))
	low, high := sorted[len(sorted)/50], sorted[len(sorted)-1-len(sorted)/50]
	clipped := make([]float32, len(values))
	for i, v := range values {
		clipped[i] = max(low, min(high, v))
	}
	m := &depthmap.Map{Width: s.truth.Width, Height: s.truth.Height, Values: clipped}
	return &picture.RGB{Width: m.Width, Height: m.Height, Pix: m.ColorRGB(colours)}
}

func draw(sheet *image.RGBA, tile *picture.RGB, left, top int) {
	for y := range tile.Height {
		for x := range tile.Width {
			at := sheet.PixOffset(left+x, top+y)
			copy(sheet.Pix[at:at+3], tile.Pix[3*(y*tile.Width+x):])
			sheet.Pix[at+3] = 255
		}
	}
}

// encode writes a picture as PNG, quickly.
func encode(p *picture.RGB) ([]byte, error) {
	img := image.NewNRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i := range p.Width * p.Height {
		copy(img.Pix[4*i:], p.Pix[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	var b bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img)
	return b.Bytes(), err
}
