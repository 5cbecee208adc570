package onnx

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// zones is a /sys with thermal zones; each has a type and a temperature, ""
// where the file is missing.
func zones(list ...[2]string) fs.FS {
	sys := fstest.MapFS{"class/thermal/cooling_device0/type": {Data: []byte("fan\n")}}
	for i, z := range list {
		dir := "class/thermal/thermal_zone" + string(rune('0'+i))
		sys[dir+"/mode"] = &fstest.MapFile{Data: []byte("enabled\n")}
		for j, name := range []string{"type", "temp"} {
			if z[j] != "" {
				sys[dir+"/"+name] = &fstest.MapFile{Data: []byte(z[j] + "\n")}
			}
		}
	}
	return sys
}

func TestTemperature(t *testing.T) {
	for name, c := range map[string]struct {
		sys  fs.FS
		want float64
	}{
		"Raspberry Pi": {zones([2]string{"cpu-thermal", "48850"}), 48.85},
		"PC":           {zones([2]string{"acpitz", "27800"}, [2]string{"iwlwifi_1", ""}, [2]string{"x86_pkg_temp", "61000"}), 61},
		"unnamed":      {zones([2]string{"soc", "35000"}, [2]string{"gpu", "90000"}), 35},
		"no type":      {zones([2]string{"", "35500"}), 35.5},
		"two of them":  {zones([2]string{"board", "1"}, [2]string{"cpu0", "50000"}, [2]string{"cpu1", "60000"}), 50},
		"frost":        {zones([2]string{"cpu", "-5500"}), -5.5},
	} {
		got, err := cpuTemperature(c.sys)
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
}

func TestTemperatureThatCannotBeRead(t *testing.T) {
	for name, sys := range map[string]fs.FS{"no zone": zones(), "no sysfs": fstest.MapFS{}} {
		if _, err := cpuTemperature(sys); !errors.Is(err, errNoSensor) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cpuTemperature(zones([2]string{"cpu", ""})); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "reading the thermal sensor: ") {
		t.Errorf("a zone without a temperature: %v", err)
	}
	if _, err := cpuTemperature(zones([2]string{"cpu", "warm"})); err == nil || err.Error() != `the thermal sensor says "warm", which is no temperature` {
		t.Errorf("a word: %v", err)
	}
}

func TestStatisticsHaveTheTemperature(t *testing.T) {
	b := &Backend{sys: zones([2]string{"cpu", "40000"})}
	if s := b.Statistics(); s.TemperatureCelsius == nil || *s.TemperatureCelsius != 40 || s.TemperatureError != "" {
		t.Errorf("%+v", s)
	}
	b.sys = zones()
	if s := b.Statistics(); s.TemperatureCelsius != nil || s.TemperatureError != errNoSensor.Error() {
		t.Errorf("%+v", s)
	}
}
