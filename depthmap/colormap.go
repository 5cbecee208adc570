package depthmap

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Colormap is a named table of 256 RGB colours, from the smallest to the largest value.
type Colormap struct {
	Name   string
	Colors [256][3]byte
}

// Colormaps returns the names of the colormaps there are, the default first.
func Colormaps() []string {
	return []string{"viridis", "plasma", "magma", "turbo", "jet", "inferno", "gray"}
}

// Lookup returns a colormap by name. The error for an unknown name lists the known ones.
func Lookup(name string) (*Colormap, error) {
	table, ok := colormapTable(name)
	if !ok {
		return nil, fmt.Errorf("unknown colormap %q; expected one of %s", name, strings.Join(Colormaps(), ", "))
	}
	c := &Colormap{Name: name}
	raw, err := hex.DecodeString(strings.Join(strings.Fields(table), ""))
	if err != nil || len(raw) != 3*len(c.Colors) {
		panic(fmt.Sprintf("depthmap: table of %s has %d bytes: %v", name, len(raw), err)) // a test reads every table
	}
	for i := range c.Colors {
		c.Colors[i] = [3]byte(raw[3*i:])
	}
	return c, nil
}

func colormapTable(name string) (table string, ok bool) {
	switch name {
	case "viridis":
		return viridis, true
	case "plasma":
		return plasma, true
	case "magma":
		return magma, true
	case "turbo":
		return turbo, true
	case "jet":
		return jet, true
	case "inferno":
		return inferno, true
	case "gray":
		return gray, true
	}
	return "", false
}

// index is the entry for a normalised value: floor(v*256), clipped, as Matplotlib computes it. Written so that NaN is 0.
func index(v float32) byte {
	if !(v > 0) {
		return 0
	}
	return byte(min(int(min(v, 1)*256), 255))
}

// ColorRGB returns the map as Height rows of Width RGB pixels, three bytes each: the values are normalised to 0..1 (in
// float32, see Normalized) and looked up in the colormap. A constant map has the first colour everywhere.
func (m *Map) ColorRGB(c *Colormap) []byte {
	pix := make([]byte, 3*len(m.Values))
	colorRow(pix, m.Values, m.Scale(), c)
	return pix
}

func colorRow(dst []byte, values []float32, s Scale, c *Colormap) {
	for i, v := range values {
		rgb := &c.Colors[index(s.of(v))]
		pixel := dst[3*i : 3*i+3 : 3*i+3]
		pixel[0], pixel[1], pixel[2] = rgb[0], rgb[1], rgb[2]
	}
}
