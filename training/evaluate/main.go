// Command evaluate measures depth networks on pictures with true depth, through
// the same code that serves them: decoding, resizing, the device manager and a
// real worker. Run it with `make eval`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"

	"hailo-depth/accuracy"
	"hailo-depth/backend"
	"hailo-depth/catalog"
	"hailo-depth/depth"
	"hailo-depth/manager"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "evaluate:", err)
		os.Exit(1)
	}
}

// item is a picture of eval/manifest.json.
type item struct {
	ID           string `json:"id"`
	Image        string `json:"image"`
	InverseDepth string `json:"inverse_depth"`
	AbsoluteZero bool   `json:"absolute_zero"`
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("evaluate", flag.ContinueOnError)
	data := flags.String("data", "../shared/depth-data", "`folder` with eval/ and, for comparison, teacher/")
	bin := flags.String("bin", "bin", "`folder` with hailo-worker-onnx")
	each := flags.Bool("each", false, "print every picture")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	items, err := readManifest(filepath.Join(*data, "eval", "manifest.json"))
	if err != nil {
		return err
	}
	e := evaluation{folder: filepath.Join(*data, "eval"), items: items, bin: *bin, out: stdout, each: *each}
	fmt.Fprintf(stdout, "%d pictures with true depth, after the best scale and shift of inverse depth\n\n", len(items))
	table := tabwriter.NewWriter(stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "network\tAbsRel\tdelta<1.25\tRMSE\tpair order\terror\tms infer")
	ramp, err := e.measure(ctx, func(_ []byte, t accuracy.Truth) ([]float32, time.Duration, error) {
		return accuracy.Ramp(t.Width, t.Height), 0, nil
	})
	if err != nil {
		return err
	}
	ramp.row(table, "vertical ramp")
	for _, c := range []struct{ name, dir string }{{"pocketdepth", "models"}, {"tcmonodepth_small", filepath.Join(*data, "teacher")}} {
		s, err := e.network(ctx, c.name, c.dir)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		s.row(table, c.name)
	}
	return table.Flush()
}

func readManifest(path string) ([]item, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w (say where the data is with --data)", err)
	}
	var m struct {
		Items []item `json:"items"`
	}
	return m.Items, json.Unmarshal(text, &m)
}

// evaluation is what every network is measured on.
type evaluation struct {
	folder, bin string
	items       []item
	out         io.Writer
	each        bool
}

// network measures a network of a folder in a manager of its own.
func (e evaluation) network(ctx context.Context, name, dir string) (sums, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	program, err := filepath.Abs(filepath.Join(e.bin, "evaluate"))
	if err != nil {
		return sums{}, err
	}
	log := slog.New(slog.DiscardHandler)
	choice, err := backend.Machine{Program: program, Dev: os.DirFS("/dev")}.Find(backend.Options{Name: backend.ONNX})
	if err != nil {
		return sums{}, err
	}
	m, err := manager.New(manager.Options{Limits: manager.DefaultLimits(), Start: manager.StartProcess(choice.Command, log), Log: log})
	if err != nil {
		return sums{}, err
	}
	managed := make(chan error, 1)
	go func() { managed <- m.Run(ctx) }()
	estimator := depth.New(depth.Options{
		Device: m, Catalog: catalog.Catalog{Dir: dir}, Model: name, KeepAlive: -1, Log: log,
		Limits: depth.Limits{Pictures: 1, Queue: 1, MaxPixels: 64e6, WorkPixels: 64e6},
	})
	go estimator.Run(ctx)
	ready, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	if err := estimator.AwaitReady(ready); err != nil {
		return sums{}, err
	}
	kind := accuracy.Kind(estimator.State().Model.Output.Meaning)
	s, err := e.measure(ctx, func(file []byte, _ accuracy.Truth) ([]float32, time.Duration, error) {
		r, err := estimator.Estimate(ctx, depth.Request{Data: file})
		if err != nil {
			return nil, 0, err
		}
		values, err := accuracy.InverseDepth(r.Map.Values, kind)
		return values, r.Timing.Infer, err
	})
	cancel()
	return s, errors.Join(err, <-managed)
}

// predict makes a map, larger nearer, of a picture file.
type predict func(file []byte, truth accuracy.Truth) ([]float32, time.Duration, error)

func (e evaluation) measure(_ context.Context, p predict) (sums, error) {
	var s sums
	for _, it := range e.items {
		truth, err := accuracy.ReadTruth(filepath.Join(e.folder, it.InverseDepth), it.AbsoluteZero)
		if err != nil {
			return s, err
		}
		file, err := os.ReadFile(filepath.Join(e.folder, it.Image))
		if err != nil {
			return s, err
		}
		values, took, err := p(file, truth)
		if err != nil {
			return s, fmt.Errorf("%s: %w", it.ID, err)
		}
		r, err := accuracy.Compare(values, truth)
		if err != nil {
			return s, fmt.Errorf("%s: %w", it.ID, err)
		}
		s.add(r, took)
		if e.each {
			fmt.Fprintf(e.out, "%s: AbsRel %.3f, delta %.3f, pair order %.3f, scale %.3g\n", it.ID, r.AbsRel, r.Delta125, r.PairOrder, r.Scale)
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
	if r.AbsRel == r.AbsRel { // not NaN: the truth's zero is absolute
		s.absolute++
		s.absRel += r.AbsRel
		s.delta += r.Delta125
		s.rmse += r.RMSE
	}
}

func (s sums) row(w io.Writer, name string) {
	fmt.Fprintf(w, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.1f\n", name, s.absRel/s.absolute, s.delta/s.absolute, s.rmse/s.absolute,
		s.order/s.pictures, s.aligned/s.pictures, float64(s.took.Microseconds())/1000/s.pictures)
}
