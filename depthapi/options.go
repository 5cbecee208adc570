package depthapi

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/depthmap"
	"hailo-depth/representation"
	"hailo-depth/tensor"
)

// The output formats.
const (
	formatNumpy  = "numpy"
	formatImage  = "image"
	formatBoth   = "both"
	formatGray16 = "depth_png_16"
)

// Formats lists the values of output_format.
func Formats() []string { return []string{formatNumpy, formatImage, formatBoth, formatGray16} }

// options are what a request can choose.
type options struct {
	normalize, orient bool
	colormap          string
	format            string
	representation    string
	within            representation.Range
	scale             depthmap.Scale
	// explain adds what the numbers mean to the JSON answer: for requests that
	// state a representation, and where the configuration has another than raw.
	// Answers to earlier clients keep exactly the members that they always had.
	explain bool
}

func (a *API) defaults() options {
	s := a.Settings
	name := cmp.Or(s.Representation, string(representation.Raw))
	return options{
		normalize: s.Normalize, orient: s.Orient, colormap: s.Colormap, format: s.Format,
		representation: name, explain: name != string(representation.Raw),
	}
}

// setText takes a form's field; an empty one leaves the default.
func (o *options) setText(name, text string) error {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	switch name {
	case "colormap":
		o.colormap = text
	case "output_format":
		o.format = text
	case "representation":
		o.representation, o.explain = text, true
	case "range":
		var err error
		if o.scale, err = depthmap.ParseScale(text); err != nil {
			return invalid("range: " + err.Error())
		}
	case "depth_range":
		var err error
		o.within, err = representation.ParseRange(text)
		return err
	default:
		var value bool
		switch strings.ToLower(text) {
		case "true", "1", "yes", "on":
			value = true
		case "false", "0", "no", "off":
		default:
			return invalid(fmt.Sprintf("%s: %q is not a boolean; expected true or false", name, clip(text)))
		}
		if name == "orient" {
			o.orient = value
		} else {
			o.normalize = value
		}
	}
	return nil
}

// setBool takes a JSON boolean; null or nothing leaves the default.
func (o *options) setBool(name string, raw jsontext.Value, into *bool) error {
	switch {
	case raw == nil || raw.Kind() == 'n':
		return nil
	case raw.Kind() != 't' && raw.Kind() != 'f':
		return invalid(fmt.Sprintf("%s must be true or false, got %s", name, tensor.KindName(raw)))
	}
	*into = raw.Kind() == 't'
	return nil
}

func (o *options) setString(name string, raw jsontext.Value) error {
	if raw == nil || raw.Kind() == 'n' {
		return nil
	}
	var text string
	if raw.Kind() != '"' || json.Unmarshal(raw, &text, lenientUTF8()) != nil {
		return invalid(fmt.Sprintf("%s must be a string, got %s", name, tensor.KindName(raw)))
	}
	return o.setText(name, text)
}

// setPair takes a JSON array of two numbers.
func (o *options) setPair(name string, raw jsontext.Value) error {
	if raw == nil || raw.Kind() == 'n' {
		return nil
	}
	var r []float64
	if raw.Kind() != '[' || json.Unmarshal(raw, &r) != nil || len(r) != 2 {
		return invalid(fmt.Sprintf("%s must be an array of two numbers, as [0.5, 10]; got %s", name, tensor.KindName(raw)))
	}
	return o.setText(name, fmt.Sprintf("%v,%v", r[0], r[1]))
}

// check finds the colormap and refuses unknown values.
func (o *options) check() (*depthmap.Colormap, error) {
	colormap, err := depthmap.Lookup(o.colormap)
	if err != nil {
		err = invalid("colormap: " + err.Error())
	}
	if !slices.Contains(Formats(), o.format) {
		err = errors.Join(err, invalid(fmt.Sprintf("output_format: %q is unknown; expected one of %s", clip(o.format), strings.Join(Formats(), ", "))))
	}
	if _, unknown := representation.Parse(o.representation); unknown != nil {
		err = errors.Join(err, unknown)
	}
	return colormap, err
}

func clip(s string) string {
	const most = 64
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
