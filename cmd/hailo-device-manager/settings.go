package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"

	"hailo-depth/config"
	"hailo-depth/device"
	"hailo-depth/manager"
)

// limits are the manager's bounds as configured.
func limits(c config.Manager) manager.Limits {
	l := manager.DefaultLimits()
	l.Queue, l.QueueBytes, l.MaxEvictions = c.Queue, c.QueueBytes, c.MaxEvictions
	l.Ageing, l.Group, l.GroupTime = c.Scheduling.Ageing, c.Scheduling.Group, c.Scheduling.GroupTime
	l.Overlap = c.Scheduling.Overlap
	l.KillAbandoned = c.Scheduling.KillAbandoned
	l.LoadTimeout, l.InferTimeout, l.DrainTimeout = c.Timeouts.Load, c.Timeouts.Infer, c.Timeouts.Drain
	l.ReleaseWait, l.Unfinished = c.Timeouts.Release, c.Timeouts.Unfinished
	l.Deaths, l.DeathWindow, l.BreakerPause = c.Breaker.Deaths, c.Breaker.Window, c.Breaker.Pause
	return l
}

// settings are what the configuration wants of the models.
func settings(c config.Manager) (manager.Settings, error) {
	keep := keepAlive(c.KeepAlive)
	s := manager.Settings{KeepAlive: &keep, Types: map[string]manager.TypeLimits{}}
	for name, t := range c.Types {
		s.Types[name] = manager.TypeLimits{Load: t.LoadTimeout, Infer: t.InferTimeout, Token: t.TokenTimeout}
	}
	for i, m := range c.Models {
		w := manager.Wanted{Name: m.Name, Model: device.Model{Type: m.Type, Path: m.Path}, Pinned: m.Pinned, Preload: m.Preload, WarmUp: m.WarmUp}
		if m.KeepAlive != nil {
			keep := keepAlive(*m.KeepAlive)
			w.KeepAlive = &keep
		}
		if len(m.Params) > 0 {
			var err error
			if w.Model.Params, err = json.Marshal(m.Params); err != nil {
				return s, &config.Error{Source: "configuration", Message: fmt.Sprintf("models[%d].params: %v", i, err)}
			}
		}
		s.Models = append(s.Models, w)
	}
	if err := s.Check(); err != nil {
		return s, &config.Error{Source: "configuration", Message: err.Error()}
	}
	return s, nil
}

// keepAlive is so many seconds; -1 for ever.
func keepAlive(seconds int64) time.Duration {
	if seconds < 0 {
		return -1
	}
	return time.Duration(seconds) * time.Second
}

// sizesFile is where measured sizes are kept; empty: nowhere, since no folder
// for them is known or wanted.
func sizesFile(c config.Manager, getenv func(string) string) string {
	const name = "sizes.json"
	switch {
	case c.StateDir == "off":
		return ""
	case c.StateDir != "":
		return filepath.Join(c.StateDir, name)
	}
	// systemd may name several, separated by colons.
	if dirs := filepath.SplitList(getenv("STATE_DIRECTORY")); len(dirs) > 0 && filepath.IsAbs(dirs[0]) {
		return filepath.Join(dirs[0], name)
	}
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "hailo-device-manager", name)
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local/state/hailo-device-manager", name)
	}
	return ""
}
