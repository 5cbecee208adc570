package main

import (
	"context"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"

	"hailo-depth/config"
	"hailo-depth/device"
	"hailo-depth/inferapi"
	"hailo-depth/manager"
)

// reloader applies a changed configuration to a running manager. It is safe for
// concurrent use.
type reloader struct {
	configure func() (config.Manager, error) // reads everything again, as the start did
	manager   *manager.Manager
	log       *slog.Logger

	mu      sync.Mutex
	current config.Manager // what holds
	models  atomic.Pointer[[]inferapi.Named]
}

func newReloader(c config.Manager, wanted manager.Settings, configure func() (config.Manager, error), m *manager.Manager, log *slog.Logger) *reloader {
	r := &reloader{configure: configure, manager: m, log: log, current: c}
	r.name(wanted)
	return r
}

// name has the HTTP interface find the models of s by their names.
func (r *reloader) name(s manager.Settings) {
	var list []inferapi.Named
	for _, w := range s.Models {
		n := inferapi.Named{Name: w.Name, Model: w.Model}
		if n.Name == "" {
			n.Name = device.ModelName(w.Model.Path)
		}
		list = append(list, n)
	}
	r.models.Store(&list)
}

// named are the models of the configuration that holds.
func (r *reloader) named() []inferapi.Named { return *r.models.Load() }

// reload reads the configuration again and applies what may change while the
// manager runs. restart lists the settings that differ from those the manager
// was started with and wait for its next start. With an error nothing has
// changed.
func (r *reloader) reload(context.Context) (restart []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, err := r.configure()
	if err != nil {
		return nil, err
	}
	s, err := settings(next)
	if err != nil {
		return nil, err
	}
	if err := r.manager.Apply(limits(next), s); err != nil {
		return nil, &config.Error{Source: "configuration", Message: err.Error()}
	}
	r.name(s)
	restart = differing(reflect.ValueOf(r.current), reflect.ValueOf(next), "")
	r.log.Info("configuration reloaded", "needs_restart", strings.Join(restart, ", "))
	return restart, nil
}

// reloadable reports whether reload applies a setting or section.
func reloadable(name string) bool {
	switch name {
	case "models", "types", "keep_alive", "max_evictions", "breaker", "queue", "queue_bytes", "scheduling",
		"timeouts.load", "timeouts.infer", "timeouts.release", "timeouts.unfinished":
		return true
	}
	return false
}

// differing lists the settings that reload does not apply and that differ.
func differing(a, b reflect.Value, prefix string) (names []string) {
	for i := range a.NumField() {
		name := prefix + a.Type().Field(i).Tag.Get("yaml")
		switch {
		case reloadable(name):
		case a.Field(i).Kind() == reflect.Struct:
			names = append(names, differing(a.Field(i), b.Field(i), name+".")...)
		case !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()):
			names = append(names, name)
		}
	}
	return names
}
