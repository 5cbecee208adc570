package inferapi

import (
	"net/http"

	"hailo-depth/device"
)

func (s *session) server(w http.ResponseWriter, _ *http.Request) error {
	s.write(w, http.StatusOK, struct {
		Name       string   `json:"name"`
		Version    string   `json:"version"`
		Extensions []string `json:"extensions"`
	}{"hailo-device-manager", s.Version, []string{"binary_tensor_data", "model_repository", "parameters"}})
	return nil
}

// live is for "restart me": it fails only when the scheduler is stuck.
func (s *session) live(w http.ResponseWriter, r *http.Request) error {
	if !s.Manager.Alive(r.Context()) {
		return &device.Error{Kind: device.KindUnavailable, Message: "the scheduler does not answer"}
	}
	s.write(w, http.StatusOK, struct {
		Live bool `json:"live"`
	}{true})
	return nil
}

// ready is for "send me work": its error says what is missing.
func (s *session) ready(w http.ResponseWriter, _ *http.Request) error {
	if err := s.deviceReady(); err != nil {
		return err
	}
	s.write(w, http.StatusOK, struct {
		Ready bool `json:"ready"`
	}{true})
	return nil
}

func (s *session) deviceReady() error {
	if why := s.Manager.Ready(); why != "" {
		return &device.Error{Kind: device.KindUnavailable, Message: why}
	}
	return nil
}
