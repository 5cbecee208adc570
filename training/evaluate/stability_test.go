package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"hailo-depth/accuracy"
	"hailo-depth/picture"
)

// brightness is a network whose map is the red channel: it follows a shift
// exactly and light up to a scale.
func brightness(_ context.Context, file []byte, _, _ int) ([]float32, time.Duration, error) {
	p, err := picture.Decode(file, picture.Options{})
	if err != nil {
		return nil, 0, err
	}
	var values []float32
	for i := 0; i < len(p.Pix); i += 3 {
		values = append(values, float32(p.Pix[i]))
	}
	return values, 0, nil
}

// columnNumber is one whose map stays where it is when the picture moves.
func columnNumber(_ context.Context, _ []byte, width, height int) ([]float32, time.Duration, error) {
	values := accuracy.Ramp(width, height)
	for i := range values {
		values[i] = float32(i % width % 5)
	}
	return values, 0, nil
}

func TestStability(t *testing.T) {
	p := &picture.RGB{Width: 20, Height: 10}
	for i := range 3 * 200 {
		p.Pix = append(p.Pix, byte(i*i/7%150))
	}
	var file []byte
	capture := func(_ context.Context, f []byte, _, _ int) ([]float32, time.Duration, error) {
		file = slices.Clone(f)
		return nil, 0, nil
	}
	if _, err := mapOf(t.Context(), capture, p); err != nil {
		t.Fatal(err)
	}
	e := evaluation{photographs: []subject{{id: "p", file: file}}}
	shifted, lit, err := e.stability(t.Context(), brightness)
	if err != nil || shifted > 1e-6 || lit > 0.005 {
		t.Errorf("a network that follows: moved %v by a pixel, %v by light, %v", shifted, lit, err)
	}
	shifted, lit, err = e.stability(t.Context(), columnNumber)
	if err != nil || shifted < 0.1 || lit != 0 {
		t.Errorf("a network that does not look: moved %v by a pixel, %v by light, %v", shifted, lit, err)
	}
	wrong := func(context.Context, []byte, int, int) ([]float32, time.Duration, error) {
		return nil, 0, fmt.Errorf("no")
	}
	if _, _, err := e.stability(t.Context(), wrong); err == nil {
		t.Error("an error was lost")
	}
}
