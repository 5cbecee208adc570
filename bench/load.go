package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hailo-depth/scene"
)

// subjects are the rendered room as a camera would send it, 640x480 and, six
// and a quarter times as large, as a telephone would.
func subjects(ctx context.Context) (picture, photo []byte, err error) {
	view, err := scene.Room(ctx, 7, 640, 480)
	if err != nil {
		return nil, nil, err
	}
	if picture, err = jpegOf(view, 640, 480); err != nil {
		return nil, nil, err
	}
	photo, err = jpegOf(view, 4000, 3000)
	return picture, photo, err
}

// jpegOf is a view at a size, each pixel being that of the view which is nearest.
func jpegOf(view *scene.View, width, height int) ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		from := i/width*view.Height/height*view.Width + i%width*view.Width/width
		copy(img.Pix[4*i:], view.Picture[3*from:3*from+3])
		img.Pix[4*i+3] = 255
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90})
	return b.Bytes(), err
}

// answerForm is one way of asking for the result.
type answerForm struct{ name, format, accept string }

func forms() []answerForm {
	return []answerForm{
		{"json numpy", "numpy", ""},
		{"json image", "image", ""},
		{"json both", "both", ""},
		{"json depth_png_16", "depth_png_16", ""},
		{"image/png", "image", "image/png"},
		{"application/x-npz", "numpy", "application/x-npz"},
	}
}

// round is the result of one line of the table.
type round struct {
	rate, p50, p99, health99 float64
	cpu                      [3]float64 // milliseconds a picture
	bytes                    int
	stages                   map[string]float64
}

// load keeps so many clients asking for the measuring time.
func (b *bench) load(ctx context.Context, url string, f answerForm, picture []byte, clients int, processes [3]process) (round, error) {
	body, contentType, err := formBody(f, picture)
	if err != nil {
		return round{}, err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients + 1}}
	defer client.CloseIdleConnections()
	one := func() (sample, error) { return ask(ctx, client, url, f, body, contentType) }
	for range 3 { // warm
		if _, err := one(); err != nil {
			return round{}, err
		}
	}
	var before [3]float64
	for i, p := range processes {
		before[i] = p.cpu()
	}
	began := time.Now()
	samples, health, err := b.clients(ctx, client, url, clients, one)
	if err != nil {
		return round{}, err
	}
	elapsed := time.Since(began).Seconds()
	r := summarise(samples, health, elapsed)
	for i, p := range processes {
		r.cpu[i] = 1000 * (p.cpu() - before[i]) / float64(len(samples))
	}
	return r, nil
}

// clients runs the clients, and beside them one that asks for /health.
func (b *bench) clients(ctx context.Context, client *http.Client, url string, n int, one func() (sample, error)) ([]sample, []float64, error) {
	end := time.Now().Add(b.measure)
	var mu sync.Mutex
	var all []sample
	var failure error
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			for time.Now().Before(end) {
				s, err := one()
				mu.Lock()
				if err != nil {
					failure = err
				} else {
					all = append(all, s)
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	var health []float64
	for failure == nil && time.Now().Before(end) {
		began := time.Now()
		if err := get(ctx, client, url+"/health"); err != nil {
			mu.Lock()
			failure = err
			mu.Unlock()
			break
		}
		health = append(health, ms(time.Since(began)))
		time.Sleep(20 * time.Millisecond)
	}
	group.Wait()
	return all, health, failure
}

func formBody(f answerForm, picture []byte) ([]byte, string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("image", "picture.jpg")
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(picture); err != nil {
		return nil, "", err
	}
	if err := form.WriteField("output_format", f.format); err != nil {
		return nil, "", err
	}
	err = form.Close()
	return body.Bytes(), form.FormDataContentType(), err
}

// sample is one answer.
type sample struct {
	ms     float64
	bytes  int
	timing string
}

func ask(ctx context.Context, client *http.Client, url string, f answerForm, body []byte, contentType string) (sample, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/depth/estimate", bytes.NewReader(body))
	if err != nil {
		return sample{}, err
	}
	r.Header.Set("Content-Type", contentType)
	if f.accept != "" {
		r.Header.Set("Accept", f.accept)
	}
	began := time.Now()
	n, response, err := do(client, r)
	if err != nil {
		return sample{}, err
	}
	return sample{ms(time.Since(began)), n, response.Header.Get("Server-Timing")}, nil
}

func get(ctx context.Context, client *http.Client, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	_, _, err = do(client, r)
	return err
}

func do(client *http.Client, r *http.Request) (int, *http.Response, error) {
	response, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	n, err := io.Copy(io.Discard, response.Body)
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the service answered %s", response.Status)
	}
	return int(n), response, err
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func summarise(samples []sample, health []float64, elapsed float64) round {
	var times []float64
	stages := map[string]float64{}
	for _, s := range samples {
		times = append(times, s.ms)
		for entry := range strings.SplitSeq(s.timing, ", ") {
			name, dur, _ := strings.Cut(entry, ";dur=")
			if v, err := strconv.ParseFloat(dur, 64); err == nil {
				stages[name] += v / float64(len(samples))
			}
		}
	}
	return round{
		rate: float64(len(samples)) / elapsed, p50: percentile(times, 50), p99: percentile(times, 99),
		health99: percentile(health, 99), bytes: samples[0].bytes, stages: stages,
	}
}

// percentile is the nearest-rank percentile.
func percentile(values []float64, p int) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(len(values)-1, len(values)*p/100)]
}

func stageText(stages map[string]float64) string {
	var parts []string
	for _, name := range []string{"decode", "resize", "queue", "infer", "post", "encode"} {
		parts = append(parts, fmt.Sprintf("%s %.2f", name, stages[name]))
	}
	return strings.Join(parts, ", ")
}
