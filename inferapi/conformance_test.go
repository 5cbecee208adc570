package inferapi_test

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"hailo-depth/device"
	"hailo-depth/inferapi"
	"hailo-depth/sim/simtest"
	"hailo-depth/socketapi"
	"hailo-depth/tensor"
)

// closer is a client of either protocol.
type closer interface {
	device.Service
	Close() error
}

// anyManager serves both protocols.
type anyManager interface {
	inferapi.Manager
	socketapi.Manager
}

// protocol is one of the two ways to a manager; both must do the same.
type protocol struct {
	name   string
	listen func(t testing.TB, path string, m anyManager) (stop func())
	client func(path string) closer
}

func protocols() []protocol {
	log := slog.New(slog.DiscardHandler)
	listen := func(t testing.TB, path string, serve func(context.Context, net.Listener) error) func() {
		l, err := socketapi.Listen(socketapi.Socket{Path: path, Mode: 0o600})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- serve(ctx, l) }()
		stop := sync.OnceFunc(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		t.Cleanup(stop)
		return stop
	}
	return []protocol{
		{"socket protocol", func(t testing.TB, path string, m anyManager) func() {
			return listen(t, path, (&socketapi.Server{Manager: m, MaxMessage: maxMessage, MaxConnections: 16, Log: log}).Serve)
		}, func(path string) closer { return &device.Client{Path: path} }},
		{"HTTP", func(t testing.TB, path string, m anyManager) func() {
			return listen(t, path, (&inferapi.Server{API: newAPI(m), Access: inferapi.Access{Trusted: true}, MaxConnections: 16, StopTimeout: patience}).Serve)
		}, func(path string) closer { return &device.HTTPClient{Path: path} }},
	}
}

// both runs a test over both protocols; restart stops the server and starts it again.
func both(t *testing.T, m anyManager, test func(t *testing.T, c closer, restart func(then func()))) {
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			path := socketPath(t)
			stop := p.listen(t, path, m)
			c := p.client(path)
			t.Cleanup(func() {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			})
			test(t, c, func(then func()) {
				stop()
				then()
				stop = p.listen(t, path, m)
			})
		})
	}
}

func anyTensor(r *rand.Rand) *tensor.Tensor {
	dtype := tensor.DType(1 + r.IntN(12))
	shape := tensor.Shape{1 + r.IntN(4), 1 + r.IntN(4)}
	data := make([]byte, shape[0]*shape[1]*dtype.Size())
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return &tensor.Tensor{DType: dtype, Shape: shape, Data: data}
}

func anyTensors(r *rand.Rand, least int) []tensor.Tensor {
	list := []tensor.Tensor{}
	for range least + r.IntN(3) {
		list = append(list, *anyTensor(r))
	}
	return list
}

// anyInput is an input that suits a model's type.
func anyInput(r *rand.Rand, modelType string) (in device.Input) {
	half, seed := r.Float64(), r.Int64()
	in.TimeoutMS = int64(r.IntN(2) * r.IntN(100000))
	switch modelType {
	case "depth", "pose":
		in.Input = anyTensor(r)
	case "clip":
		in.Mode, in.Tensor = []string{"image", "text", "", "é"}[r.IntN(4)], anyTensor(r)
	case "ocr":
		if r.IntN(2) == 0 {
			in.Mode, in.Image = "detection", anyTensor(r)
		} else {
			in.Mode, in.Language, in.Crops, in.BatchSize = "recognition", "en", anyTensors(r, 0), r.IntN(3)
		}
	case "whisper":
		in.Audio, in.Language, in.Task = anyTensor(r), []string{"", "de"}[r.IntN(2)], []string{"", "translate"}[r.IntN(2)]
	default:
		in.Frames, in.MaxTokens = anyTensors(r, 0), r.IntN(3)
		if r.IntN(2) == 0 {
			in.Temperature, in.Seed = &half, &seed
		}
		if r.IntN(2) == 0 {
			in.Prompt = "say \"x\" é\n"
		} else {
			in.Messages = []jsontext.Value{jsontext.Value(`{"role":"user","content":"x"}`)}
		}
	}
	return in
}

func modelTypes() []string {
	return []string{"depth", "pose", "clip", "ocr", "vlm", "vlm_chat", "whisper"}
}

// keep has an input hold memory of its own: a body's is used again.
func keep(in device.Input) {
	for _, t := range []*tensor.Tensor{in.Input, in.Tensor, in.Image, in.Audio} {
		if t != nil {
			t.Data = bytes.Clone(t.Data)
		}
	}
	for _, list := range [][]tensor.Tensor{in.Crops, in.Frames} {
		for i := range list {
			list[i].Data = bytes.Clone(list[i].Data)
		}
	}
}

// What a client asks is what the manager is asked, to the bit, for every type.
func TestInputsArrive(t *testing.T) {
	type call struct {
		model device.Model
		in    device.Input
	}
	asked := make(chan call, 1)
	text := "done"
	m := &fake{infer: func(_ context.Context, m device.Model, in device.Input) (device.Result, error) {
		keep(in)
		asked <- call{m, in}
		return device.Result{Text: &text}, nil
	}}
	both(t, m, func(t *testing.T, c closer, _ func(func())) {
		r := rand.New(rand.NewPCG(5, 6))
		for i := range 700 {
			want := call{device.Model{Type: modelTypes()[i%7], Path: "/a \"quoted\" path/é.hef", Params: jsontext.Value(`{"a":[1,2]}`)}, anyInput(r, modelTypes()[i%7])}
			result, err := c.Infer(t.Context(), want.model, want.in)
			if err != nil || result.Text == nil || *result.Text != text {
				t.Fatalf("%+v: %+v, %v", want, result, err)
			}
			if got := <-asked; !reflect.DeepEqual(got, want) {
				t.Fatalf("the manager was asked %+v\nwant %+v", got, want)
			}
		}
	})
}

// withoutMemory is what r says, not where it is kept.
func withoutMemory(r device.Result) device.Result {
	return device.Result{Tensor: r.Tensor, List: r.List, Named: r.Named, Text: r.Text, Speech: r.Speech, Timing: r.Timing}
}

// What the manager answers is what a client gets: every form of result.
func TestResultsArrive(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	text := "line\n\"quoted\" 名"
	next := make(chan device.Result, 1)
	m := &fake{infer: func(context.Context, device.Model, device.Input) (device.Result, error) { return <-next, nil }}
	timing := device.Timing{Queue: 1000, Load: 2000, Infer: 3000, Library: time.Hour}
	both(t, m, func(t *testing.T, c closer, _ func(func())) {
		for range 100 {
			for _, want := range []device.Result{
				{Tensor: anyTensor(r)}, {List: anyTensors(r, 0)}, {Text: &text}, {Text: new(string)},
				{Named: []device.Named{{Name: "z é", Tensor: *anyTensor(r)}, {Name: "output", Tensor: *anyTensor(r)}}}, {Named: []device.Named{{Name: "only", Tensor: *anyTensor(r)}}},
				{Speech: &device.Transcript{Segments: []device.Segment{}}},
				{Speech: &device.Transcript{Segments: []device.Segment{{ID: 0, Start: 0, End: 0.25, Text: " hello"}, {ID: 7, Start: 0.1, End: 1e9, Text: ""}}}},
			} {
				want.Timing = timing
				next <- want
				got, err := c.Infer(t.Context(), device.Model{Type: "depth", Path: "/m"}, device.Input{Input: anyTensor(r)})
				if err != nil || !reflect.DeepEqual(withoutMemory(got), want) {
					t.Fatalf("%+v, %v\nwant %+v", got, err, want)
				}
				got.Recycle()
			}
		}
	})
}

// Errors keep what a caller can act on.
func TestErrorsArrive(t *testing.T) {
	for _, want := range []*device.Error{
		{Kind: device.KindInvalid, Message: "a \"quoted\" é"}, {Kind: device.KindNotFound, Message: "n"}, {Kind: device.KindModel, Message: "m", Status: 26},
		{Kind: device.KindUnsupported, Message: "u"}, {Kind: device.KindMemoryFull, Message: "f", Status: 81}, {Kind: device.KindBusy, Message: "b", RetryAfter: 1500 * time.Millisecond},
		{Kind: device.KindUnavailable, Message: "a", RetryAfter: time.Second}, {Kind: device.KindTimeout, Message: "t", Status: 4}, {Kind: device.KindInternal, Message: "i"},
	} {
		m := &fake{check: want, infer: func(context.Context, device.Model, device.Input) (device.Result, error) { return device.Result{}, want }}
		both(t, m, func(t *testing.T, c closer, _ func(func())) {
			model := device.Model{Type: "depth", Path: "/m"}
			_, loadErr := c.Load(t.Context(), model)
			_, inferErr := c.Infer(t.Context(), model, device.Input{Input: picture(1)})
			_, unloadErr := c.Unload(t.Context(), model)
			for _, err := range []error{loadErr, inferErr, unloadErr} {
				got, ok := err.(*device.Error)
				if !ok || got.Kind != want.Kind || got.Message != want.Message || got.Status != want.Status || got.RetryAfter != want.RetryAfter {
					t.Errorf("%+v, want %+v", err, want)
				}
			}
		})
	}
}

// The terms of a client's context travel, its deadline too, with every request.
func TestTermsOfAClient(t *testing.T) {
	asked := make(chan context.Context, 2)
	m := &fake{load: func(ctx context.Context) { asked <- ctx }, infer: func(ctx context.Context, _ device.Model, _ device.Input) (device.Result, error) {
		asked <- ctx
		return device.Result{Text: new(string)}, nil
	}}
	both(t, m, func(t *testing.T, c closer, _ func(func())) {
		terms := device.Terms{Priority: 2, Client: "camera"}
		end := time.Now().Add(time.Minute)
		ctx, cancel := context.WithDeadline(device.WithTerms(t.Context(), terms), end)
		defer cancel()
		model := device.Model{Type: "depth", Path: "/m"}
		if _, err := c.Infer(ctx, model, device.Input{Input: picture(1)}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Load(ctx, model); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got := <-asked
			if device.TermsOf(got) != terms {
				t.Errorf("%+v", device.TermsOf(got))
			}
			if at, ok := got.Deadline(); !ok || at.Before(end) || at.After(end.Add(patience)) {
				t.Errorf("deadline %v, want %v and a little", at, end)
			}
		}
	})
}

// Who gives up is told at once, and so is the manager.
func TestGivingUp(t *testing.T) {
	running := make(chan context.Context, 1)
	m := &fake{infer: func(ctx context.Context, _ device.Model, _ device.Input) (device.Result, error) {
		running <- ctx
		<-ctx.Done()
		return device.Result{}, &device.Error{Kind: device.KindCanceled, Message: "gone"}
	}}
	both(t, m, func(t *testing.T, c closer, _ func(func())) {
		infer := func(ctx context.Context) error {
			_, err := c.Infer(ctx, device.Model{Type: "depth", Path: "/m"}, device.Input{Input: picture(1)})
			return err
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- infer(ctx) }()
		asked := <-running
		cancel()
		if err := <-ended; device.KindOf(err) != device.KindCanceled {
			t.Errorf("canceled: %v", err)
		}
		<-asked.Done()
		if err := infer(ctx); device.KindOf(err) != device.KindCanceled {
			t.Errorf("before it began: %v", err)
		}
		_, err := c.Load(t.Context(), device.Model{Type: "depth", Path: "/m"}) // the next call works
		if err != nil {
			t.Error(err)
		}
	})
}

// A manager that is away says so; one that is back is found again, also by
// clients that kept connections.
func TestManagerGoneAndBack(t *testing.T) {
	both(t, &fake{}, func(t *testing.T, c closer, restart func(func())) {
		model := device.Model{Type: "depth", Path: "/m"}
		for range 3 {
			for range 2 {
				if _, err := c.Load(t.Context(), model); err != nil {
					t.Fatal(err)
				}
			}
			restart(func() {
				_, err := c.Load(t.Context(), model)
				e, ok := err.(interface{ Unwrap() error })
				if !ok || device.KindOf(e.Unwrap()) != device.KindUnavailable || !strings.HasPrefix(err.Error(), "no device manager at ") {
					t.Errorf("while it is away: %v", err)
				}
			})
		}
	})
}

// What cannot be a request is refused before it is sent.
func TestRequestsThatAreNotSent(t *testing.T) {
	both(t, &fake{infer: func(context.Context, device.Model, device.Input) (device.Result, error) {
		t.Error("asked")
		return device.Result{}, nil
	}}, func(t *testing.T, c closer, _ func(func())) {
		broken := picture(1)
		broken.Data = broken.Data[1:]
		for name, call := range map[string]func() error{
			"a path that is no text": func() error {
				_, err := c.Load(t.Context(), device.Model{Type: "depth", Path: "/\xff"})
				return err
			},
			"parameters that are cut": func() error {
				_, err := c.Load(t.Context(), device.Model{Type: "depth", Path: "/m", Params: jsontext.Value(`{"a": `)})
				return err
			},
			"a tensor that is cut": func() error {
				_, err := c.Infer(t.Context(), device.Model{Type: "depth", Path: "/m"}, device.Input{Input: broken})
				return err
			},
		} {
			if err := call(); device.KindOf(err) != device.KindInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Fifty callers at once on a real manager and worker each get their own answer.
func TestManyCallers(t *testing.T) {
	m := startManager(t, simtest.Command())
	model := device.Model{Type: "depth", Path: writeModel(t, "gray.hef", gray)}
	both(t, m, func(t *testing.T, c closer, _ func(func())) {
		var group sync.WaitGroup
		for caller := range 12 {
			group.Go(func() {
				for i := range 20 {
					grey := byte(caller*20 + i)
					r, err := c.Infer(t.Context(), model, device.Input{Input: picture(grey)})
					if err != nil {
						t.Error(err)
						return
					}
					values, err := r.Tensor.Float32s()
					if err != nil || len(values) != 16 || values[0] != values[15] || int(values[0]*25.5+0.5) != int(grey) {
						t.Errorf("grey %d is answered %v, %v", grey, values, err)
						return
					}
				}
			})
		}
		group.Wait()
		s, err := c.Status(t.Context())
		if err != nil || s.QueueDepth != 0 || len(s.Models) != 1 || s.DeviceID == "" || filepath.Base(s.SocketPath) != "s" {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// A model whose file is missing is the same error over both.
func TestNoModel(t *testing.T) {
	m := startManager(t, simtest.Command())
	both(t, m, func(t *testing.T, c closer, _ func(func())) {
		missing := device.Model{Type: "depth", Path: filepath.Join(os.TempDir(), "there-is-none.hef")}
		_, err := c.Infer(t.Context(), missing, device.Input{Input: picture(1)})
		if device.KindOf(err) != device.KindNotFound || err.Error() != "Model file not found: "+missing.Path {
			t.Error(err)
		}
	})
}
