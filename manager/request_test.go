package manager

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

// as is a context on these terms.
func as(ctx context.Context, client string, priority int) context.Context {
	return device.WithTerms(ctx, device.Terms{Client: client, Priority: priority})
}

// hold occupies the device with a request until the returned channel has its end.
func (r *rig) hold(t *testing.T, name string, took time.Duration) <-chan error {
	t.Helper()
	r.device.took = took
	ended := make(chan error, 1)
	go func() { ended <- r.infer(as(t.Context(), "holder", 5), name) }()
	synctest.Wait()
	r.device.events()
	return ended
}

// TestPriorityReachesTheDevice: of those that wait, the highest runs first.
func TestPriorityReachesTheDevice(t *testing.T) {
	inBubble(t, 90, nil, func(t *testing.T, r *rig) {
		r.load(t, "a10", "b10", "c10", "d10")
		held := r.hold(t, "a10", time.Second)
		for i, name := range []string{"b10", "c10", "d10"} {
			go func() {
				if err := r.infer(as(t.Context(), "x", []int{0, 9, 5}[i]), name); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		r.expectEvents(t, "infer c10", "infer d10", "infer b10")
		if err := <-held; err != nil {
			t.Error(err)
		}
	})
}

func TestBadTermsAreRefused(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		expectKind(t, r.infer(as(t.Context(), "x", 10), "a10"), device.KindInvalid, "priority must be 0 to 9, got 10")
		expectKind(t, r.infer(as(t.Context(), strings.Repeat("x", 65), 5), "a10"), device.KindInvalid, "client must have at most 64 bytes, got 65")
		if n := r.metric(t, "hailo_device_requests_total", "outcome=invalid_request", "reason=rejected"); n != 2 || len(r.log.requests(t)) != 2 {
			t.Errorf("%v counted, %d lines", n, len(r.log.requests(t)))
		}
		r.expectModels(t)
	})
}

// TestQueueBytes: inputs are counted while they wait, and only then.
func TestQueueBytes(t *testing.T) {
	change := func(l *Limits) { l.QueueBytes = 30 } // a picture has 12
	inBubble(t, 30, change, func(t *testing.T, r *rig) {
		held := r.hold(t, "a10", time.Second)
		waiting := make(chan error)
		for range 2 {
			go func() { waiting <- r.infer(t.Context(), "a10") }()
		}
		synctest.Wait()
		err := r.infer(t.Context(), "a10")
		expectKind(t, err, device.KindBusy, "24 bytes of input wait, 12 more exceed 30 (queue_bytes)")
		if e, ok := errors.AsType[*device.Error](err); !ok || e.Reason != device.ReasonRejected || e.RetryAfter < time.Second {
			t.Errorf("%+v", err)
		}
		large := picture(1)
		large.Input.Data = make([]byte, 31)
		_, err = r.Infer(t.Context(), r.model("a10"), large)
		expectKind(t, err, device.KindInvalid, "the input has 31 bytes; at most 30 may wait")
		for _, c := range []<-chan error{held, waiting, waiting} {
			if err := <-c; err != nil {
				t.Error(err)
			}
		}
		if o := r.Overview(t.Context()).Queue; o.Waiting != 0 || o.Bytes != 0 {
			t.Errorf("left over: %+v", o)
		}
	})
}

// TestRetryAfterIsWhatWaitsTakes: three wait for a device that takes 4 s each.
func TestRetryAfterIsWhatWaitsTakes(t *testing.T) {
	inBubble(t, 30, func(l *Limits) { l.Queue, l.Overlap = 3, false }, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.took = 4 * time.Second
		for range 40 { // the mean moves slowly
			if err := r.infer(t.Context(), "a10"); err != nil {
				t.Fatal(err)
			}
		}
		ended := make(chan error)
		for range 4 {
			go func() { ended <- r.infer(t.Context(), "a10") }()
		}
		synctest.Wait()
		e, ok := errors.AsType[*device.Error](r.infer(t.Context(), "a10"))
		if !ok || e.Kind != device.KindBusy || e.RetryAfter < 11*time.Second || e.RetryAfter > 12*time.Second {
			t.Errorf("refused with %+v, want about 12 s", e)
		}
		for range 4 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}

// TestKilledWhenAbandoned: a type that is configured so frees the device, at
// the price of its worker, when the caller leaves.
func TestKilledWhenAbandoned(t *testing.T) {
	change := func(l *Limits) { l.KillAbandoned = []string{"depth"} }
	inBubble(t, 30, change, func(t *testing.T, r *rig) {
		r.load(t, "a10")
		r.device.setFault(onNth("infer", 1, errHang))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := r.infer(ctx, "a10")
		expectKind(t, err, device.KindTimeout, "deadline passed while it ran")
		if device.ReasonOf(err) != device.ReasonExpired {
			t.Errorf("reason %s", device.ReasonOf(err))
		}
		if err := r.infer(t.Context(), "a10"); err != nil || time.Since(began) != time.Second {
			t.Errorf("the next got %v after %v", err, time.Since(began))
		}
		if n := r.metric(t, "hailo_device_retries_total"); n != 0 {
			t.Errorf("what nobody waits for was tried again: %v", n)
		}
	})
}

// TestQueueOverview: who waits, what runs, while the device is busy.
func TestQueueOverview(t *testing.T) {
	inBubble(t, 30, nil, func(t *testing.T, r *rig) {
		since := time.Now()
		held := r.hold(t, "a10", 4*time.Second)
		time.Sleep(time.Second)
		ctx, leave := context.WithCancel(t.Context())
		ended := make(chan error)
		for i := range 5 {
			go func() { ended <- r.infer(as(ctx, fmt.Sprint("client", i%2), 5+4*(i%2)), "a10") }()
			synctest.Wait()
			time.Sleep(100 * time.Millisecond)
		}
		o := r.Overview(t.Context()).Queue
		if o.Waiting != 5 || o.Limit != 256 || o.Bytes != 60 || o.BytesLimit != 256<<20 || len(o.Clients) != 2 {
			t.Fatalf("%+v", o)
		}
		want := device.RunningOverview{Action: "infer", Model: "depth:" + r.model("a10").Path, Client: "holder", Priority: 5, Since: since}
		if *o.Running != want {
			t.Errorf("running %+v, want %+v", *o.Running, want)
		}
		for i, want := range []device.ClientOverview{
			{Client: "client1", Priority: 9, Waiting: 2, OldestSeconds: 0.4}, {Client: "client0", Priority: 5, Waiting: 3, OldestSeconds: 0.5},
		} {
			if o.Clients[i] != want {
				t.Errorf("%+v, want %+v", o.Clients[i], want)
			}
		}
		leave()
		for range 5 {
			expectKind(t, <-ended, device.KindCanceled, "")
		}
		if o := r.Overview(t.Context()).Queue; o.Waiting != 0 || len(o.Clients) != 0 {
			t.Errorf("%+v", o)
		}
		if err := <-held; err != nil {
			t.Error(err)
		}
		r.stop()
		<-r.stopped
		if o := r.Overview(t.Context()).Queue; o.Waiting != 0 || o.Running != nil || o.Limit != 256 {
			t.Errorf("after the end: %+v", o)
		}
	})
}

// TestOneLogLineForEachRequest: with the words that errors and figures use.
func TestOneLogLineForEachRequest(t *testing.T) {
	inBubble(t, 30, func(l *Limits) { l.Queue = 2 }, func(t *testing.T, r *rig) {
		held := r.hold(t, "a10", 2*time.Second) // 2 s load, 2 s inference
		late, cancel := context.WithTimeout(as(t.Context(), "late", 7), time.Second)
		defer cancel()
		gone, leave := context.WithCancel(as(t.Context(), "gone", 3))
		expired, cancelled := make(chan error), make(chan error)
		go func() { expired <- r.infer(late, "a10") }()
		go func() { cancelled <- r.infer(gone, "a10") }()
		synctest.Wait()
		expectKind(t, r.infer(as(t.Context(), "many", 5), "a10"), device.KindBusy, "the device's queue is full: 2 requests wait")
		expectKind(t, <-expired, device.KindTimeout, "deadline passed while the device was busy")
		leave()
		expectKind(t, <-cancelled, device.KindCanceled, "")
		if err := <-held; err != nil {
			t.Fatal(err)
		}
		r.device.setFault(onNth("infer", 1, lostDevice(4)))
		failure := r.infer(as(t.Context(), "failed", 5), "a10")
		lines := r.log.requests(t)
		for i, want := range []struct {
			client, outcome  string
			priority         float64
			queue, load, run float64
		}{
			{"many", "rejected", 5, 0, 0, 0}, {"late", "expired", 7, 0, 0, 0}, {"gone", "cancelled", 3, 0, 0, 0},
			{"holder", "ok", 5, 0, 2000, 2000}, {"failed", "backend", 5, 0, 0, 0},
		} {
			if i >= len(lines) {
				t.Fatalf("%d lines", len(lines))
			}
			l := lines[i]
			if l["client"] != want.client || l["outcome"] != want.outcome || l["priority"] != want.priority || l["action"] != "infer" || l["model"] != "a10" ||
				l["type"] != "depth" || l["queue_ms"] != want.queue || l["load_ms"] != want.load || l["run_ms"] != want.run || (want.outcome == "ok") != (l["error"] == nil) {
				t.Errorf("line %v, want %+v", l, want)
			}
			if n := r.metric(t, "hailo_device_client_requests_total", "client="+want.client, "outcome="+want.outcome); n != 1 {
				t.Errorf("%s of %s counted %v times", want.outcome, want.client, n)
			}
			reason := want.outcome
			if reason == "ok" {
				reason = ""
			}
			if n := r.metric(t, "hailo_device_requests_total", "action=infer", "reason="+reason); n != 1 {
				t.Errorf("reason %q counted %v times", reason, n)
			}
		}
		if len(lines) != 5 || device.ReasonOf(failure) != device.ReasonBackend {
			t.Errorf("%d lines, %v", len(lines), failure)
		}
	})
}

// TestDecisionsAreCounted: grouping saves changes of the model, and the figures say so.
func TestDecisionsAreCounted(t *testing.T) {
	inBubble(t, 90, func(l *Limits) { l.Overlap = false }, func(t *testing.T, r *rig) {
		r.load(t, "a10", "b10")
		switches := r.metric(t, "hailo_device_model_switches_total")
		held := r.hold(t, "a10", 10*time.Millisecond)
		ended := make(chan error)
		for i := range 8 {
			go func() { ended <- r.infer(as(t.Context(), fmt.Sprint("client", i), 5), []string{"b10", "a10"}[i%2]) }()
			synctest.Wait()
		}
		if n := r.metric(t, "hailo_device_queue_depth", "priority=5"); n != 8 {
			t.Errorf("%v wait at priority 5", n)
		}
		for range 8 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if err := <-held; err != nil {
			t.Error(err)
		}
		if n := r.metric(t, "hailo_device_model_switches_total") - switches; n != 2 { // to a10, then to b10
			t.Errorf("%v changes of the model", n)
		}
		if n := r.metric(t, "hailo_device_decisions_total", "clause=grouped"); n == 0 {
			t.Error("no decision was grouped")
		}
		if n := r.metric(t, "hailo_device_queue_wait_seconds", "priority=5"); n != 11 {
			t.Errorf("%v waits observed", n)
		}
		if n := r.metric(t, "hailo_device_client_device_seconds_total", "client=client3"); n < 0.0099 || n > 0.0101 {
			t.Errorf("client3 had the device for %v s", n)
		}
	})
}

// TestClientLabelsAreBounded: names come from outside.
func TestClientLabelsAreBounded(t *testing.T) {
	var l clientLabels
	for round := range 2 {
		for i := range 100 {
			want := fmt.Sprint("client", i)
			if i >= 32 {
				want = "other"
			}
			if got := l.of(fmt.Sprint("client", i)); got != want {
				t.Errorf("round %d: client%d is %s, want %s", round, i, got, want)
			}
		}
	}
	var odd clientLabels
	if got := odd.of(strings.Repeat("x", 65)); got != "other" {
		t.Errorf("a name that is too long is %s", got)
	}
	if got := odd.of("a\xffb"); got != "a\uFFFDb" {
		t.Errorf("%q", got)
	}
}
