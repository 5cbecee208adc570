package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"

	"hailo-depth/config"
	"hailo-depth/depth"
	"hailo-depth/depthmap"
	"hailo-depth/device"
	"hailo-depth/fetch"
	"hailo-depth/logging"
	"hailo-depth/representation"
)

const aboutEstimate = `hailo-depth estimate: depth maps of pictures, through the device manager or,
where none answers, by itself.

Usage: hailo-depth estimate [flags] FILE|URL|- ...

For each picture NAME.jpg it writes into the folder of --out, as far as asked
for: NAME.depth.png (coloured), NAME.depth.npz (float32 array "depth") and
NAME.depth16.png (16-bit grey). Without --png, --npz and --png16 it writes the
coloured picture. With one picture each of these takes a file name as well:
--npz=map.npz. Each file says what its numbers mean (docs/models.md).
`

// wanted is an output: off, on under the default name, or a file of its own.
type wanted struct {
	on   bool
	file string
}

func (w *wanted) String() string   { return w.file }
func (w *wanted) IsBoolFlag() bool { return true }
func (w *wanted) Set(text string) error {
	w.on = text != "false"
	w.file = ""
	if text != "true" && text != "false" {
		w.file = text
	}
	return nil
}

// job is what to do with each picture.
type job struct {
	inputs            []string
	out               string
	png, npz, png16   wanted
	colormap          *depthmap.Colormap
	representation    representation.Name
	within            representation.Range
	scale             depthmap.Scale
	timeout           time.Duration // of a picture; 0: none
	normalize, noTurn bool
	json, quiet       bool
}

func (p program) estimate(ctx context.Context, args []string) error {
	flags := newFlags("estimate")
	var j job
	flags.set.StringVar(&j.out, "out", ".", "`folder` for the results")
	flags.set.Var(&j.png, "png", "write the coloured PNG (or --png=`FILE`)")
	flags.set.Var(&j.npz, "npz", "write the array for NumPy (or --npz=`FILE`)")
	flags.set.Var(&j.png16, "png16", "write the 16-bit PNG (or --png16=`FILE`)")
	colormap := flags.set.String("colormap", "", "colours: "+strings.Join(depthmap.Colormaps(), ", ")+" (default viridis)")
	kind := flags.set.String("representation", "", "what the numbers are: raw, as the network gives; disparity, larger is nearer; depth, larger is farther (default raw)")
	within := flags.set.String("depth-range", "", "`NEAR,FAR`: distances of the nearest and the farthest place in metres, for depth by networks that leave scale and shift open")
	scale := flags.set.String("range", "", "`LOW,HIGH`: what the ends of the colours, of 16-bit PNGs and of normalised values stand for (default: each picture's smallest and largest value)")
	priority := flags.set.Int("priority", device.DefaultPriority, "`0..9`: requests of a higher priority get the device first")
	flags.set.DurationVar(&j.timeout, "timeout", 0, "longest `time` for a picture, waiting included, as 10s (default none)")
	flags.set.BoolVar(&j.normalize, "normalize", false, "map the array's values to 0..1")
	flags.set.BoolVar(&j.noTurn, "no-orient", false, "ignore the EXIF orientation instead of turning pictures upright")
	flags.set.BoolVar(&j.json, "json", false, "print one JSON object a picture")
	flags.set.BoolVar(&j.quiet, "quiet", false, "print errors only")
	verbose := flags.set.Bool("verbose", false, "log what the device does")
	c, err := flags.parse(p, args, aboutEstimate)
	if errors.Is(err, errHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	j.inputs = flags.set.Args()
	if err := j.check(); err != nil {
		return err
	}
	if *colormap == "" {
		*colormap = c.Output.Colormap
	}
	if j.colormap, err = depthmap.Lookup(*colormap); err != nil {
		return usageError("--colormap: %v", err)
	}
	if j.representation, err = representation.Parse(cmp.Or(*kind, c.Output.Representation)); err != nil {
		return usageError("--%v", err)
	}
	if *within != "" {
		if j.within, err = representation.ParseRange(*within); err != nil {
			return usageError("--%s", strings.Replace(err.Error(), "depth_range", "depth-range", 1))
		}
	}
	if *scale != "" {
		if j.scale, err = depthmap.ParseScale(*scale); err != nil {
			return usageError("--range: %v", err)
		}
	}
	terms := device.Terms{Priority: *priority, Client: "hailo-depth/estimate"}
	if err := terms.Check(); err != nil {
		return usageError("--%v", err)
	}
	ctx = device.WithTerms(ctx, terms)
	if !*verbose {
		c.Log.Level = "error"
	}
	log, err := logging.New(p.stderr, c.Log, p.getenv)
	if err != nil {
		return err
	}
	s, err := p.startService(c, prometheus.NewRegistry(), log)
	if err != nil {
		return err
	}
	defer s.stop()
	const patience = 60 * time.Second
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.estimator.AwaitReady(waiting); err != nil {
		return err
	}
	return p.estimateAll(ctx, c, s.estimator, j)
}

func (j *job) check() error {
	switch {
	case len(j.inputs) == 0:
		return usageError("no picture; expected files, URLs or - (see --help)")
	case len(j.inputs) > 1 && (j.png.file != "" || j.npz.file != "" || j.png16.file != ""):
		return usageError("one output file for %d pictures; use --out FOLDER", len(j.inputs))
	case j.timeout < 0:
		return usageError("--timeout: %v is not valid; expected a time as 10s, or 0 for none", j.timeout)
	}
	if !j.png.on && !j.npz.on && !j.png16.on {
		j.png.on = true
	}
	return nil
}

// report is what is printed of one picture.
type report struct {
	Input     string          `json:"input"`
	Error     string          `json:"error,omitzero"`
	Model     string          `json:"model,omitzero"`
	Meaning   string          `json:"meaning,omitzero"`
	Near      string          `json:"near,omitzero"`
	Unit      string          `json:"unit,omitzero"`
	Values    *depth.About    `json:"values,omitzero"`
	Width     int             `json:"width,omitzero"`
	Height    int             `json:"height,omitzero"`
	Stats     *depthmap.Stats `json:"stats,omitzero"`
	Files     []string        `json:"files,omitzero"`
	ElapsedMS float64         `json:"elapsed_ms,omitzero"`
	InferMS   float64         `json:"infer_ms,omitzero"`
}

// estimateAll works on as many pictures at once as the service has places, and
// prints in the order of the arguments. Pictures that fail do not stop others.
func (p program) estimateAll(ctx context.Context, c config.Depth, e *depth.Estimator, j job) error {
	maxBytes := int64(c.Input.MaxImageMB * (1 << 20))
	read := reader{
		stdin: p.stdin, maxBytes: maxBytes,
		// Whoever types a URL may reach what this machine may reach.
		fetcher: fetch.New(fetch.Rules{Loopback: true, LinkLocal: true, Private: true}, maxBytes, c.Input.URLTimeout),
	}
	reports := make([]chan report, len(j.inputs))
	for i := range reports {
		reports[i] = make(chan report, 1)
	}
	var group sync.WaitGroup
	defer group.Wait()
	places := make(chan struct{}, c.Limits.Pictures)
	group.Go(func() {
		for i, input := range j.inputs {
			places <- struct{}{}
			group.Go(func() {
				defer func() { <-places }()
				reports[i] <- one(ctx, e, read, j, input)
			})
		}
	})
	failed := 0
	for i := range reports {
		r := <-reports[i]
		if r.Error != "" {
			failed++
		}
		if err := p.print(j, i, r); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d pictures failed", failed, len(j.inputs))
	}
	return nil
}

func (p program) print(j job, i int, r report) error {
	switch {
	case j.json:
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%s\n", line)
		return err
	case r.Error != "":
		_, err := fmt.Fprintf(p.stderr, "%s: %s\n", r.Input, r.Error)
		return err
	case j.quiet:
		return nil
	}
	progress := ""
	if len(j.inputs) > 1 {
		progress = fmt.Sprintf("[%d/%d] ", i+1, len(j.inputs))
	}
	_, err := fmt.Fprintf(p.stdout, "%s%s: %dx%d, %s %.4g to %.4g (%s), %.0f ms -> %s\n", progress, r.Input, r.Width, r.Height,
		r.Meaning, r.Stats.Min, r.Stats.Max, r.Values.Larger(), r.ElapsedMS, strings.Join(r.Files, ", "))
	return err
}

// one estimates one picture and writes its files.
func one(ctx context.Context, e *depth.Estimator, read reader, j job, input string) report {
	r := report{Input: input}
	if j.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, j.timeout)
		defer cancel()
	}
	err := func() error {
		data, err := read.bytes(ctx, input)
		if err != nil {
			return err
		}
		q := depth.Request{
			Data: data, Orient: !j.noTurn, Representation: j.representation, Within: j.within, Scale: j.scale,
			Normalize: j.normalize, Stats: true, NPZ: j.npz.on, Gray16: j.png16.on,
		}
		if j.png.on {
			q.Color = j.colormap
		}
		result, err := e.Estimate(ctx, q)
		if err != nil {
			return err
		}
		about := result.About
		r.Values, r.Model, r.Meaning, r.Near, r.Unit = &about, about.Model, about.Kind, about.Near, about.Unit
		r.Width, r.Height, r.Stats = result.Map.Width, result.Map.Height, result.Stats
		r.ElapsedMS, r.InferMS = milliseconds(result.Elapsed), milliseconds(result.Timing.Infer)
		return errors.Join(
			r.write(j, j.png, ".depth.png", result.Color),
			r.write(j, j.npz, ".depth.npz", result.NPZ),
			r.write(j, j.png16, ".depth16.png", result.Gray16),
		)
	}()
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

func (r *report) write(j job, w wanted, suffix string, data []byte) error {
	if !w.on {
		return nil
	}
	path := w.file
	if path == "" {
		if err := os.MkdirAll(j.out, 0o755); err != nil {
			return err
		}
		path = filepath.Join(j.out, stem(r.Input)+suffix)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	r.Files = append(r.Files, path)
	return nil
}

// stem names the results of an input: the last part of its path, without extension.
func stem(input string) string {
	if input == "-" {
		return "stdin"
	}
	if isURL(input) {
		u, err := url.Parse(input)
		if err != nil || filepath.Base(u.Path) == "/" || filepath.Base(u.Path) == "." {
			return "picture"
		}
		input = u.Path
	}
	base := filepath.Base(input)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// reader gets the bytes of an argument.
type reader struct {
	stdin    io.Reader
	fetcher  *fetch.Fetcher
	maxBytes int64
}

func (r reader) bytes(ctx context.Context, input string) (data []byte, err error) {
	source := r.stdin
	switch {
	case isURL(input):
		return r.fetcher.Get(ctx, input)
	case input != "-":
		f, err := os.Open(input)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		source = f
	}
	data, err = io.ReadAll(io.LimitReader(source, r.maxBytes+1))
	if err == nil && int64(len(data)) > r.maxBytes {
		err = fmt.Errorf("is over %.1f MB (input.max_image_mb)", float64(r.maxBytes)/(1<<20))
	}
	return data, err
}
