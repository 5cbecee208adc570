package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"hailo-depth/config"
	"hailo-depth/depth"
	"hailo-depth/depthapi"
	"hailo-depth/fetch"
	"hailo-depth/logging"
	"hailo-depth/sdnotify"
	"hailo-depth/web"
)

const aboutServe = `hailo-depth serve: the HTTP API (docs/http-api.md) and a page to try it.

Usage: hailo-depth serve [flags]
`

// stopWithin is how long requests under way may take when the service stops.
const stopWithin = 10 * time.Second

func (p program) serve(ctx context.Context, args []string) error {
	flags := newFlags("serve")
	listen := flags.set.String("listen", "", "`address` to listen on, host:port (default 0.0.0.0:11439)")
	checkOnly := flags.set.Bool("check-config", false, "say whether the configuration is valid, and exit")
	c, err := flags.parse(p, args, aboutServe)
	if errors.Is(err, errHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if flags.set.NArg() > 0 {
		return usageError("unexpected argument %q; see --help", flags.set.Arg(0))
	}
	if *listen != "" {
		if err := c.SetListen(*listen); err != nil {
			return err
		}
	}
	if *checkOnly {
		_, err := fmt.Fprintln(p.stdout, "the configuration is valid")
		return err
	}
	log, err := logging.New(p.stderr, c.Log, p.getenv)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen())
	if err != nil {
		return fmt.Errorf("listening on %s: %w (choose another address with --listen)", c.Listen(), err)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	s, err := p.startService(c, registry, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer s.stop()
	api, err := newAPI(c, s.estimator, registry, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := depthapi.NewServer(api.Handler(), log)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }() // ends with Shutdown below
	log.Info("serving", "address", "http://"+listener.Addr().String(), "device", s.where)
	notify := sdnotify.FromEnv(p.getenv)
	go p.notifyReady(ctx, notify, s.estimator, log) // ends with ctx
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping", "within", stopWithin)
	tell(notify, log, sdnotify.Stopping)
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	if err := server.Shutdown(deadline); err != nil {
		log.Warn("requests were cut off", "error", err)
		_ = server.Close() // what it could not wait for
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// notifyReady tells systemd that the service is up, what it waits for, and that
// it is alive. It is up before the model is: it can answer why it is not ready.
func (p program) notifyReady(ctx context.Context, notify sdnotify.Notifier, e *depth.Estimator, log *slog.Logger) {
	tell(notify, log, sdnotify.Ready+"\n"+sdnotify.Status("waiting for the device manager"))
	if e.AwaitReady(ctx) == nil {
		tell(notify, log, sdnotify.Status("serving"))
	}
	if err := notify.Watch(ctx, e.Alive); err != nil {
		log.Warn("systemd's watchdog", "error", err)
	}
}

func tell(notify sdnotify.Notifier, log *slog.Logger, message string) {
	if err := notify.Send(message); err != nil {
		log.Warn("systemd was not told", "error", err)
	}
}

func newAPI(c config.Depth, e *depth.Estimator, registry *prometheus.Registry, log *slog.Logger) (*depthapi.API, error) {
	metrics, err := depthapi.NewMetrics(registry, e, log)
	if err != nil {
		return nil, err
	}
	page, err := web.Page()
	if err != nil {
		return nil, err
	}
	maxBytes := int64(c.Input.MaxImageMB * (1 << 20))
	rules := fetch.Rules{
		Loopback: c.Input.AllowLoopbackURLs, LinkLocal: c.Input.AllowLinkLocalURLs,
		Metadata: c.Input.AllowMetadataURLs, Private: c.Input.AllowPrivateURLs,
	}
	return &depthapi.API{
		Estimator: e,
		Settings: depthapi.Settings{
			Format: c.Output.Format, Colormap: c.Output.Colormap, Representation: c.Output.Representation, Normalize: c.Output.Normalize, Orient: c.Input.Orient,
			IncludeStats: c.Output.IncludeStats, AlwaysPNG16: c.Output.DepthPNG16,
			AllowURL: c.Input.AllowImageURL, AllowPaths: c.Input.AllowLocalPaths,
			MaxBytes: maxBytes, Timeout: c.Server.Timeout, ReadTime: c.Server.ReadTimeout,
		},
		Fetcher: fetch.New(rules, maxBytes, c.Input.URLTimeout),
		Version: config.Version(),
		Page:    page,
		Metrics: metrics,
		Log:     log,
		Started: time.Now(),
	}, nil
}
