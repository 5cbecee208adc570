// Command scenes renders pictures with exact depth for training: `go run
// ./training/scenes`. It writes two files without headers, which grow picture by
// picture, so that a run that was stopped goes on where it ended:
//
//	pictures.rgb  uint8 [N, 256, 320, 3]
//	labels.near   uint8 [N, 256, 320], inverse depth brought to 0..255 (255: nearest) in each picture
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"hailo-depth/scene"
)

const width, height = 320, 256

// firstSeed keeps clear of the seeds that tests and the demonstration use.
const firstSeed = 1_000_000

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "scenes:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	flags := flag.NewFlagSet("scenes", flag.ContinueOnError)
	out := flags.String("out", filepath.Join("training", "cache", "scenes"), "`folder` to write to")
	count := flags.Int("count", 2000, "pictures in all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	pictures, err := grow(filepath.Join(*out, "pictures.rgb"), 3*width*height)
	if err != nil {
		return err
	}
	defer func() { err = closed(err, pictures.file) }()
	labels, err := grow(filepath.Join(*out, "labels.near"), width*height)
	if err != nil {
		return err
	}
	defer func() { err = closed(err, labels.file) }()
	began, first := time.Now(), min(pictures.count, labels.count)
	for i := first; i < *count; i++ {
		view, err := scene.Roam(ctx, firstSeed+uint64(i), width, height)
		if err != nil {
			return err
		}
		if err := labels.put(i, nearness(view.Depth)); err != nil {
			return err
		}
		if err := pictures.put(i, view.Picture); err != nil {
			return err
		}
		done := i + 1 - first
		fmt.Fprintf(stdout, "\r%d of %d, %v left ", i+1, *count, (time.Since(began) / time.Duration(done) * time.Duration(*count-i-1)).Round(time.Second))
	}
	fmt.Fprintln(stdout)
	return nil
}

// nearness is inverse depth brought to 0..255. The hundredth part that is
// nearest is cut off: a table's edge before the lens would leave no steps for the rest.
func nearness(depth []float32) []byte {
	inverse := make([]float32, len(depth))
	for i, d := range depth {
		inverse[i] = 1 / d
	}
	sorted := slices.Sorted(slices.Values(inverse))
	low, high := sorted[0], sorted[len(sorted)-1-len(sorted)/100]
	bytes := make([]byte, len(depth))
	for i, v := range inverse {
		bytes[i] = byte(255*min(1, (v-low)/max(1e-9, high-low)) + 0.5)
	}
	return bytes
}

// records is a file of records of one size.
type records struct {
	file        *os.File
	size, count int
}

func grow(path string, size int) (records, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return records{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return records{}, closed(err, f)
	}
	return records{f, size, int(info.Size()) / size}, nil
}

func (r records) put(i int, record []byte) error {
	_, err := r.file.WriteAt(record, int64(i)*int64(r.size))
	return err
}

// closed closes a file and keeps the first error.
func closed(err error, f *os.File) error {
	if closeErr := f.Close(); err == nil {
		return closeErr
	}
	return err
}
