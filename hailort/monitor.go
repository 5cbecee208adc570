//go:build hailort

package hailort

// #include "shim.h"
import "C"

import (
	"log/slog"
	"sync"
	"time"

	"hailo-depth/worker"
)

// monitor asks the device how it is, on a connection of its own, and keeps the
// answers: they take some 0.3 s each, or 10 s when one gets lost.
type monitor struct {
	device *C.npu_device
	log    *slog.Logger
	ask    chan chan memory // for a fresh reading of the memory
	poke   chan struct{}    // for one that nobody waits for; has room for it
	end    chan struct{}
	ended  chan struct{}

	mu      sync.Mutex
	last    worker.Statistics
	changed time.Time // something came to the device or left it
}

// settling is how long after a change the memory is measured whenever somebody
// looks, who may wait for it to come back.
const settling = 10 * time.Second

// memory is that of the device, in bytes; total 0: unknown.
type memory struct {
	used, total int64
}

func watch(device *C.npu_device, every time.Duration, log *slog.Logger) *monitor {
	m := &monitor{device: device, log: log, ask: make(chan chan memory), poke: make(chan struct{}, 1), end: make(chan struct{}), ended: make(chan struct{})}
	m.last.TemperatureError = "not measured yet"
	go m.run(every)
	return m
}

func (m *monitor) run(every time.Duration) {
	defer close(m.ended)
	warm, measure := time.NewTicker(every), time.NewTicker(3*every) // the chip measures for long, with its own processor
	defer warm.Stop()
	defer measure.Stop()
	m.measure()
	m.warm()
	m.health()
	for {
		select {
		case <-m.end:
			return
		case <-warm.C:
			m.warm()
		case <-measure.C:
			m.measure()
		case <-m.poke:
			m.measure()
		case answer := <-m.ask:
			answer <- m.measure()
		}
	}
}

// stop returns when the last question has been answered.
func (m *monitor) stop() {
	close(m.end)
	<-m.ended
}

// memoryPatience is how long a load waits to learn what it costs: measuring is
// worth less than serving.
const memoryPatience = 3 * time.Second

// memory measures now; it gives what is known already when the device takes too long.
func (m *monitor) memory() memory {
	answer := make(chan memory, 1)
	late := time.After(memoryPatience)
	select {
	case m.ask <- answer:
		select {
		case now := <-answer:
			return now
		case <-late:
		}
	case <-late:
	case <-m.ended:
	}
	return memory{}
}

// statistics gives the last readings, at once.
func (m *monitor) statistics() worker.Statistics {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.changed) < settling {
		m.refresh()
	}
	return m.last
}

// change notes that something has left the device.
func (m *monitor) change() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changed = time.Now()
	m.refresh()
}

func (m *monitor) refresh() {
	select {
	case m.poke <- struct{}{}:
	default: // it is about to be measured
	}
}

func (m *monitor) warm() {
	var celsius C.float
	err := failure(worker.OpInfer, C.npu_temperature(m.device, &celsius), "asking for the temperature")
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.last.TemperatureCelsius, m.last.TemperatureError = nil, err.Error()
		return
	}
	value := float64(celsius)
	m.last.TemperatureCelsius, m.last.TemperatureError = &value, ""
}

// health says in the log when the chip's test of itself has failed.
func (m *monitor) health() {
	var h C.npu_health
	if err := failure(worker.OpInfer, C.npu_query_health(m.device, &h), "asking for the device's health"); err != nil {
		m.log.Debug("no health figures", "error", err)
		return
	}
	if h.bist_failures > 0 { // -1 is "not available"
		m.log.Warn("the device's self-test has failed; its results may be wrong", "mask", int(h.bist_failures), "millivolt", int(h.millivolt), "celsius", float32(h.celsius))
	}
}

func (m *monitor) measure() memory {
	var p C.npu_performance
	if err := failure(worker.OpInfer, C.npu_query_performance(m.device, &p), "asking for the device's memory"); err != nil {
		m.log.Debug("no memory figures", "error", err)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.last.MemoryTotalBytes, m.last.MemoryUsedBytes, m.last.Utilization = 0, 0, nil
		return memory{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last.MemoryTotalBytes, m.last.MemoryUsedBytes, m.last.Utilization = 0, 0, nil
	if p.total_kib > 0 && p.used_kib >= 0 { // -1 is "not available"
		m.last.MemoryTotalBytes, m.last.MemoryUsedBytes = int64(p.total_kib)<<10, int64(p.used_kib)<<10
	}
	if p.nnc_percent >= 0 {
		share := float64(p.nnc_percent) / 100
		m.last.Utilization = &share
	}
	return memory{used: m.last.MemoryUsedBytes, total: m.last.MemoryTotalBytes}
}
