package manager

import (
	"context"
	"time"

	"hailo-depth/schedule"
	"hailo-depth/worker"
)

const (
	// A worker that dies young is replaced ever more slowly, between these.
	leastRespawnDelay = 250 * time.Millisecond
	mostRespawnDelay  = 30 * time.Second
	// young is the age below which a death counts as a failure to start.
	young = 10 * time.Second
)

// own queues a job of the manager's own, which goes to the head of the queue.
// What fn writes may be read only when own returns nil.
func (m *Manager) own(ctx context.Context, fn func()) error {
	_, err := m.queue.ask(ctx, "upkeep", schedule.Job{Urgent: true}, fn)
	return err
}

// reopen starts the worker that there is not.
func (m *Manager) reopen(ctx context.Context) {
	// ensure logs its failures and leaves them in the view.
	if err := m.own(ctx, func() { _ = m.runtime.ensure(m.life) }); err != nil && ctx.Err() == nil {
		m.options.Log.Warn("the device was not reopened", "error", err)
	}
	m.read(ctx)
}

// watch sees a new worker's death, also when nothing is asked of it, and has it
// replaced. It is called by the job that started the worker.
func (m *Manager) watch(w Worker) {
	born := time.Now()
	delay := m.runtime.respawnDelay
	m.workers.Go(func() {
		select {
		case <-m.life.Done():
			return
		case <-w.Done():
		}
		if time.Since(born) > young {
			delay = leastRespawnDelay
		}
		select {
		case <-m.life.Done():
			return
		case <-time.After(delay):
		}
		err := m.own(m.life, func() {
			m.runtime.respawnDelay = min(2*delay, mostRespawnDelay)
			if m.runtime.worker == nil || m.runtime.worker == w {
				_ = m.runtime.ensure(m.life) // logs its failures and leaves them in the view
			}
		})
		if err != nil && m.life.Err() == nil {
			m.options.Log.Warn("the worker was not replaced", "error", err)
		}
		m.read(m.life)
	})
}

// statisticsTimeout is what a device may take to tell its temperature.
const statisticsTimeout = 2 * time.Second

// poll keeps the last temperature and memory figures at hand, so that status
// calls never ask the device.
func (m *Manager) poll(ctx context.Context) {
	tick := time.NewTicker(m.options.Limits.Statistics)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.read(ctx)
		}
	}
}

func (m *Manager) read(ctx context.Context) {
	v := m.runtime.view.Load()
	if v.worker == nil {
		m.reading.Store(&reading{statistics: worker.Statistics{TemperatureError: "no device is open"}})
		m.metrics.device(false, worker.Statistics{})
		return
	}
	ctx, cancel := context.WithTimeout(ctx, statisticsTimeout)
	defer cancel()
	s, err := v.worker.Statistics(ctx)
	m.reading.Store(&reading{statistics: s, err: err, of: v.worker})
	m.metrics.device(err == nil, s)
	if err == nil {
		m.runtime.mute.Store(false)
	}
	if s.UnfinishedJobs > 0 {
		m.runtime.wake()
	}
}
