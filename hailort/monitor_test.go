//go:build hailort

package hailort

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"hailo-depth/worker"
)

func TestStatistics(t *testing.T) {
	script(t, "set temperature 61.5", "set nnc_utilization 40", "set memory_bytes 8388608", "set memory_base_bytes 1048576")
	b := open(t, Config{})
	var s worker.Statistics
	eventually(t, "the temperature is known", func() bool { s = b.Statistics(); return s.TemperatureCelsius != nil })
	if *s.TemperatureCelsius != 61.5 || s.TemperatureError != "" {
		t.Errorf("temperature %v, %q", *s.TemperatureCelsius, s.TemperatureError)
	}
	if s.MemoryTotalBytes != 8<<20 || s.MemoryUsedBytes != 1<<20 || s.Utilization == nil || *s.Utilization != 0.4 {
		t.Errorf("got %+v", s)
	}
	if s.UnfinishedJobs != 0 || s.OldestUnfinishedMS != 0 {
		t.Errorf("unfinished: %+v", s)
	}
}

// What the device cannot tell is said to be unknown.
func TestUnknownStatistics(t *testing.T) {
	script(t, "on Device::get_chip_temperature 1+ status 7", "on Device::query_performance_stats 2+ status 62", "set nnc_utilization -1")
	b := open(t, Config{Poll: time.Millisecond})
	eventually(t, "an error is known", func() bool {
		s := b.Statistics()
		return s.TemperatureCelsius == nil && strings.Contains(s.TemperatureError, "HAILO_NOT_IMPLEMENTED(7)") &&
			s.MemoryTotalBytes == 0 && s.MemoryUsedBytes == 0 && s.Utilization == nil
	})
}

// A false timeout of a reading is not seen: it is asked for again.
func TestFalseTimeoutOfTemperature(t *testing.T) {
	script(t, "on Device::get_chip_temperature 1 false_timeout")
	b := open(t, Config{})
	eventually(t, "there is a reading", func() bool { return b.Statistics().TemperatureError != "not measured yet" })
	if s := b.Statistics(); s.TemperatureCelsius == nil {
		t.Errorf("got %+v", s)
	}
}

// Statistics answer at once while the device is slow to tell, and while a model
// loads; and the temperature is read while a load goes on.
func TestStatisticsDoNotWait(t *testing.T) {
	script(t, "on VDevice::create_infer_model 1 delay 2000")
	b := open(t, Config{Poll: time.Millisecond})
	loaded := make(chan *running)
	path := depth(t)
	go func() { loaded <- load(t, b, worker.LoadSpec{Path: path}) }()
	eventually(t, "the load is under way", func() bool { return counted(t, "calls.VDevice::create_infer_model") == 1 })
	before := counted(t, "calls.Device::get_chip_temperature")
	eventually(t, "the temperature is read", func() bool { return counted(t, "calls.Device::get_chip_temperature") > before+2 })
	select {
	case <-loaded:
		t.Fatal("the load ended before the temperature was read")
	default:
	}
	change(t, "on Device::get_chip_temperature 1+ delay 3000")
	before = counted(t, "calls.Device::get_chip_temperature")
	eventually(t, "a slow reading is under way", func() bool { return counted(t, "calls.Device::get_chip_temperature") > before })
	began := time.Now()
	b.Statistics()
	if took := time.Since(began); took > time.Second {
		t.Errorf("statistics took %v", took)
	}
	change(t)
	(<-loaded).unload(t)
}

// A chip that failed its self-test is worth a warning, and serves.
func TestSelfTest(t *testing.T) {
	for _, c := range []struct {
		script []string
		warns  bool
	}{
		{[]string{"set bist_failures 5"}, true},
		{nil, false},
		{[]string{"set bist_failures -1"}, false},
		{[]string{"set bist_failures 5", "on Device::query_health_stats 1 status 7"}, false},
	} {
		script(t, c.script...)
		var log strings.Builder
		b, err := Open(Config{Poll: time.Hour, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		load(t, b, worker.LoadSpec{Path: depth(t)}).unload(t)
		if err := b.Close(); err != nil { // with it the monitor has ended
			t.Error(err)
		}
		if got := strings.Contains(log.String(), "self-test has failed"); got != c.warns {
			t.Errorf("%v: the log says %q", c.script, log.String())
		}
	}
}
