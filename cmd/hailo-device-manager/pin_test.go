package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"hailo-depth/device"
	"hailo-depth/inferapi"
	"hailo-depth/socketapi"
)

// recorder is a manager of two models whose pins and configuration are what was
// done.
type recorder struct {
	inferapi.Manager // nil: nothing else is asked
	done             chan string
	reload           error
}

func (r *recorder) Status(context.Context) (device.Status, error) {
	return device.Status{Models: []device.LoadedModel{{Type: "depth", Path: "/m/fast.hef"}}}, nil
}

// serve gives the recorder the manager's HTTP interface.
func (r *recorder) serve(t *testing.T) (socket string) {
	t.Helper()
	socket = filepath.Join(shortDir(t), "api.sock")
	l, err := socketapi.Listen(socketapi.Socket{Path: socket, Mode: 0o600})
	if err != nil {
		t.Fatal(err)
	}
	const most = 1 << 20
	server := inferapi.Server{MaxConnections: 4, StopTimeout: time.Second, Access: inferapi.Access{Trusted: true}, API: &inferapi.API{
		Manager: r, MaxMessage: most, Bodies: inferapi.NewBodies(most), Log: slog.New(slog.DiscardHandler),
		Models: func() []inferapi.Named {
			return []inferapi.Named{{Name: "clip", Model: device.Model{Type: "clip", Path: "/m/clip.hef"}}}
		},
		Overview: func(context.Context) device.Overview {
			return device.Overview{Models: []device.ModelOverview{{Name: "fast", Type: "depth", Path: "/m/fast.hef"}, {Name: "clip", Type: "clip", Path: "/m/clip.hef"}}}
		},
		Pin: func(_ context.Context, m device.Model, pinned bool) error {
			what := "unpin "
			if pinned {
				what = "pin "
			}
			r.done <- what + m.Type + ":" + m.Path
			return nil
		},
		Reload: func(context.Context) error {
			r.done <- "reload"
			return r.reload
		},
	}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return socket
}

// The commands reach the manager's own operations with the model that was meant,
// and say in words or in JSON what came of it.
func TestPinUnpinReload(t *testing.T) {
	r := &recorder{done: make(chan string, 1)}
	socket := r.serve(t)
	ask := func(command string, args ...string) (string, error) {
		var out bytes.Buffer
		none := func(string) (string, bool) { return "", false }
		file := write(t, t.TempDir(), "config.yaml", "backend: sim\n")
		err := run(within(t), append([]string{command, "--config", file, "--api-socket", socket}, args...), none, nil, &out, &out)
		return out.String(), err
	}
	for _, c := range []struct {
		command    string
		args       []string
		want, done string
	}{
		{"pin", []string{"fast"}, "fast: pinned\n", "pin depth:/m/fast.hef"},
		{"pin", []string{"--json", "clip"}, `{"model":"clip","pinned":true}` + "\n", "pin clip:/m/clip.hef"},
		{"pin", []string{"depth:/m/fast.hef"}, "depth:/m/fast.hef: pinned\n", "pin depth:/m/fast.hef"},
		{"unpin", []string{"fast"}, "fast: no longer pinned\n", "unpin depth:/m/fast.hef"},
		{"unpin", []string{"--json", "fast"}, `{"model":"fast","pinned":false}` + "\n", "unpin depth:/m/fast.hef"},
		{"reload", nil, "the configuration is applied\n", "reload"},
		{"reload", []string{"--json"}, `{"reloaded":true}` + "\n", "reload"},
	} {
		got, err := ask(c.command, c.args...)
		if err != nil || got != c.want {
			t.Fatalf("%s %v: %q, %v; want %q", c.command, c.args, got, err, c.want)
		}
		if done := <-r.done; done != c.done {
			t.Errorf("%s %v did %q, want %q", c.command, c.args, done, c.done)
		}
	}
}

// A configuration that is not valid is said to be so.
func TestReloadRefused(t *testing.T) {
	r := &recorder{done: make(chan string, 1), reload: &device.Error{Kind: device.KindInvalid, Message: `manager.yaml:3: unknown field "quue"`}}
	got := use(t, nil, "reload", "--config", write(t, t.TempDir(), "config.yaml", "backend: sim\n"), "--api-socket", r.serve(t))
	if got.code != 1 || got.stderr != "hailo-device-manager: manager.yaml:3: unknown field \"quue\"\n" || got.stdout != "" {
		t.Errorf("%+v", got)
	}
}
