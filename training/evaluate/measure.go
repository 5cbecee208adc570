package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"hailo-depth/accuracy"
)

// evaluation is what every network is measured on, and what is kept of it.
type evaluation struct {
	scenes, photographs, rendered []subject
	out                           io.Writer
	each                          bool
	shown                         map[string][]shown // by network
	rated                         []rated            // of the student
}

// row measures a network and writes its line of the table.
func (e *evaluation) row(ctx context.Context, table io.Writer, name string, p predict) error {
	onScenes, err := e.measure(ctx, name, e.scenes, p)
	if err != nil {
		return err
	}
	onPhotographs, err := e.measure(ctx, name, e.photographs, p)
	if err != nil {
		return err
	}
	onRendered, err := e.measure(ctx, name, e.rendered, p)
	if err != nil {
		return err
	}
	shifted, lit, err := e.stability(ctx, p)
	if err != nil {
		return err
	}
	took := (onScenes.took + onPhotographs.took).Seconds() * 1000 / (onScenes.pictures + onPhotographs.pictures)
	_, err = fmt.Fprintf(table, "%s\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%.1f %%\t%.1f %%\t%.1f\n", name,
		onScenes.absRel/onScenes.absolute, onScenes.delta/onScenes.absolute, onScenes.rmse/onScenes.absolute, onScenes.order/onScenes.pictures,
		onPhotographs.aligned/onPhotographs.pictures, onPhotographs.order/onPhotographs.pictures,
		onRendered.absRel/onRendered.absolute, onRendered.order/onRendered.pictures, 100*shifted, 100*lit, took)
	return err
}

func (e *evaluation) measure(ctx context.Context, name string, subjects []subject, p predict) (sums, error) {
	var s sums
	for _, it := range subjects {
		values, took, err := p(ctx, it.file, it.truth.Width, it.truth.Height)
		if err != nil {
			return s, fmt.Errorf("%s: %w", it.id, err)
		}
		r, err := accuracy.Compare(values, it.truth)
		if err != nil {
			return s, fmt.Errorf("%s: %w", it.id, err)
		}
		s.add(r, took)
		if it.id == renderedID {
			if name == student {
				e.rated = append(e.rated, rated{it, values, r.PairOrder})
			}
			continue
		}
		e.keep(name, it, values)
		if e.each {
			fmt.Fprintf(e.out, "%s of %s: AbsRel %.3f, delta %.3f, pair order %.3f, error %.3f\n", it.id, name, r.AbsRel, r.Delta125, r.PairOrder, r.AlignedError)
		}
	}
	return s, nil
}

// sums are means in the making: over all pictures, or over those whose true
// depth is known up to scale alone.
type sums struct {
	absRel, delta, rmse, order, aligned float64
	took                                time.Duration
	pictures, absolute                  float64
}

func (s *sums) add(r accuracy.Report, took time.Duration) {
	s.pictures++
	s.order += r.PairOrder
	s.aligned += r.AlignedError
	s.took += took
	if !math.IsNaN(r.AbsRel) { // the truth's zero is absolute
		s.absolute++
		s.absRel += r.AbsRel
		s.delta += r.Delta125
		s.rmse += r.RMSE
	}
}
