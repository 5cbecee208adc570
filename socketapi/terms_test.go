package socketapi_test

import (
	"context"
	"os"
	"os/user"
	"strings"
	"testing"
	"time"

	"hailo-depth/device"
)

// seen is what an inference was asked on.
type seen struct {
	terms    device.Terms
	deadline time.Time
}

// noting is a manager that tells the terms of each inference.
func noting() (fakeManager, chan seen) {
	notes := make(chan seen, 1)
	return fakeManager{infer: func(ctx context.Context, _ device.Model) (device.Result, error) {
		deadline, _ := ctx.Deadline()
		notes <- seen{device.TermsOf(ctx), deadline}
		return device.Result{}, &device.Error{Message: "done"}
	}}, notes
}

// self is this process as a peer.
func self(t *testing.T) string {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	return u.Username + "/" + strings.TrimSpace(string(comm))
}

// Requests wait on the terms that they state, else on the default and under the
// name of whoever is connected.
func TestTermsOfARequest(t *testing.T) {
	m, notes := noting()
	c := dial(t, serve(t, newServer(m)))
	for fields, want := range map[string]struct {
		device.Terms
		deadline time.Duration
	}{
		``: {device.Terms{Priority: 5, Client: self(t)}, 0},
		`"priority": null, "deadline_ms": null, "client": null, `: {device.Terms{Priority: 5, Client: self(t)}, 0},
		`"priority": 9, `:                     {device.Terms{Priority: 9, Client: self(t)}, 0},
		`"priority": 0, "client": "camera", `: {device.Terms{Priority: 0, Client: "camera"}, 0},
		`"client": "", `:                      {device.Terms{Priority: 5}, 0},
		`"deadline_ms": 60000, `:              {device.Terms{Priority: 5, Client: self(t)}, time.Minute},
		`"deadline_ms": 0, `:                  {device.Terms{Priority: 5, Client: self(t)}, 0},
		`"deadline_ms": 9223372036854, `:      {device.Terms{Priority: 5, Client: self(t)}, 9223372036854 * time.Millisecond},
	} {
		before := time.Now()
		ask(t, c, strings.Replace(anInfer, `{`, `{`+fields, 1))
		got := <-notes
		if got.terms != want.Terms || got.deadline.IsZero() != (want.deadline == 0) {
			t.Errorf("%s waits on %+v", fields, got)
		}
		if want.deadline > 0 && (got.deadline.Before(before.Add(want.deadline)) || got.deadline.After(time.Now().Add(want.deadline))) {
			t.Errorf("%s is to end %v after %v", fields, got.deadline.Sub(before), want.deadline)
		}
	}
}

func TestBadTermsAreRefused(t *testing.T) {
	c := dial(t, serve(t, newServer(fakeManager{})))
	for fields, want := range map[string]string{
		`"priority": 10`:                              "priority must be a whole number from 0 to 9, got 10",
		`"priority": -1`:                              "priority must be a whole number from 0 to 9, got -1",
		`"priority": 5.5`:                             "priority must be a whole number from 0 to 9, got 5.5",
		`"priority": "high"`:                          `priority must be a whole number from 0 to 9, got \"high\"`,
		`"deadline_ms": -1`:                           "deadline_ms must be a whole number from 0 to 9223372036854, got -1",
		`"deadline_ms": 1e3`:                          "deadline_ms must be a whole number from 0 to 9223372036854, got 1e3",
		`"deadline_ms": 9223372036855`:                "deadline_ms must be a whole number from 0 to 9223372036854, got 9223372036855",
		`"client": 5`:                                 "client must be a string, got a number",
		`"client": "` + strings.Repeat("x", 65) + `"`: "client must have at most 64 bytes, got 65",
	} {
		for _, action := range []string{"load_model", "infer", "unload_model"} {
			got := ask(t, c, `{"action": "`+action+`", "model_path": "/m", "input_data": {}, `+fields+`}`)
			if got != `{"error": "`+want+`"}` {
				t.Errorf("%s with %s is answered %s", action, fields, got)
			}
		}
		if got := ask(t, c, `{"action": "ping", `+fields+`}`); !strings.Contains(got, `"status":"ok"`) { // which never waits
			t.Errorf("ping with %s is answered %s", fields, got)
		}
	}
}

// A deadline passes while the device is busy with another request: the answer
// comes then, and not when the device is free.
func TestDeadlineWhileTheDeviceIsBusy(t *testing.T) {
	g, path := serveGate(t)
	running, late := dial(t, path), dial(t, path)
	send(t, running, inference(t, "running.hef"))
	<-g.loading
	got := ask(t, late, strings.Replace(inference(t, "late.hef"), `{`, `{"detail": true, "deadline_ms": 50, `, 1))
	const want = `{"error": "the request's deadline passed while the device was busy", "kind": "timeout", "reason": "expired"}`
	if got != want {
		t.Errorf("answered %s", got)
	}
	awaitDepth(t, path, 0)
	g.pass <- struct{}{}
	receive(t, running)
}

// What package device sends is what the manager sees.
func TestClientSendsItsTerms(t *testing.T) {
	m, notes := noting()
	client := &device.Client{Path: serve(t, newServer(m))}
	defer func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}()
	model := device.Model{Type: "depth", Path: "/m"}
	_, _ = client.Infer(t.Context(), model, device.Input{}) // fails as the manager above does
	if got := <-notes; got != (seen{device.Terms{Priority: 5, Client: self(t)}, time.Time{}}) {
		t.Errorf("without terms: %+v", got)
	}
	want := device.Terms{Priority: 8, Client: "camera"}
	ctx, cancel := context.WithTimeout(device.WithTerms(t.Context(), want), time.Hour)
	defer cancel()
	_, err := client.Infer(ctx, model, device.Input{})
	got := <-notes
	if left := time.Until(got.deadline); got.terms != want || left < 59*time.Minute || left > time.Hour+time.Second {
		t.Errorf("%+v", got)
	}
	if device.ReasonOf(err) != device.ReasonBackend {
		t.Errorf("%v: %s", err, device.ReasonOf(err))
	}
}
