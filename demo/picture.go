package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hailo-depth/picture"
	"hailo-depth/scene"
)

// subject is the picture that the demonstration estimates.
type subject struct {
	name  string
	file  []byte       // as it is sent
	rgb   *picture.RGB // as it looks upright
	truth []float32    // depth in metres of each pixel; nil when unknown
}

// The rendered room has the size of the usual camera frame.
const (
	roomWidth  = 640
	roomHeight = 480
)

func (d *demo) picture(ctx context.Context, path string, seed uint64) (*subject, error) {
	began := time.Now()
	if path == "" {
		p, err := room(ctx, seed)
		if err != nil {
			return nil, err
		}
		d.step(began, "rendered a room of %dx%d pixels with known depth", roomWidth, roomHeight)
		return p, d.write("picture.png", "the picture", p.file)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rgb, err := picture.Decode(file, picture.Options{Orient: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d.step(began, "read %s, %dx%d pixels", path, rgb.Width, rgb.Height)
	return &subject{name: path, file: file, rgb: rgb}, d.write("picture"+strings.ToLower(filepath.Ext(path)), "the picture", file)
}

func room(ctx context.Context, seed uint64) (*subject, error) {
	view, err := scene.Room(ctx, seed, roomWidth, roomHeight)
	if err != nil {
		return nil, err
	}
	p := &subject{
		name:  fmt.Sprintf("rendered room %d", seed),
		rgb:   &picture.RGB{Width: view.Width, Height: view.Height, Pix: view.Picture},
		truth: view.Depth,
	}
	p.file, err = encode(p.rgb)
	return p, err
}

// encode writes a picture as PNG.
func encode(p *picture.RGB) ([]byte, error) {
	img := image.NewNRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i := range p.Width * p.Height {
		copy(img.Pix[4*i:], p.Pix[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// beside puts pictures of one size next to each other.
func beside(pictures ...*picture.RGB) *picture.RGB {
	const gap = 8
	height := pictures[0].Height
	width := (pictures[0].Width+gap)*len(pictures) - gap
	all := &picture.RGB{Width: width, Height: height, Pix: bytes.Repeat([]byte{255}, 3*width*height)}
	for i, p := range pictures {
		for y := range height {
			copy(all.Pix[3*(y*width+i*(p.Width+gap)):], p.Pix[3*y*p.Width:3*(y+1)*p.Width])
		}
	}
	return all
}
