// Command evaluate measures depth networks through the same code that serves
// them: decoding, resizing, the device manager and a real worker. Run it with
// `make eval`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/tabwriter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "evaluate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("evaluate", flag.ContinueOnError)
	data := flags.String("data", "../shared/depth-data", "`folder` with eval/ and train/ and, for comparison, teacher/")
	models := flags.String("models", "models", "`folder` of pocketdepth and its variant in whole numbers")
	also := flags.String("also", "", "`folder` of another pocketdepth to compare with")
	bin := flags.String("bin", "bin", "`folder` with hailo-worker-onnx")
	threads := flags.Int("threads", 1, "threads of an inference")
	out := flags.String("out", "out", "`folder` for contact-sheet.jpg and failures.jpg; empty: none")
	each := flags.Bool("each", false, "print every picture")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	scenes, err := trueDepth(filepath.Join(*data, "eval"))
	if err != nil {
		return fmt.Errorf("%w (say where the data is with --data)", err)
	}
	photographs, err := heldBack(filepath.Join(*data, "train"))
	if err != nil {
		return err
	}
	exact, err := rendered(ctx)
	if err != nil {
		return err
	}
	e := evaluation{rendered: exact, scenes: scenes, photographs: photographs, out: stdout, each: *each, shown: map[string][]shown{}}
	fmt.Fprintf(stdout, "After the best scale and shift of inverse depth: %d pictures with true depth,\n", len(scenes))
	fmt.Fprintf(stdout, "%d photographs that were not trained on, against the label (the mean of six runs of the teacher),\n", len(photographs))
	fmt.Fprintf(stdout, "and %d rendered scenes that were not trained on\n\n", len(exact))
	table := tabwriter.NewWriter(stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintf(table, "\ttrue depth\t\t\t\tphotographs\t\trendered\t\tmoved by\t\tms, %d threads\n", *threads)
	fmt.Fprintf(table, "network\tAbsRel\tdelta<1.25\tRMSE\tpair order\terror\tpair order\tAbsRel\tpair order\ta pixel\t5 %% light\tinfer\n")
	if err := e.row(ctx, table, "vertical ramp", ramp); err != nil {
		return err
	}
	for _, c := range candidates(*models, *also, filepath.Join(*data, "teacher")) {
		err := network(ctx, *bin, c.name, c.dir, *threads, func(p predict) error { return e.row(ctx, table, c.title, p) })
		if err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
	}
	if err := table.Flush(); err != nil || *out == "" {
		return err
	}
	fmt.Fprintln(stdout)
	for _, sheet := range []struct {
		name, shows string
		triples     []triple
	}{
		{"contact-sheet.jpg", "picture, teacher, pocketdepth", e.contacts()},
		{"failures.jpg", "the rendered scenes that pocketdepth sees worst: picture, truth, pocketdepth", e.failures()},
	} {
		path := filepath.Join(*out, sheet.name)
		if err := writeSheet(path, sheet.triples); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s: %s\n", path, sheet.shows)
	}
	return nil
}

// candidate is a network of a folder.
type candidate struct{ title, name, dir string }

func candidates(ours, also, theirs string) []candidate {
	all := []candidate{{student, student, ours}, {whole, whole, ours}}
	if also != "" {
		all = append(all, candidate{student + " in " + also, student, also})
	}
	return append(all, candidate{teacher, teacher, theirs})
}

const (
	student = "pocketdepth"
	whole   = "pocketdepth_int8" // the same in whole numbers
	teacher = "tcmonodepth_small"
)
