package manager

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

func gateLimits() Limits {
	return Limits{Deaths: 3, DeathWindow: time.Minute, BreakerPause: 2 * time.Second}
}

func TestGateShutsAfterDeathsInARow(t *testing.T) {
	l := gateLimits()
	for name, c := range map[string]struct {
		after []time.Duration // deaths, since the beginning; negative: an inference that succeeded
		shut  bool
	}{
		"one too few":               {[]time.Duration{0, 1}, false},
		"enough":                    {[]time.Duration{0, 1, 2}, true},
		"enough, just in time":      {[]time.Duration{0, 1, time.Minute}, true},
		"too far apart":             {[]time.Duration{0, 1, time.Minute + 1}, false},
		"success in between":        {[]time.Duration{0, 1, -1, 2, 3}, false},
		"success long before":       {[]time.Duration{-1, 0, 1, 2}, true},
		"a window that moves along": {[]time.Duration{0, 50 * time.Second, 70 * time.Second, 100 * time.Second}, true},
	} {
		var g gate
		for _, at := range c.after {
			if at < 0 {
				g.served()
			} else {
				g.died(epoch.Add(at), l, "boom")
			}
		}
		if (g.shut != nil) != c.shut {
			t.Errorf("%s: %+v", name, g.shut)
		}
	}
	var never gate
	l.Deaths = 0
	for range 100 {
		never.died(epoch, l, "boom")
	}
	if never.shut != nil {
		t.Errorf("%+v", never.shut)
	}
}

func TestGatePausesGrow(t *testing.T) {
	l, now := gateLimits(), epoch
	for cause, want := range map[string][]time.Duration{
		causeDeaths: {2, 4, 8, 16, 32, 60, 60}, causeHeld: {1, 2, 4, 8, 16, 30, 30}, causeVersion: {30, 30},
	} {
		var g gate
		for i, seconds := range want {
			g.close(now, l, cause, "why")
			if got := g.shut.until.Sub(now); got != seconds*time.Second {
				t.Errorf("%s: pause %d is %v, want %d s", cause, i, got, seconds)
			}
			if e := g.shut.refusal(now); e.Kind != device.KindUnavailable || e.RetryAfter != seconds*time.Second || e.Message != "the device cannot be used: why" {
				t.Errorf("%+v", e)
			}
			if e := g.shut.refusal(now.Add(time.Hour)); e.RetryAfter != time.Second {
				t.Errorf("a probe that is due: retry after %v", e.RetryAfter)
			}
		}
		g.close(now, l, "another", "why") // begins anew
		if g.shut.pause != l.BreakerPause {
			t.Errorf("another cause: %v", g.shut.pause)
		}
		g.open()
		if g.shut != nil {
			t.Error("open, but shut")
		}
	}
}

// TestGateUnderRandomEvents: whatever happens, it is shut only after so many
// deaths within the window and without success.
func TestGateUnderRandomEvents(t *testing.T) {
	l := gateLimits()
	for seed := range uint64(20_000) {
		r := rand.New(rand.NewPCG(seed, 9))
		var g gate
		var row []time.Time // deaths since the last success or opening
		now := epoch
		for range r.IntN(40) {
			now = now.Add(time.Duration(r.IntN(30)) * time.Second)
			switch r.IntN(4) {
			case 0:
				g.served()
				if g.shut == nil {
					row = nil
				}
			case 1:
				if g.shut != nil {
					g.open()
					row = nil
				}
			default:
				was := g.shut
				g.died(now, l, "boom")
				row = append(row, now)
				recent := 0
				for _, at := range row {
					if now.Sub(at) <= l.DeathWindow {
						recent++
					}
				}
				if was == nil && (g.shut != nil) != (recent >= l.Deaths) {
					t.Fatalf("seed %d: %d deaths within the window, shut: %+v", seed, recent, g.shut)
				}
			}
			if len(g.deaths) > 40 {
				t.Fatalf("seed %d: %d deaths are remembered", seed, len(g.deaths))
			}
		}
	}
}

// crashing has every operation of a kind kill its worker.
func crashing(operation string) func(string) error {
	return func(op string) error {
		if op == operation {
			return errCrash
		}
		return nil
	}
}

// TestBreaker: worker after worker dies of a model; then requests are refused
// at once, with a reason and a time, until the manager's own probe succeeds.
func TestBreaker(t *testing.T) {
	limits := func(l *Limits) { l.BreakerPause = 2 * time.Second }
	inBubble(t, 30, limits, func(t *testing.T, r *rig) {
		r.device.setFault(crashing("infer"))
		for range DefaultLimits().Deaths {
			if why := r.Ready(); why != "" {
				t.Fatalf("not ready too early: %q", why)
			}
			expectKind(t, r.infer(t.Context(), "a10"), device.KindUnavailable, "the worker process died")
			time.Sleep(10 * time.Second) // the worker is replaced
			synctest.Wait()
			if t.Failed() {
				return
			}
			if r.Ready() != "" {
				break
			}
		}
		why := r.Ready()
		if !strings.Contains(why, "the probe failed as well") && !strings.Contains(why, "lost 5 times within 40s without finishing an inference") {
			t.Fatalf("ready: %q", why)
		}
		r.device.events()
		_, err := r.Load(t.Context(), r.model("b10"))
		expectKind(t, err, device.KindUnavailable, "the device cannot be used: ")
		if e, ok := errors.AsType[*device.Error](err); !ok || e.RetryAfter <= 0 {
			t.Errorf("%+v", err)
		}
		r.expectEvents(t)
		if n := r.metric(t, "hailo_device_closed", "cause=deaths"); n != 1 {
			t.Errorf("closed: %v", n)
		}
		r.device.setFault(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		// The probe has loaded and run what was last asked for.
		r.expectEvents(t, "start", "load a10", "infer a10")
		if why := r.Ready(); why != "" {
			t.Fatalf("still not ready: %q", why)
		}
		if err := r.infer(t.Context(), "b10"); err != nil {
			t.Error(err)
		}
		if n := r.metric(t, "hailo_device_closed"); n != 0 {
			t.Errorf("closed: %v", n)
		}
	})
}

// TestModelThatKillsIsBarred: when it trips the breaker and the model that served
// before still does, the device is open to all others, and to it after a while.
func TestModelThatKillsIsBarred(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		if err := r.infer(t.Context(), "b10"); err != nil {
			t.Fatal(err)
		}
		r.device.setModelFault(func(operation, model string) error {
			if operation == "infer" && model == "a10" {
				return errCrash
			}
			return nil
		})
		for !strings.Contains(r.Ready(), "without finishing an inference") {
			expectKind(t, r.infer(t.Context(), "a10"), device.KindUnavailable, "")
			if t.Failed() {
				return
			}
		}
		time.Sleep(3 * time.Second) // the pause, and the probe
		synctest.Wait()
		if why := r.Ready(); why != "" {
			t.Fatalf("ready: %q", why)
		}
		r.device.events()
		err := r.infer(t.Context(), "a10")
		expectKind(t, err, device.KindUnavailable, "a10 costs the worker its life, while other models are served")
		if e, ok := errors.AsType[*device.Error](err); !ok || e.RetryAfter <= 0 {
			t.Errorf("%+v", err)
		}
		r.expectEvents(t)
		if err := r.infer(t.Context(), "b10"); err != nil {
			t.Error(err)
		}
		if n := r.metric(t, "hailo_device_model_barred", "model=a10"); n != 1 {
			t.Errorf("barred: %v", n)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		r.device.setModelFault(nil)
		if err := r.infer(t.Context(), "a10"); err != nil {
			t.Error(err)
		}
		if n := r.metric(t, "hailo_device_model_barred"); n != 0 {
			t.Errorf("still barred: %v", n)
		}
	})
}

// TestBreakerIsForDeathsInARow: one model that kills workers does not take the
// device away from others that it serves.
func TestBreakerIsForDeathsInARow(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		for range 20 {
			r.device.setFault(crashing("infer"))
			expectKind(t, r.infer(t.Context(), "a10"), device.KindUnavailable, "died")
			r.device.setFault(nil)
			if err := r.infer(t.Context(), "b10"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestAbandonedWorkersAreNoDeaths: they were killed because their callers left.
func TestAbandonedWorkersAreNoDeaths(t *testing.T) {
	inBubble(t, 30, func(l *Limits) { l.KillAbandoned = []string{"depth"} }, func(t *testing.T, r *rig) {
		r.device.setFault(func(op string) error {
			if op == "infer" {
				return errHang
			}
			return nil
		})
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			expectKind(t, r.infer(ctx, "a10"), device.KindTimeout, "deadline passed")
			cancel()
			synctest.Wait()
		}
		if why := r.Ready(); strings.Contains(why, "lost") {
			t.Errorf("ready: %q", why)
		}
		if n := r.metric(t, "hailo_device_worker_restarts_total", "reason=abandoned"); n != 10 {
			t.Errorf("%v abandoned", n)
		}
	})
}

// TestWaitingRequestsAreRefused when the gate shuts before their turn.
func TestWaitingRequestsAreRefused(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		r.device.took = 100 * time.Millisecond
		r.device.setFault(crashing("infer"))
		outcomes := make(chan error)
		for range 20 {
			go func() { outcomes <- r.infer(t.Context(), "a10") }()
		}
		refused := 0
		for range 20 {
			err := <-outcomes
			expectKind(t, err, device.KindUnavailable, "")
			if strings.Contains(err.Error(), "without finishing an inference") {
				refused++
			}
		}
		// Each request runs twice; the second run of the third is refused already.
		if want := 20 - DefaultLimits().Deaths/2; refused != want {
			t.Errorf("%d were refused, want %d", refused, want)
		}
	})
}
