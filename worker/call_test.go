package worker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/sys/unix"

	"hailo-depth/tensor"
)

// respond answers requests until the channel ends, with what f makes of them.
func respond(t testing.TB, theirs *net.UnixConn, f func(q request) packet) {
	body := make([]byte, maxMessage)
	for {
		n, err := theirs.Read(body)
		if err != nil || n == 0 {
			return
		}
		var q request
		if err := json.Unmarshal(body[:n], &q); err != nil {
			t.Error(err)
			return
		}
		if err := f(q).send(theirs); err != nil {
			return // the manager has left
		}
	}
}

func TestCallsAreAnsweredEachWithItsOwn(t *testing.T) {
	p, theirs, end := played(t)
	defer end()
	var held []request
	go respond(t, theirs, func(q request) packet { // answers pairs the wrong way round
		if held = append(held, q); len(held) < 2 {
			return packet{text: fmt.Sprintf(`{"id":%d}`, 1<<40)}
		}
		first, second := held[0], held[1]
		held = nil
		if err := (packet{text: fmt.Sprintf(`{"id":%d,"device_us":%d}`, second.ID, second.ID)}).send(theirs); err != nil {
			t.Error(err)
		}
		return packet{text: fmt.Sprintf(`{"id":%d,"device_us":%d}`, first.ID, first.ID)}
	})
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() {
			for range 100 {
				r, err := p.ask(t.Context(), request{Verb: verbStatistics})
				if err != nil || r.DeviceUS != int64(r.ID) {
					t.Errorf("%+v, %v", r, err)
				}
			}
		})
	}
	calls.Wait()
}

// TestRequestThatCannotBeSent costs the request, not the worker: clients say
// which shapes they want.
func TestRequestThatCannotBeSent(t *testing.T) {
	p, theirs, end := played(t)
	defer end()
	go respond(t, theirs, func(q request) packet {
		return packet{text: fmt.Sprintf(`{"id":%d,"error":{"kind":"invalid_model","message":"no file"}}`, q.ID)}
	})
	_, err := p.Load(t.Context(), LoadSpec{Path: "/x", InputShapes: map[string]tensor.Shape{strings.Repeat("x", maxMessage): {1}}})
	if KindOf(err) != KindInvalid || !strings.Contains(err.Error(), "the limit is 65536") {
		t.Errorf("%v (%s)", err, KindOf(err))
	}
	if p.Err() != nil || len(p.pending) != 0 {
		t.Errorf("the worker is %v, %d calls wait", p.Err(), len(p.pending))
	}
	// A file name need not be UTF-8.
	if _, err := p.Load(t.Context(), LoadSpec{Path: "/\xff"}); KindOf(err) != KindModel {
		t.Errorf("%v (%s)", err, KindOf(err))
	}
}

// TestWorkerThatDoesNotRead: the kernel holds few messages for it; then nothing
// may block beyond its context.
func TestWorkerThatDoesNotRead(t *testing.T) {
	p, _, end := played(t)
	defer end()
	for i := range 600 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		began := time.Now()
		_, err := p.Statistics(ctx)
		cancel()
		if KindOf(err) != KindTimeout || time.Since(began) > 5*time.Second {
			t.Fatalf("call %d ended after %v with %v", i, time.Since(began), err)
		}
	}
	if p.Err() != nil || len(p.pending) != 0 {
		t.Errorf("the worker is %v, %d calls wait", p.Err(), len(p.pending))
	}
}

// TestCallsEndWithTheProcess: those that wait, those to come, and those that
// cannot even be sent.
func TestCallsEndWithTheProcess(t *testing.T) {
	p, theirs, end := played(t)
	ends := make(chan error, 40)
	for range cap(ends) {
		go func() {
			_, err := p.Statistics(t.Context())
			ends <- err
		}()
	}
	request := make([]byte, maxMessage)
	for range cap(ends) { // a call that was sent waits
		if _, err := theirs.Read(request); err != nil {
			t.Fatal(err)
		}
	}
	end()
	for range cap(ends) {
		if err := <-ends; KindOf(err) != KindLost || !strings.Contains(err.Error(), "the test ended it") {
			t.Errorf("%v", err)
		}
	}
	if _, err := p.Statistics(t.Context()); !errors.Is(err, p.Err()) || err == nil {
		t.Errorf("%v, %v", err, p.Err())
	}
}

// TestAnswersThatCrossTheEndOfTheirCall leave no descriptor open.
func TestAnswersThatCrossTheEndOfTheirCall(t *testing.T) {
	noLeak(t, func() {
		p, theirs, end := played(t)
		fd := memfd(t, 8192, seals)
		defer unix.Close(fd)
		responded := make(chan struct{})
		go func() {
			defer close(responded)
			respond(t, theirs, func(q request) packet {
				return packet{fmt.Sprintf(`{"id":%d,%s,%s}`, q.ID, signatureJSON, regionJSON), []int{fd}}
			})
		}()
		answered := 0
		for i := range 3000 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%300)*time.Microsecond)
			n, err := p.Load(ctx, LoadSpec{Path: "/x"})
			cancel()
			if err == nil {
				answered++
				if err := n.Release(); err != nil {
					t.Error(err)
				}
			}
		}
		end()
		<-responded
		<-p.Done()
		if answered == 0 || answered == 3000 {
			t.Errorf("%d calls were answered; some should cross", answered)
		}
	})
}
