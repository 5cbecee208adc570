package picture

import (
	"fmt"
	"image"
	"path/filepath"
	"testing"
)

func TestResizeEqualsPillow(t *testing.T) {
	source := readRGB(t, "testdata/resize/source_29x21.png")
	for _, size := range []image.Point{{1, 1}, {29, 7}, {11, 21}, {28, 20}, {30, 22}, {5, 3}, {64, 13}, {97, 61}} {
		want := readRGB(t, filepath.Join("testdata/resize", fmt.Sprintf("%dx%d.png", size.X, size.Y)))
		t.Run(size.String(), func(t *testing.T) {
			comparePictures(t, source.Resize(size.X, size.Y), want, 0)
		})
	}
}

var resizeSizes = []image.Point{{1, 1}, {1, 40}, {2, 3}, {17, 13}, {40, 1}, {64, 64}, {320, 256}, {700, 1}}

func TestResizeOfAConstantIsConstant(t *testing.T) {
	for _, from := range resizeSizes {
		p := newRGB(from.X, from.Y)
		p.fill([3]byte{255, 128, 1})
		for _, to := range resizeSizes {
			want := newRGB(to.X, to.Y)
			want.fill([3]byte{255, 128, 1})
			comparePictures(t, p.Resize(to.X, to.Y), want, 0)
		}
	}
}

func TestResizeToTheSameSizeIsACopy(t *testing.T) {
	p := noise(31, 17)
	q := p.Resize(31, 17)
	comparePictures(t, q, p, 0)
	q.Pix[0]++
	if p.Pix[0] == q.Pix[0] {
		t.Error("the copy shares memory with the picture")
	}
}

func TestResizeStaysWithinTheRange(t *testing.T) {
	for _, from := range resizeSizes {
		p := noise(from.X, from.Y)
		for i, v := range p.Pix {
			p.Pix[i] = 40 + v%100
		}
		lowest, highest := extremes(p)
		for _, to := range resizeSizes {
			if l, h := extremes(p.Resize(to.X, to.Y)); l < lowest || h > highest {
				t.Errorf("%v to %v: %d..%d became %d..%d", from, to, lowest, highest, l, h)
			}
		}
	}
}

func extremes(p *RGB) (lowest, highest byte) {
	lowest = 255
	for _, v := range p.Pix {
		lowest, highest = min(lowest, v), max(highest, v)
	}
	return lowest, highest
}
