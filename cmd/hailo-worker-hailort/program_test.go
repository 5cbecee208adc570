//go:build hailort

package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hailo-depth/tensor"
	"hailo-depth/worker"
)

// begin starts the worker by itself, as the manager does.
func begin(t *testing.T, script ...string) *worker.Process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte(strings.Join(script, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := worker.Start(within(t), worker.Command{Path: os.Args[0], Env: []string{asProgram + "=1", "GORACE=atexit_sleep_ms=0", "HAILORT_DOUBLE_SCRIPT=" + file}},
		slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		<-p.Done()
	})
	return p
}

// A worker that hangs in the library is ended by being killed, whatever it
// hangs in; nothing else can.
func TestHangs(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		do         func(ctx context.Context, p *worker.Process) error
	}{
		{"in a load", "on VDevice::create_infer_model 1 hang", func(ctx context.Context, p *worker.Process) error {
			_, err := p.Load(ctx, worker.LoadSpec{Path: depth(t).Path})
			return err
		}},
		{"in a token", "on token 2 never", func(ctx context.Context, p *worker.Process) error {
			n, err := p.Load(t.Context(), worker.LoadSpec{Path: vlm(t, "reply a b c").Path, Task: worker.TaskVLM})
			if err != nil {
				return err
			}
			_, _, err = n.Generate(ctx, ctx.Done(), time.Minute, worker.Generation{Prompt: "x"}, nil)
			return err
		}},
		{"in speech", "on Speech2Text::generate_all_segments 1 hang", func(ctx context.Context, p *worker.Process) error {
			n, err := p.Load(t.Context(), worker.LoadSpec{Path: model(t, "whisper", "queue 1").Path, Task: worker.TaskSpeech})
			if err != nil {
				return err
			}
			audio := tensor.Tensor{DType: tensor.Float32, Shape: tensor.Shape{4}, Data: make([]byte, 16)}
			_, _, err = n.Generate(ctx, nil, time.Second, worker.Generation{Tensors: []tensor.Tensor{audio}}, nil)
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := begin(t, c.rule)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := c.do(ctx, p); worker.KindOf(err) != worker.KindTimeout {
				t.Errorf("got %v", err)
			}
			if _, err := p.Statistics(within(t)); err != nil { // it still tells how the device is
				t.Error(err)
			}
			p.Kill()
			<-p.Done()
		})
	}
}

// A worker that is told to close while a job never ends leaves all the same.
func TestCloseUnderAJobThatNeverEnds(t *testing.T) {
	p := begin(t, "on job 1 never", "set control_timeout_ms 100")
	n, err := p.Load(within(t), worker.LoadSpec{Path: depth(t).Path})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = n.Infer(within(t), 50*time.Millisecond, []tensor.Tensor{*picture(1)})
	if worker.KindOf(err) != worker.KindTimeout {
		t.Fatalf("got %v", err)
	}
	s, err := p.Statistics(within(t))
	if err != nil || s.UnfinishedJobs != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	p.Close(within(t))
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "exit status 0") {
		t.Errorf("it ended with %v", err)
	}
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		env  map[string]string
		want string
		err  string
	}{
		{[]string{"--help"}, nil, "It runs on HailoRT 5.2.0.", ""},
		{[]string{"x"}, nil, "", `unexpected argument "x"`},
		{[]string{"--nonsense"}, nil, "", "not defined"},
		{nil, map[string]string{outputsEnv: "other"}, "", "expected native or library"},
		{nil, nil, "", "started by hailo-device-manager"},
		{[]string{"--device", "none"}, nil, "", "there is no device none"},
	} {
		var out strings.Builder
		err := run(t.Context(), c.args, func(name string) string { return c.env[name] }, &out)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: %v, %q", c.args, err, out.String())
		}
	}
}

// Outputs can be left to the library.
func TestLibraryOutputs(t *testing.T) {
	t.Setenv(outputsEnv, "library")
	p := begin(t)
	n, err := p.Load(within(t), worker.LoadSpec{Path: depth(t).Path})
	if err != nil {
		t.Fatal(err)
	}
	outputs, _, err := n.Infer(within(t), time.Minute, []tensor.Tensor{*picture(1)})
	if err != nil {
		t.Fatal(err)
	}
	values, err := outputs[0].Tensor.Float32s()
	if err != nil || values[0] != (18-5)*0.25 {
		t.Errorf("got %v, %v", values, err)
	}
}
