package main

import (
	"image"
	"image/jpeg"
	"os"
	"path/filepath"

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

// writeSheet writes picture, teacher and student side by side, three such
// triples in a row.
func (e *evaluation) writeSheet(path string) error {
	colours, err := depthmap.Lookup("viridis")
	if err != nil {
		return err
	}
	ours, theirs := e.shown[student], e.shown[teacher]
	rows := (len(ours) + across - 1) / across
	sheet := image.NewRGBA(image.Rect(0, 0, across*3*tileWidth, rows*tileHeight))
	for i, own := range ours {
		original, err := picture.Decode(own.subject.file, picture.Options{})
		if err != nil {
			return err
		}
		t := own.subject.truth
		tiles := []*picture.RGB{original}
		for _, values := range [][]float32{theirs[i].values, own.values} {
			m := &depthmap.Map{Width: t.Width, Height: t.Height, Values: values}
			tiles = append(tiles, &picture.RGB{Width: t.Width, Height: t.Height, Pix: m.ColorRGB(colours)})
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

func draw(sheet *image.RGBA, tile *picture.RGB, left, top int) {
	for y := range tile.Height {
		for x := range tile.Width {
			at := sheet.PixOffset(left+x, top+y)
			copy(sheet.Pix[at:at+3], tile.Pix[3*(y*tile.Width+x):])
			sheet.Pix[at+3] = 255
		}
	}
}
