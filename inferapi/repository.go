package inferapi

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json"

	"hailo-depth/device"
	"hailo-depth/oip"
)

// question is the body of what asks for no inference.
type question struct {
	Parameters oip.Parameters `json:"parameters"`
	Ready      bool           `json:"ready"`
}

// ask reads a question; an empty body asks nothing.
func (s *session) ask(w http.ResponseWriter, r *http.Request) (q question, err error) {
	b, err := s.readBody(w, r)
	if err != nil {
		return q, err
	}
	defer b.release(true)
	if len(b.bytes) == 0 {
		return q, nil
	}
	if err := json.Unmarshal(b.bytes, &q); err != nil {
		return q, invalid("the body is not as expected, an object such as {\"parameters\": {}}: %v", err)
	}
	return q, nil
}

// index lists the configured models and, for trusted clients, those that are
// loaded.
func (s *session) index(w http.ResponseWriter, r *http.Request) error {
	q, err := s.ask(w, r)
	if err != nil {
		return err
	}
	status, err := s.Manager.Status(r.Context())
	if err != nil {
		return err
	}
	loaded := map[[2]string]bool{}
	for _, l := range status.Models {
		loaded[[2]string{l.Type, l.Path}] = true
	}
	list := []device.IndexEntry{}
	add := func(name, modelType string, ready bool) {
		e := device.IndexEntry{Name: name, Version: version, State: device.IndexReady, ModelType: modelType}
		if !ready {
			e.State, e.Reason = device.IndexUnavailable, "not loaded; the next inference loads it"
		}
		if ready || !q.Ready {
			list = append(list, e)
		}
	}
	for _, c := range s.configured() {
		k := [2]string{c.Type, c.Path}
		add(c.Name, c.Type, loaded[k])
		delete(loaded, k)
	}
	for _, l := range status.Models {
		if s.access.Trusted && loaded[[2]string{l.Type, l.Path}] {
			add(device.ModelName(l.Path), l.Type, true)
		}
	}
	s.write(w, http.StatusOK, list)
	return nil
}

func (s *session) load(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel, name, m, err := s.asked(w, r)
	if err != nil {
		return err
	}
	defer cancel()
	l, err := s.Manager.Load(ctx, m)
	if err != nil {
		return err
	}
	s.write(w, http.StatusOK, device.LoadAnswer{Model: name, Already: l.Already, DetectionInputShape: l.DetectionInputShape})
	return nil
}

func (s *session) unload(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel, name, m, err := s.asked(w, r)
	if err != nil {
		return err
	}
	defer cancel()
	was, err := s.Manager.Unload(ctx, m)
	if err != nil {
		return err
	}
	s.write(w, http.StatusOK, device.UnloadAnswer{Model: name, WasLoaded: was})
	return nil
}

func (s *session) pin(w http.ResponseWriter, r *http.Request) error   { return s.setPin(w, r, true) }
func (s *session) unpin(w http.ResponseWriter, r *http.Request) error { return s.setPin(w, r, false) }

func (s *session) setPin(w http.ResponseWriter, r *http.Request, pinned bool) error {
	ctx, cancel, name, m, err := s.asked(w, r)
	if err != nil {
		return err
	}
	defer cancel()
	if err := s.Manager.Pin(ctx, m, pinned); err != nil {
		return err
	}
	s.write(w, http.StatusOK, struct {
		Model  string `json:"model_name"`
		Pinned bool   `json:"pinned"`
	}{name, pinned})
	return nil
}

// asked reads a request about a model, and on what terms it waits.
func (s *session) asked(w http.ResponseWriter, r *http.Request) (ctx context.Context, cancel context.CancelFunc, name string, m device.Model, err error) {
	q, err := s.ask(w, r)
	if err == nil {
		name, m, err = s.model(r, q.Parameters)
	}
	if err == nil {
		ctx, cancel, err = onTerms(r.Context(), q.Parameters)
	}
	return ctx, cancel, name, m, err
}

func (s *session) ps(w http.ResponseWriter, r *http.Request) error {
	s.write(w, http.StatusOK, s.Manager.Overview(r.Context()))
	return nil
}

func (s *session) reload(w http.ResponseWriter, r *http.Request) error {
	restart, err := s.Reload(r.Context())
	if err != nil {
		return invalid("the configuration was not reloaded; the one before holds: %v", err)
	}
	s.write(w, http.StatusOK, device.Reloaded{NeedRestart: append([]string{}, restart...)})
	return nil
}
