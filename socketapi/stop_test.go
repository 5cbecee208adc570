package socketapi_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"hailo-depth/device"
)

// drainTime is what the manager grants itself for stopping; a client must not
// take that long.
const drainTime = 5 * time.Second

// expectStop wants Serve to return soon after stop.
func expectStop(t *testing.T, stop context.CancelFunc, stopped <-chan error, within time.Duration) {
	t.Helper()
	began := time.Now()
	stop()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > within {
		t.Errorf("stopping took %v", took)
	}
}

// Idle clients and those within a frame do not hold up the end, and none is
// left without being hung up on.
func TestStopWithIdleClients(t *testing.T) {
	for _, sent := range []string{"", "\x00\x00", "\x00\x00\x00\x09", "\x00\x00\x00\x09{", frame(ping)} {
		inBubble(t, newServer(fakeManager{}), func(t *testing.T, p *pipes, stop context.CancelFunc, stopped <-chan error) {
			c := p.connect(t)
			if _, err := io.WriteString(c, sent); err != nil {
				t.Fatal(err)
			}
			if sent == frame(ping) {
				receive(t, c)
			}
			synctest.Wait()
			expectStop(t, stop, stopped, 0)
			expectEnd(t, c)
			select {
			case <-p.closed:
			default:
				t.Error("the listener is open")
			}
		})
	}
}

// A request that was read is answered, however long that takes; no other is read.
func TestStopWithARequestUnderWay(t *testing.T) {
	const took = time.Minute
	slow := fakeManager{infer: func(ctx context.Context, _ device.Model) (device.Result, error) {
		select {
		case <-ctx.Done():
		case <-time.After(took):
		}
		return device.Result{}, &device.Error{Kind: device.KindTimeout, Message: "slow"}
	}}
	inBubble(t, newServer(slow), func(t *testing.T, p *pipes, stop context.CancelFunc, stopped <-chan error) {
		c := p.connect(t)
		send(t, c, anInfer)
		synctest.Wait()
		stop()
		began := time.Now()
		if got := receive(t, c); got != `{"error": "slow"}` || time.Since(began) != took {
			t.Errorf("answered %s after %v", got, time.Since(began))
		}
		expectEnd(t, c)
		if err := <-stopped; err != nil || time.Since(began) != took {
			t.Errorf("stopped after %v: %v", time.Since(began), err)
		}
	})
}

// A client that does not read its answer does not hold up the end either,
// whether the answer is there before it or comes after.
func TestStopWithAClientThatDoesNotRead(t *testing.T) {
	for _, takes := range []time.Duration{0, 3 * time.Second} {
		m := fakeManager{infer: func(context.Context, device.Model) (device.Result, error) {
			time.Sleep(takes) // of the device, on the bubble's clock
			return device.Result{}, &device.Error{Message: "done"}
		}}
		inBubble(t, newServer(m), func(t *testing.T, p *pipes, stop context.CancelFunc, stopped <-chan error) {
			send(t, p.connect(t), anInfer)
			synctest.Wait()
			expectStop(t, stop, stopped, drainTime)
		})
	}
}

// Without an end in sight a body and an answer may take a minute, no more; a
// client that asks nothing stays.
func TestSlowClients(t *testing.T) {
	inBubble(t, newServer(fakeManager{}), func(t *testing.T, p *pipes, stop context.CancelFunc, stopped <-chan error) {
		idle, within, deaf := p.connect(t), p.connect(t), p.connect(t)
		if _, err := io.WriteString(within, frame(ping)[:9]); err != nil {
			t.Fatal(err)
		}
		send(t, deaf, ping)
		began := time.Now()
		expectEnd(t, within)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("half a frame ended after %v", took)
		}
		synctest.Wait()
		expectEnd(t, deaf)
		time.Sleep(24 * time.Hour)
		ask(t, idle, ping)
		expectStop(t, stop, stopped, 0)
	})
}
