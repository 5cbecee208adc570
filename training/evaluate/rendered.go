package main

import (
	"cmp"
	"context"
	"slices"

	"hailo-depth/accuracy"
	"hailo-depth/picture"
	"hailo-depth/scene"
)

// renderedCount is how many scenes are rendered to measure on; training uses
// other seeds (training/scenes).
const (
	renderedCount = 48
	renderedID    = "rendered"
)

// rendered makes pictures whose depth is exact, which also may be shown.
func rendered(ctx context.Context) ([]subject, error) {
	var all []subject
	for seed := range uint64(renderedCount) {
		view, err := scene.Roam(ctx, seed, 320, 256)
		if err != nil {
			return nil, err
		}
		file, err := encode(&picture.RGB{Width: view.Width, Height: view.Height, Pix: view.Picture})
		if err != nil {
			return nil, err
		}
		all = append(all, subject{id: renderedID, file: file, truth: accuracy.FromDepth(view.Width, view.Height, view.Depth)})
	}
	return all, nil
}

const failuresShown = 9

// failures are the rendered pictures whose order the student sees worst, each
// with its true map and the student's.
func (e *evaluation) failures() []triple {
	worst := slices.Clone(e.rated)
	slices.SortStableFunc(worst, func(a, b rated) int { return cmp.Compare(a.order, b.order) })
	var all []triple
	for _, r := range worst[:min(len(worst), failuresShown)] {
		all = append(all, triple{r.subject, [2][]float32{r.subject.truth.InverseDepth, r.values}})
	}
	return all
}

// rated is a map of a rendered picture and how good it is.
type rated struct {
	subject subject
	values  []float32
	order   float64
}
