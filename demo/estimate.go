package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"hailo-depth/accuracy"
	"hailo-depth/depthmap"
	"hailo-depth/internal/npz"
	"hailo-depth/internal/stack"
	"hailo-depth/picture"
)

// answer is what the service answers with output_format both and
// output.depth_png_16 on.
type answer struct {
	Model      string  `json:"model"`
	Elapsed    float64 `json:"inference_time_ms"`
	DepthShape [2]int  `json:"depth_shape"`
	Stats      struct {
		Min float64 `json:"min"`
		P95 float64 `json:"p95"`
	} `json:"stats"`
	DepthMap   []byte `json:"depth_map"`
	DepthImage []byte `json:"depth_image"`
	DepthPNG16 []byte `json:"depth_png_16"`

	timing, values string // of the headers Server-Timing and Depth-Values
}

func (d *demo) estimate(ctx context.Context, s *stack.Stack, p *subject) error {
	began := time.Now()
	a, err := post(ctx, s.URL, p.file)
	if err != nil {
		return err
	}
	d.step(began, "first estimate by %s: %s", a.Model, a.timing)
	began = time.Now()
	if a, err = post(ctx, s.URL, p.file); err != nil {
		return err
	}
	d.step(began, "second estimate:             %s", a.timing)
	fmt.Fprintf(d.stdout, "             values: %s, from %.4g to %.4g (95th percentile)\n", a.values, a.Stats.Min, a.Stats.P95)
	members, err := npz.Read(a.DepthMap)
	if err != nil {
		return fmt.Errorf("the answer's depth_map: %w", err)
	}
	m := &depthmap.Map{Width: a.DepthShape[1], Height: a.DepthShape[0], Values: members["depth"].Float32s()}
	if len(m.Values) != m.Width*m.Height || m.Width != p.rgb.Width || m.Height != p.rgb.Height {
		return fmt.Errorf("the answer's map of %v values is not %dx%d", len(m.Values), p.rgb.Width, p.rgb.Height)
	}
	if err := d.writeAll(a, m, p); err != nil {
		return err
	}
	if p.truth == nil {
		return nil
	}
	return d.compare(m, p)
}

func (d *demo) writeAll(a *answer, m *depthmap.Map, p *subject) error {
	if err := d.write("depth.png", "depth in colours (viridis, yellow is near)", a.DepthImage); err != nil {
		return err
	}
	if err := d.write("depth.npz", `the values as float32: numpy.load("depth.npz")["depth"]`, a.DepthMap); err != nil {
		return err
	}
	if err := d.write("depth16.png", "the values as 16-bit grey, from the smallest to the largest", a.DepthPNG16); err != nil {
		return err
	}
	colours, err := depthmap.Lookup("viridis")
	if err != nil {
		return err
	}
	shown := []*picture.RGB{p.rgb, coloured(m, colours)}
	about := "picture and depth"
	if p.truth != nil {
		truth := accuracy.FromDepth(m.Width, m.Height, p.truth)
		shown = append(shown, coloured(&depthmap.Map{Width: m.Width, Height: m.Height, Values: truth.InverseDepth}, colours))
		about = "picture, estimated and true inverse depth"
	}
	file, err := encode(beside(shown...))
	if err != nil {
		return err
	}
	return d.write("side-by-side.png", about, file)
}

func coloured(m *depthmap.Map, c *depthmap.Colormap) *picture.RGB {
	return &picture.RGB{Width: m.Width, Height: m.Height, Pix: m.ColorRGB(c)}
}

// compare prints how far off the network is, beside what one gets without a
// network: the ramp that says that lower is nearer.
func (d *demo) compare(m *depthmap.Map, p *subject) error {
	truth := accuracy.FromDepth(m.Width, m.Height, p.truth)
	fmt.Fprintf(d.stdout, "\nAgainst the true depth, after the best scale and shift of inverse depth:\n")
	fmt.Fprintf(d.stdout, "  %-22s %22s %22s %18s\n", "", "mean error of depth", "within a factor 1.25", "order of pairs")
	for _, row := range []struct {
		name   string
		values []float32
	}{{"this network", m.Values}, {"a ramp, no network", accuracy.Ramp(m.Width, m.Height)}} {
		r, err := accuracy.Compare(row.values, truth)
		if err != nil {
			return err
		}
		fmt.Fprintf(d.stdout, "  %-22s %20.1f %% %20.1f %% %16.1f %%\n", row.name, 100*r.AbsRel, 100*r.Delta125, 100*r.PairOrder)
	}
	return nil
}

func post(ctx context.Context, url string, file []byte) (*answer, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("image", "picture")
	if err != nil {
		return nil, err
	}
	if _, err := part.Write(file); err != nil {
		return nil, err
	}
	for name, value := range map[string]string{"normalize": "false", "orient": "true", "output_format": "both"} {
		if err := form.WriteField(name, value); err != nil {
			return nil, err
		}
	}
	if err := form.Close(); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/depth/estimate", &body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(response.Body)
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the service answered %s: %.500s", response.Status, text)
	}
	a := &answer{timing: response.Header.Get("Server-Timing"), values: response.Header.Get("Depth-Values")}
	return a, json.Unmarshal(text, a)
}
