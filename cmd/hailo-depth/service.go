package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hailo-depth/backend"
	"hailo-depth/catalog"
	"hailo-depth/config"
	"hailo-depth/depth"
	"hailo-depth/device"
	"hailo-depth/manager"
)

// service is an estimator with the device behind it.
type service struct {
	estimator *depth.Estimator
	where     string // for people: what runs the network
	stop      func()
}

// startService connects to a device manager or, where none was asked for and
// none answers, runs one inside this program. stop ends it all.
func (p program) startService(c config.Depth, registry *prometheus.Registry, log *slog.Logger) (*service, error) {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	s := &service{stop: func() {
		cancel()
		group.Wait()
	}}
	var access device.Service
	if path, ok := p.managerSocket(c); ok {
		client := &device.PreferringHTTP{HTTP: &device.HTTPClient{Path: c.APISocketPath()}, Old: &device.Client{Path: path},
			Changed: func(http bool) { log.Info("using the device manager", "http", http) }}
		group.Go(func() {
			<-ctx.Done()
			_ = client.Close() // idle connections only
		})
		access, s.where = client, "the device manager at "+path
	} else {
		m, name, err := p.standalone(c, registry, log)
		if err != nil {
			cancel()
			return nil, err
		}
		group.Go(func() {
			if err := m.Run(ctx); err != nil {
				log.Error("the device manager ended", "error", err)
			}
		})
		access, s.where = m, "standalone, backend "+name
		log.Info("running the device manager inside this program", "backend", name)
	}
	s.estimator = depth.New(depth.Options{
		Device:    access,
		Catalog:   catalog.Catalog{Dir: c.Resources.ModelDir, Cache: p.cacheDir()},
		Model:     c.Model.Name,
		KeepAlive: c.KeepAlive(),
		Limits: depth.Limits{
			Pictures: c.Limits.Pictures, Queue: c.Limits.Queue,
			MaxPixels: int(c.Input.MaxMegapixels * 1e6), WorkPixels: int64(c.Limits.WorkMegapixels * 1e6),
		},
		Log: log,
	})
	group.Go(func() { s.estimator.Run(ctx) })
	return s, nil
}

// managerSocket decides between a manager's socket and standalone.
func (p program) managerSocket(c config.Depth) (string, bool) {
	switch {
	case c.Device.Standalone:
		return "", false
	case c.Device.Socket != "":
		return c.Device.Socket, true
	}
	conn, err := net.DialTimeout("unix", c.SocketPath(), time.Second)
	if errors.Is(err, os.ErrPermission) {
		return c.SocketPath(), true // it is there; the client will say what is missing
	}
	if err != nil {
		return "", false
	}
	_ = conn.Close() // it was only to see who listens
	return c.SocketPath(), true
}

func (p program) standalone(c config.Depth, registry *prometheus.Registry, log *slog.Logger) (*manager.Manager, string, error) {
	machine, err := backend.ThisMachine(p.getenv)
	if err != nil {
		return nil, "", err
	}
	choice, err := machine.Find(backend.Options{
		Name: c.Device.Backend, Threads: c.Device.ONNX.Threads, MemoryMB: c.Device.ONNX.MemoryMB, Spin: c.Device.ONNX.Spin,
	})
	if err != nil {
		return nil, "", err
	}
	if choice.Warning != "" {
		log.Warn(choice.Warning)
	}
	m, err := manager.New(manager.Options{
		Limits: manager.DefaultLimits(), Start: manager.StartProcess(choice.Command, log), Log: log, Registry: registry,
	})
	return m, choice.Name, err
}

// cacheDir is where the built-in model is unpacked: systemd's cache directory,
// else the user's. Empty when there is neither.
func (p program) cacheDir() string {
	if dir := p.getenv("CACHE_DIRECTORY"); filepath.IsAbs(dir) {
		return dir
	}
	if dir := p.getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "hailo-depth")
	}
	if home := p.getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".cache", "hailo-depth")
	}
	return ""
}
