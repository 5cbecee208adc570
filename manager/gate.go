package manager

import (
	"fmt"
	"time"

	"hailo-depth/device"
)

// The causes for which the device is closed to requests; labels of metrics.
const (
	causeDeaths  = "deaths"  // worker after worker died
	causeHeld    = "held"    // another program has the device
	causeVersion = "version" // library, driver and firmware do not fit each other
)

// shut is why and for how long no request is fed to the device. It is immutable.
type shut struct {
	cause string
	why   string
	pause time.Duration // this time; the next is longer
	until time.Time     // of the next probe
}

func (s *shut) refusal(now time.Time) *device.Error {
	return &device.Error{
		Kind:       device.KindUnavailable,
		Message:    "the device cannot be used: " + s.why,
		RetryAfter: max(s.until.Sub(now).Round(time.Second), time.Second),
	}
}

// pauses are how long the gate stays shut: from least on, doubled each time that
// the probe fails, up to most.
func pauses(cause string, l Limits) (least, most time.Duration) {
	switch cause {
	case causeHeld:
		return time.Second, 30 * time.Second
	case causeVersion:
		return 30 * time.Second, 30 * time.Second
	}
	return l.BreakerPause, max(l.BreakerPause, time.Minute)
}

// gate keeps requests from a device that would only fail them. A worker that
// dies has not spoilt anything yet; but when so many died in a row, without one
// inference that succeeded in between, something is wrong that trying does not
// cure. After a pause the manager itself probes; when that goes well requests
// are let in again. It is pure: times come from the caller.
type gate struct {
	deaths []time.Time // since the last success, the oldest first
	shut   *shut       // nil: open
}

// died counts the loss of a worker.
func (g *gate) died(now time.Time, l Limits, last string) {
	g.deaths = append(g.deaths, now)
	for len(g.deaths) > 0 && now.Sub(g.deaths[0]) > l.DeathWindow {
		g.deaths = g.deaths[1:]
	}
	if g.shut == nil && l.Deaths > 0 && len(g.deaths) >= l.Deaths {
		g.close(now, l, causeDeaths, fmt.Sprintf("its worker was lost %d times within %v without finishing an inference; the last time: %s",
			len(g.deaths), now.Sub(g.deaths[0]).Round(time.Second), last))
	}
}

// served says that an inference succeeded.
func (g *gate) served() { g.deaths = g.deaths[:0] }

// close shuts the gate, or keeps it shut for longer.
func (g *gate) close(now time.Time, l Limits, cause, why string) {
	pause, most := pauses(cause, l)
	if g.shut != nil && g.shut.cause == cause {
		pause = min(2*g.shut.pause, most)
	}
	g.shut = &shut{cause: cause, why: why, pause: pause, until: now.Add(pause)}
}

// open lets requests in again.
func (g *gate) open() { g.shut, g.deaths = nil, nil }
