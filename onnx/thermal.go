package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// errNoSensor means that the machine has no temperature to report, as most
// virtual machines: absence, not failure.
var errNoSensor = errors.New("this machine has no thermal sensor")

// cpuTemperature reads the processor's temperature in °C from the thermal zones
// of sysfs (class/thermal/thermal_zoneN/{type,temp}; temp is in thousandths),
// preferring a zone that names the processor.
func cpuTemperature(sys fs.FS) (float64, error) {
	zones, err := fs.Glob(sys, "class/thermal/thermal_zone*")
	if err != nil || len(zones) == 0 {
		return 0, errNoSensor
	}
	best := zones[0]
	for _, zone := range zones {
		kind, err := fs.ReadFile(sys, path.Join(zone, "type"))
		if err == nil && (strings.Contains(string(kind), "cpu") || strings.Contains(string(kind), "x86_pkg")) {
			best = zone
			break
		}
	}
	text, err := fs.ReadFile(sys, path.Join(best, "temp"))
	if err != nil {
		return 0, fmt.Errorf("reading the thermal sensor: %w", err)
	}
	thousandths, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the thermal sensor says %q, which is no temperature", strings.TrimSpace(string(text)))
	}
	return float64(thousandths) / 1000, nil
}
