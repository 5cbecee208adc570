// Package console writes what the device manager does at a moment as a page for
// people.
package console

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hailo-depth/device"
)

// Lines are the page of o. With an earlier overview of the same manager they
// have rates as well: how busy the device was in between, and inferences a
// second of each model.
func Lines(o device.Overview, before *device.Overview) []string {
	p := page{o: o, before: before}
	p.device()
	p.models()
	p.queue()
	return p.lines
}

type page struct {
	o      device.Overview
	before *device.Overview
	lines  []string
}

func (p *page) line(format string, args ...any) {
	p.lines = append(p.lines, printable(fmt.Sprintf(format, args...)))
}

// elapsed is the time since the earlier overview in seconds; 0 without one.
func (p *page) elapsed() float64 {
	if p.before == nil {
		return 0
	}
	return p.o.At.Sub(p.before.At).Seconds()
}

func (p *page) device() {
	d := p.o.Device
	if p.o.Ready != "" {
		p.line("NOT READY: %s", p.o.Ready)
	}
	name := strings.TrimSpace(d.Architecture + " " + d.ID)
	if name == "" {
		name = "no device opened"
	}
	parts := []string{name}
	if d.Firmware != "" {
		parts = append(parts, "firmware "+d.Firmware)
	}
	if d.Backend != "" {
		parts = append(parts, "backend "+d.Backend)
	}
	if !d.OpenedAt.IsZero() {
		parts = append(parts, "open for "+long(p.o.At.Sub(d.OpenedAt).Seconds()))
	}
	p.line("%s", strings.Join(parts, ", "))

	parts = nil
	if d.TemperatureCelsius != nil {
		parts = append(parts, fmt.Sprintf("%.1f °C", *d.TemperatureCelsius))
	}
	switch {
	case d.MemoryTotalBytes > 0:
		parts = append(parts, fmt.Sprintf("memory %s of %s (%s)", used(d.MemoryUsedBytes), bytes(d.MemoryTotalBytes), percent(float64(d.MemoryUsedBytes)/float64(d.MemoryTotalBytes))))
	case d.MemoryUsedBytes > 0:
		parts = append(parts, "memory "+bytes(d.MemoryUsedBytes))
	}
	if d.Utilization != nil {
		parts = append(parts, "utilisation "+percent(*d.Utilization))
	}
	if s := p.elapsed(); s > 0 && d.BusySeconds >= p.before.Device.BusySeconds {
		parts = append(parts, "busy "+percent(min((d.BusySeconds-p.before.Device.BusySeconds)/s, 1)))
	}
	parts = append(parts, fmt.Sprintf("worker restarts %d", d.WorkerRestarts))
	p.line("%s", strings.Join(parts, ", "))
}

// used is an amount that may be 0.
func used(n int64) string {
	if n == 0 {
		return "0 MiB"
	}
	return bytes(n)
}

// rank orders models: what the device does now comes first.
func rank(state string) int {
	return slices.Index([]string{device.StateRunning, device.StateLoading, device.StateIdle, device.StateUnloaded}, state)
}

func (p *page) models() {
	p.line("")
	if len(p.o.Models) == 0 {
		p.line("no models")
		return
	}
	t := table{columns: []column{{"MODEL", false}, {"TYPE", false}, {"STATE", false}, {"MEMORY", true}, {"LOAD", true}, {"INFER", true}, {"DRIFT", true},
		{"USES", true}, {"IDLE", true}, {"EXPIRES", true}, {"WAITING", true}, {"PATH", false}}}
	rates := p.elapsed() > 0
	if rates {
		t.columns = slices.Insert(t.columns, 8, column{"RATE", true})
	}
	models := slices.Clone(p.o.Models)
	slices.SortStableFunc(models, func(a, b device.ModelOverview) int {
		return cmp.Or(rank(a.State)-rank(b.State), b.LastUsed.Compare(a.LastUsed), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
	})
	for _, m := range models {
		cells := []string{m.Name, m.Type, m.State, bytes(m.MemoryBytes), short(m.LoadSeconds), short(m.InferSeconds), drift(m),
			strconv.FormatInt(m.Uses, 10), idle(m), p.expires(m), strconv.Itoa(m.Waiting), m.Path}
		if rates {
			cells = slices.Insert(cells, 8, p.rate(m))
		}
		t.add(cells...)
	}
	p.lines = append(p.lines, t.lines()...)
}

// drift is how many times slower a model has become since it was loaded.
func drift(m device.ModelOverview) string {
	if m.FirstSeconds <= 0 || m.InferSeconds <= 0 {
		return none
	}
	return fmt.Sprintf("x%.2f", m.InferSeconds/m.FirstSeconds)
}

func idle(m device.ModelOverview) string {
	if m.State != device.StateIdle {
		return none
	}
	return long(m.IdleSeconds)
}

// expires is when the model goes by itself.
func (p *page) expires(m device.ModelOverview) string {
	switch {
	case m.Pinned:
		return "pinned"
	case m.State == device.StateUnloaded:
		return none
	case !m.ExpiresAt.IsZero():
		return "in " + long(m.ExpiresAt.Sub(p.o.At).Seconds())
	case m.KeepAlive < 0:
		return "never"
	}
	return none
}

// rate is the inferences a second since the earlier overview.
func (p *page) rate(m device.ModelOverview) string {
	for _, b := range p.before.Models {
		if b.Type == m.Type && b.Path == m.Path && b.LoadedAt.Equal(m.LoadedAt) && m.Uses >= b.Uses {
			return fmt.Sprintf("%.1f/s", float64(m.Uses-b.Uses)/p.elapsed())
		}
	}
	return none
}

func (p *page) queue() {
	q := p.o.Queue
	p.line("")
	text := fmt.Sprintf("%d waiting of at most %d", q.Waiting, q.Limit)
	if q.BytesLimit > 0 {
		text += fmt.Sprintf(", %s of %s", used(q.Bytes), bytes(q.BytesLimit))
	}
	if r := q.Running; r != nil {
		text += fmt.Sprintf("; running for %s: %s", since(p.o.At.Sub(r.Since)), r.Action)
		if r.Model != "" {
			text += " " + r.Model
		}
		if r.Client != "" {
			text += fmt.Sprintf(" of %s, priority %d", r.Client, r.Priority)
		}
	}
	if q.Prepared > 0 {
		text += "; the worker has the next"
	}
	p.line("%s", text)
	if len(q.Clients) == 0 {
		return
	}
	t := table{columns: []column{{"CLIENT", false}, {"PRIORITY", true}, {"WAITING", true}, {"LONGEST", true}}}
	clients := slices.Clone(q.Clients)
	slices.SortStableFunc(clients, func(a, b device.ClientOverview) int {
		return cmp.Or(b.Priority-a.Priority, cmp.Compare(b.OldestSeconds, a.OldestSeconds), cmp.Compare(a.Client, b.Client))
	})
	for _, c := range clients {
		name := c.Client
		if name == "" {
			name = none
		}
		t.add(name, strconv.Itoa(c.Priority), strconv.Itoa(c.Waiting), since(time.Duration(c.OldestSeconds*float64(time.Second))))
	}
	p.lines = append(p.lines, t.lines()...)
}

// since is a short time that may be 0.
func since(d time.Duration) string {
	if d <= 0 {
		return "0 s"
	}
	return short(d.Seconds())
}
