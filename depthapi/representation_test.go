package depthapi_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hailo-depth/depthmap"
	"hailo-depth/fetch"
	"hailo-depth/internal/npz"
	"hailo-depth/picture"
)

// values is what an answer says of its numbers.
type values struct {
	Representation, Kind, Unit, Near, Model, Licence string

	ScaleKnown bool `json:"scale_known"`
	ShiftKnown bool `json:"shift_known"`
	Normalized bool
	Range      [2]float64
	DepthRange []float64 `json:"depth_range"`
}

// answered is the JSON answer.
type answered struct {
	Stats      depthmap.Stats
	Values     *values
	DepthMap   []byte `json:"depth_map"`
	DepthPNG16 []byte `json:"depth_png_16"`
}

// colours is a PNG of random colours, none black.
func colours(t *testing.T, width, height int) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(1, uint64(width)))
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(1 + r.IntN(255))
	}
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (s service) ask(t *testing.T, r *http.Request) answered {
	t.Helper()
	status, _, body := s.post(t, r)
	var a answered
	if err := json.Unmarshal(body, &a); err != nil || status != http.StatusOK {
		t.Fatalf("status %d, %v: %.300s", status, err, body)
	}
	return a
}

func depthOf(t *testing.T, archive []byte) []float32 {
	t.Helper()
	members, err := npz.Read(archive)
	if err != nil {
		t.Fatal(err)
	}
	return members["depth"].Float32s()
}

// Of a picture of another size than the network's, the disparity is what was
// resized, and depth its reciprocal.
func TestRepresentationIsMadeAroundTheResize(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{})
	file := colours(t, 91, 67)
	p, err := picture.Decode(file, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	small := p.Resize(320, 256)
	m := &depthmap.Map{Width: 320, Height: 256}
	for i := range 320 * 256 {
		r, g, b := float64(small.Pix[3*i]), float64(small.Pix[3*i+1]), float64(small.Pix[3*i+2])
		x := float32(float64(float64(0.299*r)+float64(0.587*g)+float64(0.114*b)) / 255 * 10)
		m.Values = append(m.Values, float32(10/(1+math.Exp(-float64(x)))+0.009))
	}
	want := m.Resize(91, 67).Values
	for _, representation := range []string{"disparity", "depth"} {
		for name, request := range map[string]*http.Request{
			"form": form(t, file, map[string]string{"representation": representation, "normalize": "false", "output_format": "numpy"}),
			"JSON": jsonRequest(t, map[string]any{"image": file, "representation": representation, "normalize": false, "output_format": "numpy"}),
		} {
			a := s.ask(t, request)
			got := depthOf(t, a.DepthMap)
			for i := range want {
				w := float64(want[i])
				if representation == "depth" {
					w = 1 / w
				}
				if math.Abs(float64(got[i])-w) > 1e-6*w {
					t.Fatalf("%s, %s: value %d is %v, want %v", representation, name, i, got[i], w)
				}
			}
			low, high := slices.Min(got), slices.Max(got)
			if a.Values == nil || a.Values.Kind != representation || a.Values.Range != [2]float64{float64(low), float64(high)} || a.Stats.Max > float64(high) {
				t.Errorf("%s, %s: %+v, %+v", representation, name, a.Values, a.Stats)
			}
		}
	}
}

// Requests that name no representation get the numbers, and exactly the members,
// that they always got; those that name raw get the same numbers with their meaning.
func TestRawIsWhatThereAlwaysWas(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{})
	file := colours(t, 40, 30)
	old := s.ask(t, form(t, file, map[string]string{"output_format": "numpy"}))
	raw := s.ask(t, form(t, file, map[string]string{"output_format": "numpy", "representation": "raw"}))
	if old.Values != nil || !bytes.Equal(old.DepthMap, raw.DepthMap) || old.Stats != raw.Stats {
		t.Errorf("%+v and %+v", old.Values, raw.Values)
	}
	v := raw.Values
	if v == nil || v.Representation != "raw" || v.Kind != "logit" || v.Unit != "relative" || v.Near != "large" || v.ScaleKnown || v.ShiftKnown ||
		!v.Normalized || v.Model != "scdepthv3" || !strings.HasPrefix(v.Licence, "GPL-3.0") {
		t.Errorf("%+v", v)
	}
}

// The configuration's representation is what a request gets that names none.
func TestConfiguredRepresentation(t *testing.T) {
	c := settings()
	c.Representation = "depth"
	s := startReady(t, c, fetch.Rules{})
	file := colours(t, 12, 9)
	if a := s.ask(t, form(t, file, nil)); a.Values == nil || a.Values.Kind != "depth" || a.Values.Near != "small" {
		t.Errorf("%+v", a.Values)
	}
	if a := s.ask(t, form(t, file, map[string]string{"representation": "raw"})); a.Values == nil || a.Values.Kind != "logit" {
		t.Errorf("%+v", a.Values)
	}
}

func TestRepresentationRefusals(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{})
	file := colours(t, 4, 3)
	for want, request := range map[string]*http.Request{
		`representation: "metres" is unknown; expected one of raw, disparity, depth`: form(t, file, map[string]string{"representation": "metres"}),
		"representation must be a string, got":                                       jsonRequest(t, map[string]any{"image": file, "representation": 1}),
		`depth_range: "5" is not valid; expected`:                                    form(t, file, map[string]string{"representation": "depth", "depth_range": "5"}),
		"depth_range must be an array of two numbers":                                jsonRequest(t, map[string]any{"image": file, "representation": "depth", "depth_range": "1,2"}),
		`depth_range: "2,1" is not valid`:                                            jsonRequest(t, map[string]any{"image": file, "representation": "depth", "depth_range": []int{2, 1}}),
		"depth_range: raw needs none":                                                jsonRequest(t, map[string]any{"image": file, "depth_range": []int{1, 2}}),
		`range: "2,1" is not valid; expected two numbers`:                            form(t, file, map[string]string{"range": "2,1"}),
		"range must be an array of two numbers":                                      jsonRequest(t, map[string]any{"image": file, "range": []int{1, 2, 3}}),
	} {
		status, _, body := s.post(t, request)
		if kind, message := errorOf(t, body); status != http.StatusBadRequest || kind != "invalid_request" || !strings.HasPrefix(message, want) {
			t.Errorf("%d %s\n\twant %s", status, body, want)
		}
	}
	if s.estimator.LastError() != "" {
		t.Errorf("a caller's mistake is the service's last error: %s", s.estimator.LastError())
	}
}

// From the 16-bit PNG and what is written in it, or in the JSON around it, every
// value is recovered to half a step, normalised or not.
func TestValuesAreRecoveredFromThePNG(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{})
	file := colours(t, 91, 67)
	for _, representation := range []string{"raw", "disparity", "depth"} {
		fields := map[string]string{"representation": representation, "normalize": "false", "output_format": "numpy"}
		want := depthOf(t, s.ask(t, form(t, file, fields)).DepthMap)
		for _, normalize := range []string{"true", "false"} {
			fields["normalize"], fields["output_format"] = normalize, "depth_png_16"
			a := s.ask(t, form(t, file, fields))
			request := form(t, file, fields)
			request.Header.Set("Accept", "image/png")
			_, header, bare := s.post(t, request)
			samples, text := readGray16(t, bare)
			if again, _ := readGray16(t, a.DepthPNG16); !slices.Equal(again, samples) {
				t.Fatal("the two PNGs differ")
			}
			var written, told [2]float64
			_, err := fmt.Sscan(text["Depth range"], &written[0], &written[1])
			_, err2 := fmt.Sscan(header.Get("Depth-Range"), &told[0], &told[1])
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			if written != a.Values.Range || told != written {
				t.Errorf("the range is %v in the PNG, %v in the JSON, %v in the header", written, a.Values.Range, told)
			}
			var offset, step float64
			if _, err := fmt.Sscanf(text["Depth formula"], "value = %g + (sample + 0.5) * %g", &offset, &step); err != nil {
				t.Fatalf("%q: %v", text["Depth formula"], err)
			}
			if offset != written[0] || step != (written[1]-written[0])/65535 {
				t.Errorf("formula %q for %v", text["Depth formula"], written)
			}
			worst := 0.0
			for i, sample := range samples {
				worst = max(worst, math.Abs(offset+(float64(sample)+0.5)*step-float64(want[i]))/step)
			}
			if worst > 0.51 { // the service computes in float32, which has 24 bits for these 16
				t.Errorf("%s, normalize=%s: off by %.3f steps", representation, normalize, worst)
			}
			if text["Depth meaning"] != header.Get("Depth-Values") || !strings.HasPrefix(text["Depth model licence"], "GPL-3.0") || !strings.HasPrefix(header.Get("Depth-Licence"), "GPL-3.0") {
				t.Errorf("the PNG says %q, the header %q", text, header.Get("Depth-Values"))
			}
		}
	}
}

// With a range, the same value has the same colour, sample and normalised number
// in every picture, and what lies outside is cut off there and nowhere else.
func TestFixedRange(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{})
	grays, err := depthmap.Lookup("gray")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range [][]byte{colours(t, 320, 256), gray(t, 320, 256)} {
		values := depthOf(t, s.ask(t, form(t, file, map[string]string{"output_format": "numpy", "normalize": "false", "range": "2.5,7.5"})).DepthMap)
		if low, high := slices.Min(values), slices.Max(values); low >= 2.5 || high <= 7.5 {
			t.Fatalf("values from %v to %v: nothing to cut off, or it was", low, high)
		}
		a := s.ask(t, jsonRequest(t, map[string]any{"image": file, "output_format": "numpy", "representation": "raw", "range": []float64{2.5, 7.5}}))
		if a.Values.Range != [2]float64{2.5, 7.5} {
			t.Errorf("range %v", a.Values.Range)
		}
		shares := depthOf(t, a.DepthMap)
		samples, text := readGray16(t, s.ask(t, form(t, file, map[string]string{"output_format": "depth_png_16", "range": "2.5,7.5"})).DepthPNG16)
		if text["Depth range"] != "2.5 7.5" {
			t.Errorf("the PNG says %q", text["Depth range"])
		}
		request := form(t, file, map[string]string{"range": "2.5,7.5", "colormap": "gray"})
		request.Header.Set("Accept", "image/png")
		_, _, coloured := s.post(t, request)
		rgb := pngBytes(t, coloured)
		for i, v := range values {
			share := min(max((v-2.5)/5, 0), 1)
			if shares[i] != share || samples[i] != uint16(share*65535) || rgb[3*i] != grays.Colors[min(int(share*256), 255)][0] {
				t.Fatalf("%v is %v, %d, %d; want %v of each", v, shares[i], samples[i], rgb[3*i], share)
			}
		}
	}
}

// readGray16 returns a PNG's samples and its tEXt entries.
func readGray16(t *testing.T, raw []byte) ([]uint16, map[string]string) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil || img.ColorModel() != color.Gray16Model {
		t.Fatalf("%T, %v", img, err)
	}
	gray := img.(*image.Gray16)
	var samples []uint16
	for i := 0; i < len(gray.Pix); i += 2 {
		samples = append(samples, binary.BigEndian.Uint16(gray.Pix[i:]))
	}
	text := map[string]string{}
	for at := 8; at < len(raw); {
		length := int(binary.BigEndian.Uint32(raw[at:]))
		if body := raw[at+8 : at+8+length]; string(raw[at+4:at+8]) == "tEXt" {
			key, value, _ := strings.Cut(string(body), "\x00")
			text[key] = value
		}
		at += 12 + length
	}
	return samples, text
}

// The archive explains itself beside the array under its old name.
func TestArchiveExplainsItself(t *testing.T) {
	s := startReady(t, settings(), fetch.Rules{})
	a := s.ask(t, form(t, colours(t, 12, 9), map[string]string{"output_format": "numpy", "representation": "depth"}))
	members, err := npz.Read(a.DepthMap)
	if err != nil {
		t.Fatal(err)
	}
	if names := slices.Sorted(maps.Keys(members)); !slices.Equal(names, []string{"about", "depth"}) || len(members["about"].Shape) != 0 {
		t.Errorf("members %v, about has shape %v", names, members["about"].Shape)
	}
	var about values
	if err := json.Unmarshal(members["about"].Data, &about); err != nil || fmt.Sprint(about) != fmt.Sprint(*a.Values) {
		t.Errorf("%v: %+v, want %+v", err, about, a.Values)
	}
	if got := members["depth"]; got.DType != "<f4" || !slices.Equal(got.Shape, []int{9, 12}) {
		t.Errorf("depth is %s %v", got.DType, got.Shape)
	}
}

// /v1/info says beforehand what the model's numbers are and can become.
func TestInfoSaysWhatCanBeAskedFor(t *testing.T) {
	for model, want := range map[string]string{
		"scdepthv3":              `"output":{"meaning":"logit","near":"large","unit":"relative","invariance":"scale","representations":["raw","disparity","depth"]}`,
		"fast_depth":             `"output":{"meaning":"depth","near":"small","unit":"metre","representations":["raw","disparity","depth"]}`,
		"depth_anything_v2_vits": `"output":{"meaning":"disparity","near":"large","unit":"relative","invariance":"affine","representations":["raw","disparity"]}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, model+".hef"), []byte("simulated"), 0o644); err != nil {
			t.Fatal(err)
		}
		s := startReadyModel(t, dir, model)
		if _, _, body := s.post(t, newRequest(t, http.MethodGet, "/v1/info", nil)); !bytes.Contains(body, []byte(want)) {
			t.Errorf("%s: %s\n\twant %s", model, body, want)
		}
	}
}
