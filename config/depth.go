package config

import (
	"net"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"hailo-depth/depthapi"
	"hailo-depth/depthmap"
	"hailo-depth/device"
	"hailo-depth/logging"
	"hailo-depth/representation"
	"hailo-depth/strictyaml"
)

// Depth is the configuration of hailo-depth. The sections server, model,
// output, input, resources and resource_limits are those of the earlier service.
type Depth struct {
	Server struct {
		Host        string        `yaml:"host"`
		Port        int           `yaml:"port"`
		Timeout     time.Duration `yaml:"timeout"`      // of an estimate
		ReadTimeout time.Duration `yaml:"read_timeout"` // of a request's body
	} `yaml:"server"`
	Model struct {
		Name      string  `yaml:"name"` // empty: scdepthv3 on an NPU, pocketdepth on the CPU
		Type      string  `yaml:"type"`
		KeepAlive float64 `yaml:"keep_alive"` // seconds; -1: for ever; 0: unload after each request
	} `yaml:"model"`
	Output struct {
		Format         string `yaml:"format"`
		Colormap       string `yaml:"colormap"`
		Representation string `yaml:"representation"`
		Normalize      bool   `yaml:"normalize"`
		IncludeStats   bool   `yaml:"include_stats"`
		DepthPNG16     bool   `yaml:"depth_png_16"` // add the 16-bit PNG to every answer
	} `yaml:"output"`
	Input struct {
		AllowLocalPaths    bool          `yaml:"allow_local_paths"`
		AllowImageURL      bool          `yaml:"allow_image_url"`
		AllowLoopbackURLs  bool          `yaml:"allow_loopback_urls"`
		AllowLinkLocalURLs bool          `yaml:"allow_link_local_urls"`
		AllowMetadataURLs  bool          `yaml:"allow_metadata_urls"`
		AllowPrivateURLs   bool          `yaml:"allow_private_urls"`
		URLTimeout         time.Duration `yaml:"url_timeout"`
		MaxImageMB         float64       `yaml:"max_image_mb"`
		MaxMegapixels      float64       `yaml:"max_megapixels"`
		Orient             bool          `yaml:"orient"` // turn pictures upright by their EXIF orientation
	} `yaml:"input"`
	Resources struct {
		ModelDir       string `yaml:"model_dir"`
		PostprocessDir string `yaml:"postprocess_dir"` // of the earlier service; not used
	} `yaml:"resources"`
	ResourceLimits struct { // used by packaging only
		MemoryMax any `yaml:"memory_max"`
		CPUQuota  any `yaml:"cpu_quota"`
	} `yaml:"resource_limits"`
	Device struct {
		Socket     string `yaml:"socket"`     // empty: the default one if a manager answers there, else none
		APISocket  string `yaml:"api_socket"` // the manager's HTTP socket; empty: beside the other; off: not used
		Standalone bool   `yaml:"standalone"` // run the device manager inside this program
		Backend    string `yaml:"backend"`    // when standalone
		ONNX       ONNX   `yaml:"onnx"`       // when standalone
	} `yaml:"device"`
	Limits struct {
		Pictures       int     `yaml:"pictures"`        // requests in the service at once
		Queue          int     `yaml:"queue"`           // requests that wait for a place
		WorkMegapixels float64 `yaml:"work_megapixels"` // being decoded, resized or encoded at once
	} `yaml:"limits"`
	Log logging.Config `yaml:"log"`
}

// DefaultDepth holds the defaults that docs/operations.md states.
func DefaultDepth() Depth {
	var d Depth
	d.Server.Host, d.Server.Port = "0.0.0.0", 11439
	d.Server.Timeout, d.Server.ReadTimeout = 60*time.Second, 30*time.Second
	d.Model.Type, d.Model.KeepAlive = "monocular", -1
	d.Output.Format, d.Output.Colormap, d.Output.Normalize, d.Output.IncludeStats = "both", "viridis", true, true
	d.Output.Representation = string(representation.Raw)
	d.Input.AllowImageURL, d.Input.AllowPrivateURLs = true, true
	d.Input.URLTimeout, d.Input.MaxImageMB, d.Input.MaxMegapixels = 10*time.Second, 50, 64
	d.Resources.ModelDir = "/usr/share/hailo/models"
	d.Device.Backend = "auto"
	d.Limits.Pictures, d.Limits.Queue, d.Limits.WorkMegapixels = 2*runtime.NumCPU()+2, 64, 96
	d.Log = logging.Default()
	return d
}

// DepthFiles lists where the configuration is looked for, first one first: the
// file that people edit, then the form that the earlier service was given.
func DepthFiles(getenv func(string) string) []string {
	xdg := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(xdg) { // the specification has relative paths ignored
		xdg = "/etc/xdg"
	}
	return []string{"/etc/hailo/hailo-depth.yaml", filepath.Join(xdg, "hailo-depth", "hailo-depth.json")}
}

// LoadDepth reads the file named, or the first of DepthFiles that exists. It
// returns which one, "" for none.
func LoadDepth(file string, getenv func(string) string, d *Depth) (string, error) {
	if file != "" {
		_, err := strictyaml.DecodeFile(file, false, d)
		return file, err
	}
	for _, path := range DepthFiles(getenv) {
		found, err := strictyaml.DecodeFile(path, true, d)
		if found || err != nil {
			return path, err
		}
	}
	return "", nil
}

// Environment applies HAILO_DEVICE_SOCKET and HAILO_DEVICE_API_SOCKET.
func (d *Depth) Environment(lookup func(string) (string, bool)) {
	if v, ok := lookup("HAILO_DEVICE_SOCKET"); ok && v != "" {
		d.Device.Socket = v
	}
	if v, ok := lookup("HAILO_DEVICE_API_SOCKET"); ok && v != "" {
		d.Device.APISocket = v
	}
}

// Listen is server.host and server.port as one address.
func (d *Depth) Listen() string {
	return net.JoinHostPort(d.Server.Host, strconv.Itoa(d.Server.Port))
}

// SetListen takes --listen: host:port, or :port for all interfaces.
func (d *Depth) SetListen(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		d.Server.Host = host
		d.Server.Port, err = strconv.Atoi(port)
	}
	if err != nil {
		return &Error{Source: "--listen", Message: strconv.Quote(address) + " is no address; expected host:port"}
	}
	return nil
}

// KeepAlive is model.keep_alive as a duration, negative for ever.
func (d *Depth) KeepAlive() time.Duration {
	if d.Model.KeepAlive < 0 {
		return -1
	}
	return time.Duration(d.Model.KeepAlive * float64(time.Second))
}

// SocketPath is the socket to use when none was asked for.
func (d *Depth) SocketPath() string {
	if d.Device.Socket == "" {
		return device.DefaultSocket
	}
	return d.Device.Socket
}

// APISocketPath is the manager's HTTP socket: device.api_socket, by default
// manager.sock beside the other; empty when it is not to be used.
func (d *Depth) APISocketPath() string { return apiSocketPath(d.Device.APISocket, d.SocketPath()) }

// Validate checks every value; source names where they come from.
func (d *Depth) Validate(source string) error {
	c := check{source: source}
	c.that(d.Server.Port >= 0 && d.Server.Port <= 65535, "server.port", d.Server.Port, "0 to 65535")
	c.that(d.Server.Timeout >= 10*time.Millisecond, "server.timeout", d.Server.Timeout, "at least 10ms")
	c.that(d.Server.ReadTimeout >= 10*time.Millisecond, "server.read_timeout", d.Server.ReadTimeout, "at least 10ms")
	c.oneOf("model.type", d.Model.Type, "monocular")
	c.that(d.Model.KeepAlive == -1 || d.Model.KeepAlive >= 0 && d.Model.KeepAlive <= 1e9, "model.keep_alive", d.Model.KeepAlive, "-1 (for ever), 0 (unload after each request) or idle seconds")
	c.oneOf("output.format", d.Output.Format, depthapi.Formats()...)
	c.oneOf("output.colormap", d.Output.Colormap, depthmap.Colormaps()...)
	c.oneOf("output.representation", d.Output.Representation, representation.Names()...)
	c.that(d.Input.URLTimeout >= 10*time.Millisecond, "input.url_timeout", d.Input.URLTimeout, "at least 10ms")
	c.that(d.Input.MaxImageMB > 0 && d.Input.MaxImageMB <= 1024, "input.max_image_mb", d.Input.MaxImageMB, "more than 0, at most 1024")
	c.that(d.Input.MaxMegapixels > 0 && d.Input.MaxMegapixels <= 1000, "input.max_megapixels", d.Input.MaxMegapixels, "more than 0, at most 1000")
	c.oneOf("device.backend", d.Device.Backend, "auto", "onnx", "sim", "hailort")
	c.that(!d.Device.Standalone || d.Device.Socket == "", "device.standalone", d.Device.Standalone, "no device.socket beside it: use one of the two")
	c.onnx(d.Device.ONNX)
	c.that(d.Limits.Pictures >= 1 && d.Limits.Pictures <= 1024, "limits.pictures", d.Limits.Pictures, "1 to 1024")
	c.that(d.Limits.Queue >= 0 && d.Limits.Queue <= 65536, "limits.queue", d.Limits.Queue, "0 to 65536")
	c.that(d.Limits.WorkMegapixels >= 1 && d.Limits.WorkMegapixels <= 10000, "limits.work_megapixels", d.Limits.WorkMegapixels, "1 to 10000")
	c.log(d.Log)
	return c.err()
}
