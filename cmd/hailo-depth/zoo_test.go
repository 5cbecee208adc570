package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hailo-depth/internal/npz"
	"hailo-depth/internal/stack"
)

// zooNetwork is a network of the Hailo Model Zoo: its size, and what each
// representation makes of a number that it gives. The simulated device gives the
// luma of each pixel, 0 to 10, for a file that states these shapes.
type zooNetwork struct {
	name          string
	width, height int
	values        map[string]string // of the header Depth-Values, by representation
	formula       map[string]func(x, low, high float64) float64
}

func same(x, _, _ float64) float64 { return x }

func sigmoid(x float64) float64 { return 10/(1+math.Exp(-x)) + 0.009 }

func zoo() []zooNetwork {
	anything := func(name string) zooNetwork {
		return zooNetwork{
			name, 224, 224,
			map[string]string{
				"raw":       "disparity; near=large; unit=relative; scale=unknown; shift=unknown",
				"disparity": "disparity; near=large; unit=relative; scale=unknown; shift=unknown",
				"depth":     "depth; near=small; unit=metre; scale=known; shift=known; depth-range=0.5,20",
			},
			map[string]func(x, low, high float64) float64{
				"raw": same, "disparity": same,
				"depth": func(x, low, high float64) float64 { return 1 / (1./20 + (x-low)/(high-low)*(1/0.5-1./20)) },
			},
		}
	}
	return []zooNetwork{
		{
			"scdepthv3", 320, 256,
			map[string]string{
				"raw":       "logit; near=large; unit=relative; scale=unknown; shift=unknown",
				"disparity": "disparity; near=large; unit=relative; scale=unknown; shift=known",
				"depth":     "depth; near=small; unit=relative; scale=unknown; shift=known",
			},
			map[string]func(x, low, high float64) float64{
				"raw":       same,
				"disparity": func(x, _, _ float64) float64 { return sigmoid(x) },
				"depth":     func(x, _, _ float64) float64 { return 1 / sigmoid(x) },
			},
		},
		{
			"fast_depth", 224, 224,
			map[string]string{
				"raw":       "depth; near=small; unit=metre; scale=known; shift=known",
				"disparity": "disparity; near=large; unit=1/metre; scale=known; shift=known",
				"depth":     "depth; near=small; unit=metre; scale=known; shift=known",
			},
			map[string]func(x, low, high float64) float64{
				"raw": same, "depth": same,
				"disparity": func(x, _, _ float64) float64 { return 1 / x },
			},
		},
		anything("depth_anything_vits"),
		anything("depth_anything_v2_vits"),
	}
}

// hef is a file that the simulated device takes for the network.
func (z zooNetwork) hef() []byte {
	return fmt.Appendf(nil, `{"fake_hef": 1, "inputs": [{"name": "%s/input_layer1", "shape": [%d,%d,3]}], "outputs": [{"name": "%s/out", "shape": [%d,%d,1]}]}`+"\n",
		z.name, z.height, z.width, z.name, z.height, z.width)
}

// picture has the network's size, so that nothing is resized, and no black: luma
// is what the network gives.
func (z zooNetwork) picture(t *testing.T) (file []byte, luma []float64) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 8))
	img := image.NewNRGBA(image.Rect(0, 0, z.width, z.height))
	for y := range z.height {
		for x := range z.width {
			c := color.NRGBA{R: uint8(1 + r.IntN(255)), G: uint8(r.IntN(256)), B: uint8(r.IntN(256)), A: 255}
			img.SetNRGBA(x, y, c)
			luma = append(luma, float64(float32((0.299*float64(c.R)+0.587*float64(c.G)+0.114*float64(c.B))/255*10)))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), luma
}

// Any of the zoo's networks works by its name alone, through both daemons and a
// worker process, and each representation holds the numbers of its formula.
func TestZooNetworks(t *testing.T) {
	models := t.TempDir()
	for _, z := range zoo() {
		write(t, filepath.Join(models, z.name+".hef"), z.hef())
	}
	for _, z := range zoo() {
		t.Run(z.name, func(t *testing.T) {
			s, err := stack.Start(t.Context(), stack.Config{Bin: bin, Logs: t.TempDir(), Backend: "sim", ModelDir: models, Depth: "model: {name: " + z.name + "}\n"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Stop(); err != nil {
					t.Error(err)
				}
			})
			file, luma := z.picture(t)
			for representation, formula := range z.formula {
				fields := map[string]string{"representation": representation, "normalize": "false"}
				if strings.Contains(z.values[representation], "depth-range") {
					fields["depth_range"] = "0.5,20"
				}
				header, body := estimateForm(t, s.URL, file, fields)
				if header.Get("Depth-Values") != z.values[representation] || header.Get("Depth-Model") != z.name {
					t.Errorf("%s: Depth-Values %q of %q", representation, header.Get("Depth-Values"), header.Get("Depth-Model"))
				}
				z.compare(t, representation, body, formula, luma)
			}
		})
	}
}

func (z zooNetwork) compare(t *testing.T, representation string, archive []byte, formula func(x, low, high float64) float64, luma []float64) {
	t.Helper()
	members, err := npz.Read(archive)
	if err != nil {
		t.Fatal(err)
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range luma {
		low, high = min(low, v), max(high, v)
	}
	values := members["depth"].Float32s()
	if len(values) != len(luma) {
		t.Fatalf("%s: %d values of %d", representation, len(values), len(luma))
	}
	for i, x := range luma {
		if want := formula(x, low, high); math.Abs(float64(values[i])-want) > 1e-6*want {
			t.Fatalf("%s: value %d is %v, want %v of %v", representation, i, values[i], want, x)
		}
	}
	var about struct {
		Representation, Model, Licence string
		Range                          [2]float64
	}
	if err := json.Unmarshal(members["about"].Data, &about); err != nil || about.Representation != representation || about.Model != z.name || about.Licence == "" {
		t.Errorf("%s: the archive says %+v, %v", representation, about, err)
	}
}

// estimateForm posts a form and returns the NumPy archive.
func estimateForm(t *testing.T, url string, file []byte, fields map[string]string) (http.Header, []byte) {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("image", "x.png")
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/depth/estimate", &form)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Accept", "application/x-npz")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v: %.300s", response.StatusCode, err, body)
	}
	return response.Header, body
}

// The command line makes the same numbers, says what they mean, and refuses what
// a network cannot give.
func TestEstimateRepresentation(t *testing.T) {
	z := zoo()[0]
	out := t.TempDir()
	write(t, filepath.Join(out, "scdepthv3.hef"), z.hef())
	write(t, filepath.Join(out, "depth_anything_v2_vits.hef"), zoo()[3].hef())
	file, luma := z.picture(t)
	picture := write(t, filepath.Join(out, "p.png"), file)
	standalone := []string{"estimate", "--standalone", "--backend", "sim", "--model-dir", out, "--out", out, "--npz", "--json"}
	r := run(t, nil, append(standalone, "--representation", "depth", "--priority", "9", "--timeout", "50s", picture)...)
	var said struct {
		Meaning, Near string
		Values        struct {
			Representation string
			ShiftKnown     bool `json:"shift_known"`
		}
	}
	if r.code != 0 || json.Unmarshal([]byte(r.stdout), &said) != nil || said.Meaning != "depth" || said.Near != "small" ||
		said.Values.Representation != "depth" || !said.Values.ShiftKnown {
		t.Fatalf("%+v", r)
	}
	archive, err := os.ReadFile(filepath.Join(out, "p.depth.npz"))
	if err != nil {
		t.Fatal(err)
	}
	z.compare(t, "depth", archive, z.formula["depth"], luma)

	anything := append(standalone, "--model", "depth_anything_v2_vits", "--representation", "depth")
	if r := run(t, nil, append(anything, picture)...); r.code != 1 || !strings.Contains(r.stdout, "depth_range=NEAR,FAR") {
		t.Errorf("without what it takes: %+v", r)
	}
	if r := run(t, nil, append(anything, "--depth-range", "0.5,20", picture)...); r.code != 0 || !strings.Contains(r.stdout, `"depth_range":[0.5,20]`) {
		t.Errorf("with it: %+v", r)
	}
}
