package manager

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"hailo-depth/device"
)

// Overview is the device, the models and the queue at this moment, from what is
// published: it waits for nothing and never fails.
func (m *Manager) Overview(context.Context) device.Overview {
	now := time.Now()
	v, t := m.runtime.view.Load(), m.runtime.tuned.Load()
	queue := m.queue.look()
	o := device.Overview{At: now, Ready: m.Ready(), Device: m.deviceOverview(v), Queue: queue.overview, Models: []device.ModelOverview{}}
	active := m.runtime.active.Load()
	shownKeys := map[key]bool{}
	for _, s := range v.models {
		shownKeys[s.key] = true
		o.Models = append(o.Models, s.overview(now, t, v.pins, active))
	}
	missing := map[key]bool{}
	for _, w := range t.settings.Models {
		missing[key{w.Model.Type, w.Model.Path}] = true
	}
	for k := range v.pins {
		missing[k] = true
	}
	if active != nil {
		missing[active.key] = true
	}
	for _, k := range slices.SortedFunc(maps.Keys(missing), func(a, b key) int { return cmp.Compare(a.String(), b.String()) }) {
		if shownKeys[k] {
			continue
		}
		_, pinned := v.pins[k]
		state := device.StateUnloaded
		if active != nil && active.key == k {
			state = device.StateLoading
		}
		o.Models = append(o.Models, device.ModelOverview{
			Name: t.name(k), Type: k.modelType, Path: k.path, State: state, Pinned: pinned, KeepAlive: keepAliveSeconds(t, k),
		})
	}
	for i := range o.Models {
		o.Models[i].Waiting = queue.models[key{o.Models[i].Type, o.Models[i].Path}.String()]
	}
	return o
}

func (m *Manager) deviceOverview(v *view) device.DeviceOverview {
	d := device.DeviceOverview{
		ID: v.identity.DeviceID, Backend: v.identity.Backend, Architecture: v.identity.Architecture, Firmware: v.identity.Firmware,
		BusySeconds: m.runtime.busy.seconds(), WorkerRestarts: v.restarts,
	}
	if v.worker != nil {
		d.OpenedAt = v.openedAt
	}
	if r := m.reading.Load(); r != nil && r.err == nil {
		d.TemperatureCelsius, d.Utilization = r.statistics.TemperatureCelsius, r.statistics.Utilization
		d.MemoryTotalBytes, d.MemoryUsedBytes = r.statistics.MemoryTotalBytes, r.statistics.MemoryUsedBytes
	}
	return d
}

func (s shown) overview(now time.Time, t *tuned, pins map[key]pin, active *activity) device.ModelOverview {
	_, pinned := pins[s.key]
	o := device.ModelOverview{
		Name: t.name(s.key), Type: s.key.modelType, Path: s.key.path, State: device.StateIdle, Pinned: pinned,
		MemoryBytes: s.memory, LoadSeconds: s.loadTook.Seconds(), LoadedAt: s.loadedAt, LastUsed: s.lastUsed,
		IdleSeconds: now.Sub(s.lastUsed).Seconds(), KeepAlive: keepAliveSeconds(t, s.key),
		Uses: s.drift.count, InferSeconds: s.drift.now, FirstSeconds: s.drift.first,
	}
	if active != nil && active.key == s.key {
		o.State, o.IdleSeconds = device.StateRunning, 0
	}
	if at, ok := s.expires(t, pins); ok {
		o.ExpiresAt = at
	}
	return o
}

// keepAliveSeconds is -1 for ever.
func keepAliveSeconds(t *tuned, k key) float64 {
	if keep := t.keepAlive(k); keep >= 0 {
		return keep.Seconds()
	}
	return -1
}
