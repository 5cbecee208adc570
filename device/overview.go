package device

import "time"

// Overview is what `hailo-device-manager ps` shows: the device, the models and
// the queue at one moment. Its JSON is the answer of GET /v1/ps.
type Overview struct {
	At     time.Time       `json:"at"`
	Ready  string          `json:"not_ready_reason,omitzero"` // why requests would fail; empty when they would not
	Device DeviceOverview  `json:"device"`
	Models []ModelOverview `json:"models"`
	Queue  QueueOverview   `json:"queue"`
}

// DeviceOverview is the device. Values that it cannot tell are nil or 0.
type DeviceOverview struct {
	ID                 string    `json:"id"`
	Backend            string    `json:"backend"` // onnx, sim, hailort
	Architecture       string    `json:"architecture"`
	Firmware           string    `json:"firmware"`
	TemperatureCelsius *float64  `json:"temperature_celsius"`
	MemoryTotalBytes   int64     `json:"memory_total_bytes"`
	MemoryUsedBytes    int64     `json:"memory_used_bytes"`
	Utilization        *float64  `json:"utilization"`  // of the neural cores as the library says, 0..1
	BusySeconds        float64   `json:"busy_seconds"` // with operations since the manager's start
	WorkerRestarts     int       `json:"worker_restarts"`
	OpenedAt           time.Time `json:"opened_at,omitzero"` // by the present worker
}

// The states of a model.
const (
	StateLoading  = "loading"
	StateIdle     = "idle"
	StateRunning  = "running"
	StateUnloaded = "unloaded" // configured or pinned, but not on the device now
)

// ModelOverview is a model that is on the device, or should be.
type ModelOverview struct {
	Name         string    `json:"name"` // as configured, else the file's
	Type         string    `json:"type"`
	Path         string    `json:"path"`
	State        string    `json:"state"`
	Pinned       bool      `json:"pinned"`
	MemoryBytes  int64     `json:"memory_bytes"` // measured or as the library says; 0 unknown
	LoadSeconds  float64   `json:"load_seconds"` // the last load took so long
	LoadedAt     time.Time `json:"loaded_at,omitzero"`
	LastUsed     time.Time `json:"last_used,omitzero"`
	IdleSeconds  float64   `json:"idle_seconds"`
	KeepAlive    float64   `json:"keep_alive_seconds"` // -1: until evicted; 0: unloaded after each request
	ExpiresAt    time.Time `json:"expires_at,omitzero"`
	Uses         int64     `json:"uses"`          // inferences since it was loaded
	Waiting      int       `json:"waiting"`       // requests in the queue for it
	InferSeconds float64   `json:"infer_seconds"` // of the last inferences, a moving mean
	FirstSeconds float64   `json:"first_seconds"` // the same mean soon after its load: InferSeconds far above it is drift
}

// QueueOverview is who waits.
type QueueOverview struct {
	Waiting    int              `json:"waiting"`
	Limit      int              `json:"limit"`
	Bytes      int64            `json:"bytes"`
	BytesLimit int64            `json:"bytes_limit"`
	Running    *RunningOverview `json:"running,omitzero"`
	Prepared   int              `json:"prepared,omitzero"` // requests of the same model that the worker has already, besides; 0 or 1
	Clients    []ClientOverview `json:"clients"`
}

// RunningOverview is the operation that has the device.
type RunningOverview struct {
	Action   string    `json:"action"` // load, infer, unload, or upkeep: the manager's own
	Model    string    `json:"model"`  // Type:Path
	Client   string    `json:"client"`
	Priority int       `json:"priority"`
	Since    time.Time `json:"since"`
}

// ClientOverview is what one client has in the queue at one priority.
type ClientOverview struct {
	Client        string  `json:"client"`
	Priority      int     `json:"priority"`
	Waiting       int     `json:"waiting"`
	OldestSeconds float64 `json:"oldest_seconds"`
}
