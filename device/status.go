package device

import (
	"math"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
)

// wireStatus is the device_status object, whose field order clients print.
type wireStatus struct {
	Device        *wireDevice   `json:"device"`
	Networks      *wireNetworks `json:"networks"`
	Uptime        float64       `json:"uptime_seconds"`
	QueueDepth    int           `json:"queue_depth"`
	Evictions     int           `json:"total_lru_evictions"`
	RuntimeBroken *string       `json:"runtime_broken_reason"`
	EventReason   *string       `json:"last_capacity_event_reason"`
	EventModel    *string       `json:"last_capacity_event_model"`
	EventAt       *float64      `json:"last_capacity_event_at"`
}

type wireDevice struct {
	DeviceID       *string  `json:"device_id"`
	Architecture   *string  `json:"architecture"`
	Firmware       *string  `json:"fw_version"`
	Temperature    *float64 `json:"temperature_celsius"`
	TemperatureErr string   `json:"temperature_error,omitzero"`
	IdentifyErr    string   `json:"identify_error,omitzero"`
}

type wireNetworks struct {
	Status       string        `json:"status"`
	Source       string        `json:"source"`
	NetworkCount int           `json:"network_count"`
	Networks     []wireNetwork `json:"networks"`
}

type wireNetwork struct {
	Name     string  `json:"name,omitzero"`
	Type     string  `json:"model_type"`
	Path     string  `json:"model_path"`
	LoadedAt float64 `json:"loaded_at"`
	LastUsed float64 `json:"last_used"`
}

// MarshalDeviceStatus writes the answer to device_status, without request_id.
func MarshalDeviceStatus(s Status) ([]byte, error) {
	return json.Marshal(struct {
		Status string `json:"status"`
		wireStatus
	}{"ok", s.wire()})
}

// MarshalStatus writes the answer to ping and status, without request_id.
func MarshalStatus(s Status) ([]byte, error) {
	w := s.wire()
	models := make([]wireNetwork, len(w.Networks.Networks))
	for i, n := range w.Networks.Networks {
		n.Name = ""
		models[i] = n
	}
	return json.Marshal(struct {
		Status        string        `json:"status"`
		DeviceID      *string       `json:"device_id"`
		Models        []wireNetwork `json:"loaded_models"`
		Uptime        float64       `json:"uptime_seconds"`
		SocketPath    string        `json:"socket_path"`
		QueueDepth    int           `json:"queue_depth"`
		Evictions     int           `json:"total_lru_evictions"`
		RuntimeBroken *string       `json:"runtime_broken_reason"`
		EventReason   *string       `json:"last_capacity_event_reason"`
		EventModel    *string       `json:"last_capacity_event_model"`
		EventAt       *float64      `json:"last_capacity_event_at"`
	}{"ok", w.Device.DeviceID, models, w.Uptime, s.SocketPath, w.QueueDepth, w.Evictions,
		w.RuntimeBroken, w.EventReason, w.EventModel, w.EventAt})
}

func (s Status) wire() wireStatus {
	w := wireStatus{
		Device: &wireDevice{
			DeviceID: optional(s.DeviceID), Architecture: optional(s.Architecture), Firmware: optional(s.Firmware),
			Temperature: s.Temperature, TemperatureErr: s.TemperatureErr, IdentifyErr: s.IdentifyErr,
		},
		Networks:      &wireNetworks{Status: "ok", Source: "device_manager", NetworkCount: len(s.Models), Networks: []wireNetwork{}},
		Uptime:        math.Round(s.Uptime.Seconds()*1000) / 1000,
		QueueDepth:    s.QueueDepth,
		Evictions:     s.Evictions,
		RuntimeBroken: optional(s.RuntimeBroken),
		EventReason:   optional(s.CapacityEvent.Reason),
		EventModel:    optional(s.CapacityEvent.Model),
	}
	if !s.CapacityEvent.At.IsZero() {
		at := unixSeconds(s.CapacityEvent.At)
		w.EventAt = &at
	}
	for _, m := range s.Models {
		w.Networks.Networks = append(w.Networks.Networks, wireNetwork{
			Name: filepath.Base(m.Path), Type: m.Type, Path: m.Path,
			LoadedAt: unixSeconds(m.LoadedAt), LastUsed: unixSeconds(m.LastUsed),
		})
	}
	return w
}

func (w wireStatus) status() Status {
	s := Status{
		Uptime:        time.Duration(w.Uptime * float64(time.Second)),
		QueueDepth:    w.QueueDepth,
		Evictions:     w.Evictions,
		RuntimeBroken: text(w.RuntimeBroken),
		CapacityEvent: CapacityEvent{Reason: text(w.EventReason), Model: text(w.EventModel)},
	}
	if w.EventAt != nil {
		s.CapacityEvent.At = fromUnixSeconds(*w.EventAt)
	}
	if d := w.Device; d != nil {
		s.DeviceID, s.Architecture, s.Firmware = text(d.DeviceID), text(d.Architecture), text(d.Firmware)
		s.Temperature, s.TemperatureErr, s.IdentifyErr = d.Temperature, d.TemperatureErr, d.IdentifyErr
	}
	if w.Networks != nil {
		for _, n := range w.Networks.Networks {
			s.Models = append(s.Models, LoadedModel{
				Type: n.Type, Path: n.Path, LoadedAt: fromUnixSeconds(n.LoadedAt), LastUsed: fromUnixSeconds(n.LastUsed),
			})
		}
	}
	return s
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

func fromUnixSeconds(s float64) time.Time { return time.UnixMicro(int64(math.Round(s * 1e6))) }
