package device

import "hailo-depth/tensor"

// The states of a model in the repository's index.
const (
	IndexReady       = "READY"       // it is loaded
	IndexUnavailable = "UNAVAILABLE" // the next request loads it
)

// IndexEntry is a model in the answer of POST /v2/repository/index.
type IndexEntry struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	ModelType string `json:"model_type"`
}

// LoadAnswer is the answer of POST /v2/repository/models/MODEL/load.
type LoadAnswer struct {
	Model               string       `json:"model_name"`
	Already             bool         `json:"already_loaded"`
	DetectionInputShape tensor.Shape `json:"detection_input_shape,omitzero"`
}

// Reloaded is the answer of POST /v1/reload.
type Reloaded struct {
	NeedRestart []string `json:"needs_restart"` // settings that changed and wait for the manager's next start
}

// UnloadAnswer is the answer of POST /v2/repository/models/MODEL/unload.
type UnloadAnswer struct {
	Model     string `json:"model_name"`
	WasLoaded bool   `json:"was_loaded"`
}
