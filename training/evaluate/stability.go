package main

import (
	"context"
	"fmt"

	"hailo-depth/accuracy"
	"hailo-depth/picture"
)

// brighter is the change of light that should change nothing.
const brighter = 1.05

// stability tells how far the map of a photograph moves, as a part of its
// range, when the picture is shifted by a pixel or gets a little lighter;
// means over the photographs, after the best scale and shift.
func (e *evaluation) stability(ctx context.Context, p predict) (shifted, lit float64, err error) {
	for _, s := range e.photographs {
		original, err := picture.Decode(s.file, picture.Options{})
		if err != nil {
			return 0, 0, err
		}
		left, right := cropped(original, 0), cropped(original, 1)
		base, err := mapOf(ctx, p, left)
		if err != nil {
			return 0, 0, err
		}
		beside, err := mapOf(ctx, p, right)
		if err != nil {
			return 0, 0, err
		}
		light, err := mapOf(ctx, p, lighter(left))
		if err != nil {
			return 0, 0, err
		}
		// Column x of the right cut is column x+1 of the left one.
		moved, err := movement(columns(base, left.Width, 1), columns(beside, left.Width, 0), left.Width-1, left.Height)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", s.id, err)
		}
		changed, err := movement(base, light, left.Width, left.Height)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", s.id, err)
		}
		shifted += moved / float64(len(e.photographs))
		lit += changed / float64(len(e.photographs))
	}
	return shifted, lit, nil
}

func movement(from, to []float32, width, height int) (float64, error) {
	r, err := accuracy.Compare(to, accuracy.Truth{Width: width, Height: height, InverseDepth: from})
	return r.AlignedError, err
}

// cropped is a picture without its last column, moved right by from (0 or 1).
func cropped(p *picture.RGB, from int) *picture.RGB {
	c := &picture.RGB{Width: p.Width - 1, Height: p.Height}
	for y := range p.Height {
		c.Pix = append(c.Pix, p.Pix[3*(y*p.Width+from):][:3*c.Width]...)
	}
	return c
}

func lighter(p *picture.RGB) *picture.RGB {
	c := &picture.RGB{Width: p.Width, Height: p.Height, Pix: make([]byte, len(p.Pix))}
	for i, v := range p.Pix {
		c.Pix[i] = byte(min(255, float64(v)*brighter+0.5))
	}
	return c
}

// columns leaves out one column of a map: the first (skip 1) or the last (skip 0).
func columns(values []float32, width, skip int) []float32 {
	var kept []float32
	for row := 0; row < len(values); row += width {
		kept = append(kept, values[row+skip:][:width-1]...)
	}
	return kept
}

func mapOf(ctx context.Context, p predict, pic *picture.RGB) ([]float32, error) {
	file, err := encode(pic)
	if err != nil {
		return nil, err
	}
	values, _, err := p(ctx, file, pic.Width, pic.Height)
	return values, err
}
