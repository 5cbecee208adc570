package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"hailo-depth/backend"
	"hailo-depth/config"
	"hailo-depth/logging"
	"hailo-depth/manager"
	"hailo-depth/sdnotify"
	"hailo-depth/sizes"
	"hailo-depth/socketapi"
	"hailo-depth/statusapi"
)

// backstop is how long after the stop deadline the process ends by force.
const backstop = 5 * time.Second

// serve runs the manager as c says until ctx ends; hangup has it read its
// configuration again through configure.
func serve(ctx context.Context, c config.Manager, configure func() (config.Manager, error), hangup <-chan os.Signal, getenv func(string) string, stderr io.Writer) error {
	log, err := logging.New(stderr, c.Log, getenv)
	if err != nil {
		return err
	}
	machine, err := backend.ThisMachine(getenv)
	if err != nil {
		return err
	}
	choice, err := machine.Find(backend.Options{Name: c.Backend, Threads: c.ONNX.Threads, MemoryMB: c.ONNX.MemoryMB, Spin: c.ONNX.Spin})
	if err != nil {
		return err
	}
	if choice.Warning != "" {
		log.Warn(choice.Warning)
	}
	if c.GroupID != "" {
		choice.Command.Env = append(choice.Command.Env, "HAILO_DEVICE_GROUP_ID="+c.GroupID)
	}

	mode, err := c.Mode()
	if err != nil {
		return err
	}
	socket, err := socketapi.Listen(socketapi.Socket{Path: c.Socket, Mode: mode, Group: c.SocketGroup, DeviceNode: machine.DeviceNode()})
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	wanted, err := settings(c)
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	bounds := limits(c)
	m, err := manager.New(manager.Options{
		Limits: bounds, Settings: wanted, Start: manager.StartProcess(choice.Command, log), Log: log, Registry: registry,
		SocketPath: c.Socket, Sizes: openSizes(c, getenv, log), Explain: explain(choice.Name, c, machine, getenv),
	})
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	status, err := listenHTTP(c.HTTP)
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	stopWithin := bounds.DrainTimeout + bounds.CloseTimeout
	reload := newReloader(c, wanted, configure, m, log)
	apis, err := openAPI(c, m, reload, socketapi.Socket{Mode: mode, Group: c.SocketGroup, DeviceNode: machine.DeviceNode()}, registry, stopWithin, log)
	if err != nil {
		if status != nil {
			err = errors.Join(err, status.Close())
		}
		return errors.Join(err, socket.Close())
	}
	d := daemon{
		manager: m, socket: socket, status: status, log: log, notify: sdnotify.FromEnv(getenv),
		server:     &socketapi.Server{Manager: m, MaxMessage: c.MaxMessageBytes, MaxConnections: c.MaxConnections, Log: log},
		web:        &http.Server{Handler: statusapi.Handler(m, registry, log), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10},
		apis:       apis,
		stopWithin: stopWithin,
		hangup:     hangup,
		reloader:   reload,
	}
	log.Info("listening", "socket", c.Socket, "http", addr(status), "api", apis.addresses(), "backend", choice.Name, "worker", choice.Command.Path)
	return d.run(ctx)
}

// openSizes opens the record of models' sizes; a manager without it measures them
// again after each start.
func openSizes(c config.Manager, getenv func(string) string, log *slog.Logger) *sizes.Book {
	file := sizesFile(c, getenv)
	if file != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			log.Warn("sizes of models are not kept over a restart", "error", err)
			file = ""
		}
	}
	book, err := sizes.Open(file)
	if err != nil {
		log.Warn("the record of models' sizes cannot be used", "error", err)
	}
	return book
}

// listenHTTP returns nil when bind switches HTTP off.
func listenHTTP(bind string) (net.Listener, error) {
	address, err := statusapi.ParseBind(bind)
	if err != nil || address == "" {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("status and metrics on %s: %w (choose another address with --http, or --http off)", address, err)
	}
	return l, nil
}

func addr(l net.Listener) string {
	if l == nil {
		return "off"
	}
	return l.Addr().String()
}

// daemon runs the manager with its listeners.
type daemon struct {
	manager    *manager.Manager
	socket     *socketapi.Listener
	server     *socketapi.Server
	status     net.Listener // nil: off
	web        *http.Server
	apis       apis
	notify     sdnotify.Notifier
	log        *slog.Logger
	stopWithin time.Duration
	hangup     <-chan os.Signal
	reloader   *reloader
}

// run serves until ctx ends or a listener fails; then it stops everything
// within one deadline.
func (d *daemon) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The process ends even if a goroutine should not.
	force := make(chan struct{})
	defer close(force)
	context.AfterFunc(ctx, func() {
		select {
		case <-force:
		case <-time.After(d.stopWithin + backstop):
			d.log.Error("did not stop in time; ending by force")
			os.Exit(exitFailure)
		}
	})

	var group sync.WaitGroup
	start := func(what string, f func() error) {
		group.Go(func() {
			if err := f(); err != nil {
				cancel(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	start("manager", func() error { return d.manager.Run(ctx) })
	start("socket", func() error { return d.server.Serve(ctx, d.socket) })
	start("reload", func() error { d.reloadOnSignals(ctx); return nil })
	for _, a := range d.apis {
		start("HTTP interface", func() error { return a.server.Serve(ctx, a.listener) })
	}
	start("watchdog", func() error { return d.notify.Watch(ctx, d.manager.Alive) })
	if d.status != nil {
		go func() { // ends with Close below, after everything else: it can say why it is not ready
			if err := d.web.Serve(d.status); !errors.Is(err, http.ErrServerClosed) {
				cancel(fmt.Errorf("status: %w", err))
			}
		}()
	}
	d.say(sdnotify.Ready, sdnotify.Status("serving"))
	<-ctx.Done()
	d.say(sdnotify.Stopping, sdnotify.Status("finishing requests"))
	d.log.Info("stopping", "within", d.stopWithin)
	group.Wait()
	err := d.web.Close()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	d.log.Info("stopped")
	return err
}

// reloadOnSignals reads the configuration again at each hangup, until ctx ends. A
// configuration that cannot be used changes nothing, and the log says why.
func (d *daemon) reloadOnSignals(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.hangup:
		}
		d.say(sdnotify.Reloading())
		status := "serving"
		if _, err := d.reloader.reload(ctx); err != nil {
			d.log.Error("the configuration was not reloaded; the one before holds", "error", err)
			status = "serving; the last reload failed: " + strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		d.say(sdnotify.Ready, sdnotify.Status(status))
	}
}

func (d *daemon) say(messages ...string) {
	for _, m := range messages {
		if err := d.notify.Send(m); err != nil {
			d.log.Warn("systemd was not told", "error", err)
		}
	}
}
