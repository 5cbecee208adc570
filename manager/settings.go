package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hailo-depth/device"
	"hailo-depth/residency"
)

// Settings are what an operator wants of the models; the zero value keeps every
// model for as long as it fits. Manager.Apply changes them while the manager runs.
type Settings struct {
	Models    []Wanted
	KeepAlive *time.Duration        // of models that state none; nil or negative: for ever, 0: unloaded after each request
	Types     map[string]TypeLimits // by model type, over Limits
}

// Wanted is a model that the operator has named.
type Wanted struct {
	Name      string // for people; may be empty
	Model     device.Model
	KeepAlive *time.Duration // nil: Settings.KeepAlive
	Pinned    bool           // never evicted, loaded again whenever it is missing
	Preload   bool           // loaded at the start
	WarmUp    bool           // after a preload, run once on zeros
}

// TypeLimits bound the operations of one model type; 0: as Limits say. Infer is
// of one inference, or of a whole generation; Token is of a generation's first
// token and of each that follows.
type TypeLimits struct{ Load, Infer, Token time.Duration }

// Check says what is wrong with the settings, all of it; nil if nothing is.
func (s Settings) Check() error {
	var errs []error
	seen := map[key]bool{}
	for i, w := range s.Models {
		k := key{w.Model.Type, w.Model.Path}
		where := fmt.Sprintf("models[%d] (%s)", i, k)
		if _, ok := typeOf(k.modelType); !ok {
			errs = append(errs, fmt.Errorf("%s: %q is no model type", where, k.modelType))
		}
		if k.path == "" {
			errs = append(errs, fmt.Errorf("%s: it has no path", where))
		}
		if seen[k] {
			errs = append(errs, fmt.Errorf("%s: it is listed twice", where))
		}
		seen[k] = true
		if _, err := parseParams(w.Model.Params); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", where, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		if _, ok := typeOf(name); !ok {
			errs = append(errs, fmt.Errorf("types: %q is no model type", name))
		}
		if t := s.Types[name]; t.Load < 0 || t.Infer < 0 || t.Token < 0 {
			errs = append(errs, fmt.Errorf("types.%s: times must not be negative", name))
		}
	}
	return errors.Join(errs...)
}

// tuned is what of the configuration may change while the manager runs.
type tuned struct {
	limits   Limits
	settings Settings
}

func (t *tuned) wanted(k key) (Wanted, bool) {
	for _, w := range t.settings.Models {
		if (key{w.Model.Type, w.Model.Path}) == k {
			return w, true
		}
	}
	return Wanted{}, false
}

func (t *tuned) keepAlive(k key) time.Duration {
	if w, ok := t.wanted(k); ok && w.KeepAlive != nil {
		return *w.KeepAlive
	}
	if t.settings.KeepAlive != nil {
		return *t.settings.KeepAlive
	}
	return residency.Forever
}

// name is what the operator calls a model, else its file's name without the
// extension, as in the HTTP interface.
func (t *tuned) name(k key) string {
	if w, ok := t.wanted(k); ok && w.Name != "" {
		return w.Name
	}
	file := modelName(k.path)
	return strings.TrimSuffix(file, filepath.Ext(file))
}

// loadLimit is the time that one network of a type may take to load, inferLimit to run.
func (t *tuned) loadLimit(modelType string) time.Duration {
	return cmp.Or(t.settings.Types[modelType].Load, t.limits.LoadTimeout)
}

func (t *tuned) inferLimit(modelType string) time.Duration {
	return cmp.Or(t.settings.Types[modelType].Infer, t.limits.InferTimeout)
}

// generateLimits are what a generation may take in all, and for each token.
func (t *tuned) generateLimits(modelType string) (all, token time.Duration) {
	own := t.settings.Types[modelType]
	return cmp.Or(own.Infer, t.limits.GenerateTimeout), cmp.Or(own.Token, t.limits.TokenTimeout)
}

// Apply changes the settings and the limits, but for the times of starting and
// stopping and of reading statistics, which are those of New for good. What is
// under way goes on as it began; who waits goes on waiting, also where fewer
// might now. Settings that Check refuses change nothing.
func (m *Manager) Apply(l Limits, s Settings) error {
	if err := s.Check(); err != nil {
		return err
	}
	m.runtime.tuned.Store(&tuned{l, s})
	next := l.order()
	m.queue.order.Store(&next)
	m.runtime.wake()
	return nil
}

// Pin keeps a model on the device: it is loaded now, where it is not, never
// evicted, and loaded again whenever it is missing, after a worker's death for
// instance. A model that cannot be loaded is not pinned. Unpinning leaves it
// where it is, as any other. A pin holds until the manager ends; one of the
// settings can be taken off, too, until they are next applied.
func (m *Manager) Pin(ctx context.Context, model device.Model, pinned bool) error {
	k := key{model.Type, model.Path}
	if !pinned {
		return m.do(ctx, request{action: "unpin", model: model}, func(context.Context) (time.Duration, error) {
			m.runtime.unpin(k)
			return 0, nil
		})
	}
	if err := m.admit(ctx, "pin", model); err != nil {
		return err
	}
	return m.do(ctx, request{action: "pin", model: model}, func(life context.Context) (time.Duration, error) {
		began := time.Now()
		if err := m.runtime.pin(life, model); err != nil {
			return 0, asLoadError(err)
		}
		return time.Since(began), nil
	})
}
