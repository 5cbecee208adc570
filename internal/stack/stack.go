// Package stack runs both daemons as real processes, on free ports and a
// private socket, for the demonstration, the benchmark and tests.
package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Config says what to run.
type Config struct {
	Bin      string   // folder of the programs
	Logs     string   // folder for their logs
	Backend  string   // of the manager
	ModelDir string   // of the depth service
	Model    string   // empty: the device's default
	Manager  string   // further lines of the manager's configuration file
	Depth    string   // further lines of the service's
	Env      []string // for both, "NAME=value"
}

// Stack is the running pair.
type Stack struct {
	Manager, Depth *Process
	Socket         string
	APISocket      string // HTTP
	StatusURL      string // of the manager
	URL            string // of the service
	config         Config
	dir            string
}

// Start runs both and waits until the service is ready. On an error everything
// that was started is stopped.
func Start(ctx context.Context, c Config) (s *Stack, err error) {
	// The socket's path must be short, which folders of tests are not.
	dir, err := os.MkdirTemp("", "hailo")
	if err != nil {
		return nil, err
	}
	s = &Stack{config: c, dir: dir, Socket: filepath.Join(dir, "device.sock"), APISocket: filepath.Join(dir, "manager.sock")}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if err := s.RestartManager(ctx); err != nil {
		return s, err
	}
	return s, s.startDepth(ctx, c)
}

// RestartManagerWith is RestartManager with other further lines of configuration.
func (s *Stack) RestartManagerWith(ctx context.Context, lines string) error {
	s.config.Manager = lines
	return s.RestartManager(ctx)
}

// RestartManager starts the manager, again if it has ended, on the same sockets.
func (s *Stack) RestartManager(ctx context.Context) (err error) {
	c := s.config
	path, err := s.configure("manager.yaml", c.Manager)
	if err != nil {
		return err
	}
	s.Manager, err = Run(filepath.Join(c.Bin, "hailo-device-manager"), c.Logs, c.Env,
		"--config", path, "--socket", s.Socket, "--backend", c.Backend, "--http", "127.0.0.1:0")
	if err != nil {
		return err
	}
	line, err := s.Manager.Await(ctx, "listening")
	if err != nil {
		return err
	}
	s.StatusURL = fmt.Sprintf("http://%v", line["http"])
	return nil
}

func (s *Stack) startDepth(ctx context.Context, c Config) (err error) {
	path, err := s.configure("depth.yaml", c.Depth)
	if err != nil {
		return err
	}
	args := []string{"serve", "--config", path, "--socket", s.Socket, "--listen", "127.0.0.1:0", "--model-dir", c.ModelDir}
	if c.Model != "" {
		args = append(args, "--model", c.Model)
	}
	if s.Depth, err = Run(filepath.Join(c.Bin, "hailo-depth"), c.Logs, c.Env, args...); err != nil {
		return err
	}
	line, err := s.Depth.Await(ctx, "serving")
	if err != nil {
		return err
	}
	s.URL = fmt.Sprint(line["address"])
	return s.AwaitReady(ctx)
}

// configure writes a configuration file; logs are JSON, which this package reads.
func (s *Stack) configure(name, lines string) (string, error) {
	path := filepath.Join(s.dir, name)
	return path, os.WriteFile(path, []byte("log: {format: json, level: info}\n"+lines), 0o600)
}

// AwaitReady waits until the service says that it is ready.
func (s *Stack) AwaitReady(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/health/ready", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(r)
		if err == nil {
			_ = response.Body.Close() // only the status counts
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the depth service is not ready; see %s and %s", s.Depth.log, s.Manager.log)
		case <-tick.C:
		}
	}
}

// stopPatience is more than the daemons' own deadlines.
const stopPatience = 30 * time.Second

// Stop ends both, the service first, and removes what Start made.
func (s *Stack) Stop() error {
	var err error
	for _, p := range []*Process{s.Depth, s.Manager} {
		if p != nil {
			err = errors.Join(err, p.Stop(stopPatience))
		}
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
