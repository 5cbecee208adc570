// Package scene renders rooms and streets whose depth is known exactly.
//
// The demo needs a picture that a depth network trained on photographs
// understands, and a truth to measure it by, without a photograph's licence or
// a depth camera's errors; training needs views that photographs lack (Roam).
// So this is a small ray tracer: solids in space, daylight with soft shadows,
// light that comes back from other surfaces, and a camera with a lens and a
// sensor. The same seed and size give the same bytes on the same processor
// architecture.
package scene

import (
	"context"
	"errors"
	"fmt"
)

const (
	minSide   = 16
	maxSide   = 4096
	maxPixels = 1920 * 1080
)

// ErrSize: no picture of that size is made.
var ErrSize = errors.New("scene: size not possible")

// View is a picture and what is true of it.
type View struct {
	Width, Height int
	// Picture is 8-bit sRGB, red, green and blue interleaved, row-major, 3*Width*Height bytes.
	Picture []byte
	// Depth is in metres along the optical axis (z-depth, not the distance),
	// row-major, Width*Height values, of the ray through the centre of each
	// pixel, at (x+0.5, y+0.5) from the top left corner. It is above 0 and at
	// most 200: places farther away, and the sky, are at 200.
	Depth []float32
	// FocalPixels is the focal length; pixels are square and the optical axis
	// meets the middle of the picture.
	FocalPixels float64
}

// check says whether a picture of the size is made: sides of 16 to 4096 pixels,
// and not more pixels than 1920x1080, which take about 300 MB to make.
func check(width, height int) error {
	if width < minSide || height < minSide || width > maxSide || height > maxSide || width*height > maxPixels {
		return fmt.Errorf("%w: %dx%d; sides are %d to %d, and at most %d pixels",
			ErrSize, width, height, minSide, maxSide, maxPixels)
	}
	return nil
}

// render makes the view that a camera has of a world. key is how bright the
// middle brightness of the picture becomes, 0..1 before the film's curve.
func (w *world) render(ctx context.Context, c camera, key float64, seed uint64) (*View, error) {
	g, err := w.gather(ctx, &c)
	if err != nil {
		return nil, err
	}
	view := &View{Width: c.width, Height: c.height, FocalPixels: c.focal, Depth: make([]float32, len(g.spots))}
	for i := range g.spots {
		view.Depth[i] = g.spots[i].depth
	}
	if err := g.smooth(ctx); err != nil {
		return nil, err
	}
	film, err := w.expose(ctx, &c, g)
	if err != nil {
		return nil, err
	}
	view.Picture, err = develop(ctx, film, c.width, c.height, key, seed)
	if err != nil {
		return nil, err
	}
	return view, nil
}
