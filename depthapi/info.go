package depthapi

import (
	"encoding/base64"
	"math"
	"net/http"
	"time"

	"hailo-depth/depth"
	"hailo-depth/depthmap"
	"hailo-depth/manifest"
	"hailo-depth/representation"
)

const serviceName = "hailo-depth"

// modelName and modelType are null while the device, and with it the model, is unknown.
func modelName(s depth.State) *string {
	if s.Model == nil {
		return nil
	}
	return &s.Model.Name
}

func modelType(s depth.State) string {
	if s.Model == nil {
		return "monocular"
	}
	return s.Model.Type
}

func (a *API) health(w http.ResponseWriter, _ *http.Request) {
	s := a.Estimator.State()
	var lastError *string
	if text := a.Estimator.LastError(); text != "" {
		lastError = &text
	}
	a.writeJSON(w, http.StatusOK, struct {
		Status         string  `json:"status"`
		Service        string  `json:"service"`
		Model          *string `json:"model"`
		ModelType      string  `json:"model_type"`
		ModelLoaded    bool    `json:"model_loaded"`
		LastError      *string `json:"last_error"`
		InferenceCount int64   `json:"inference_count"`
		Uptime         float64 `json:"uptime_seconds"`
	}{"ok", serviceName, modelName(s), modelType(s), s.Loaded, lastError, a.Estimator.Done(),
		math.Round(time.Since(a.Started).Seconds()*100) / 100})
}

func (a *API) ready(w http.ResponseWriter, _ *http.Request) {
	answer := struct {
		Ready  bool   `json:"ready"`
		Reason string `json:"reason,omitzero"`
	}{Reason: a.Estimator.State().Reason}
	answer.Ready = answer.Reason == ""
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	a.writeJSON(w, status, answer)
}

// output says what a model's numbers mean.
type output struct {
	Meaning string `json:"meaning"`
	Near    string `json:"near"`
	Unit    string `json:"unit"`
	// Invariance: what relative numbers leave open, scale or affine (scale and shift).
	Invariance string `json:"invariance,omitzero"`
	// Representations are those that need nothing but the picture; depth may need a
	// depth_range.
	Representations []string `json:"representations"`
}

func outputOf(o manifest.Output) *output {
	out := &output{Meaning: o.Meaning, Near: o.Near, Unit: o.Unit, Invariance: o.Invariance}
	for _, name := range representation.Names() {
		if _, err := representation.New(o, representation.Name(name), representation.Range{}); err == nil {
			out.Representations = append(out.Representations, name)
		}
	}
	return out
}

func (a *API) info(w http.ResponseWriter, _ *http.Request) {
	type model struct {
		Name    *string `json:"name"`
		Type    string  `json:"type"`
		Loaded  bool    `json:"loaded"`
		Licence string  `json:"licence,omitzero"`
		Output  *output `json:"output,omitzero"`
	}
	type device struct {
		ID           string   `json:"id"`
		Architecture string   `json:"architecture"`
		Firmware     string   `json:"firmware"`
		Temperature  *float64 `json:"temperature_celsius"`
		QueueDepth   int      `json:"queue_depth"`
	}
	type capabilities struct {
		Monocular       bool     `json:"monocular"`
		Stereo          bool     `json:"stereo"`
		OutputFormats   []string `json:"output_formats"`
		Colormaps       []string `json:"colormaps"`
		Representations []string `json:"representations"`
	}
	s := a.Estimator.State()
	answer := struct {
		Service      string       `json:"service"`
		Version      string       `json:"version"`
		Model        model        `json:"model"`
		Device       *device      `json:"device"`
		Capabilities capabilities `json:"capabilities"`
	}{
		Service: serviceName, Version: a.Version,
		Model:        model{Name: modelName(s), Type: modelType(s), Loaded: s.Loaded},
		Capabilities: capabilities{Monocular: true, OutputFormats: Formats(), Colormaps: depthmap.Colormaps(), Representations: representation.Names()},
	}
	if s.Model != nil {
		answer.Model.Licence = s.Model.Licence
		answer.Model.Output = outputOf(s.Model.Output)
	}
	if d := s.Device; d != nil {
		answer.Device = &device{d.DeviceID, d.Architecture, d.Firmware, d.Temperature, d.QueueDepth}
	}
	a.writeJSON(w, http.StatusOK, answer)
}

func (a *API) models(w http.ResponseWriter, _ *http.Request) {
	type entry struct {
		Name        string `json:"name"`
		Type        string `json:"type"`
		Description string `json:"description"`
	}
	list, err := a.Estimator.Models()
	if err != nil {
		a.fail(w, err)
		return
	}
	answer := struct {
		Models []entry `json:"models"`
	}{[]entry{}}
	for _, m := range list {
		answer.Models = append(answer.Models, entry{m.Name, m.Type, m.Description})
	}
	a.writeJSON(w, http.StatusOK, answer)
}

// colormaps gives each colormap's 256 RGB triples, so that a client can colour
// a map itself.
func (a *API) colormaps(w http.ResponseWriter, _ *http.Request) {
	tables := map[string]string{}
	for _, name := range depthmap.Colormaps() {
		c, err := depthmap.Lookup(name)
		if err != nil {
			a.fail(w, err)
			return
		}
		var rgb []byte
		for _, color := range c.Colors {
			rgb = append(rgb, color[:]...)
		}
		tables[name] = base64.StdEncoding.EncodeToString(rgb)
	}
	a.writeJSON(w, http.StatusOK, struct {
		Names  []string          `json:"names"`
		Tables map[string]string `json:"tables"`
	}{depthmap.Colormaps(), tables})
}
