package socketapi_test

import (
	"context"
	"testing"

	"hailo-depth/device"
)

// held is a manager whose inferences wait: it tells the context of each as it
// comes and answers when release says so or the client has left.
func held() (m fakeManager, running chan context.Context, release chan struct{}) {
	running, release = make(chan context.Context), make(chan struct{})
	m.infer = func(ctx context.Context, _ device.Model) (device.Result, error) {
		running <- ctx
		select {
		case <-ctx.Done():
		case <-release:
		}
		return device.Result{}, &device.Error{Message: "done"}
	}
	return m, running, release
}

// Who hangs up is no longer worked for. Who only has nothing more to say is,
// and gets its answers, also to what it sent ahead.
func TestHangupAndHalfClose(t *testing.T) {
	m, running, release := held()
	path := serve(t, newServer(m))
	half, gone := dial(t, path), dial(t, path)
	send(t, half, anInfer, ping)
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	listening := <-running
	send(t, gone, anInfer, ping)
	left := <-running
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	<-left.Done() // the other was looked at as often by now, and longer
	if listening.Err() != nil {
		t.Error("a client that closed its sending half was taken for one that left")
	}
	close(release)
	if got := receive(t, half); got != `{"error": "done"}` {
		t.Errorf("answered %s", got)
	}
	receive(t, half)
	expectEnd(t, half)
}

// A request keeps its connection's others waiting, and no other connection's.
func TestConnectionsDoNotWaitForEachOther(t *testing.T) {
	m, running, release := held()
	path := serve(t, newServer(m))
	busy := dial(t, path)
	send(t, busy, anInfer)
	<-running
	for range 3 {
		ask(t, dial(t, path), ping)
		ask(t, dial(t, path), `{"action": "device_status"}`)
	}
	close(release)
	receive(t, busy)
}
