package worker

import (
	"slices"
	"testing"
	"time"

	"hailo-depth/tensor"
)

// loadedFake is a network on a worker's own loop.
func loadedFake(t *testing.T) *Network {
	t.Helper()
	p, end := bothSides(t, &fakeBackend{})
	t.Cleanup(end)
	n, err := p.Load(t.Context(), LoadSpec{Path: "/any"})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func send(t *testing.T, n *Network, v byte) Pending {
	t.Helper()
	p, err := n.Send(t.Context(), time.Second, picture(v))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// expectFirst: the answer's bytes begin with those of the picture.
func expectFirst(t *testing.T, p Pending, v byte) {
	t.Helper()
	outputs, _, err := p.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := outputs[0].Tensor.Data; len(got) != 8 || got[0] != v {
		t.Errorf("answered %v to a picture of %d", got, v)
	}
}

// TestTwoInferencesAreSent: each has its own answer, whichever is read first,
// and there is room for no third.
func TestTwoInferencesAreSent(t *testing.T) {
	n := loadedFake(t)
	before := send(t, n, 1)
	for v := byte(2); v < 60; v++ {
		next := send(t, n, v)
		if _, err := n.Send(t.Context(), time.Second, picture(v)); KindOf(err) != KindBusy {
			t.Fatalf("a third inference was sent: %v", err)
		}
		expectFirst(t, before, v-1)
		before = next
	}
	expectFirst(t, before, 59)
	second, first := send(t, n, 60), send(t, n, 61)
	expectFirst(t, first, 61)
	expectFirst(t, second, 60)
}

// TestOutputsChangeUnderASecondInference: it is run again on the new memory, and
// none is sent early after it; in whichever set of memory it was.
func TestOutputsChangeUnderASecondInference(t *testing.T) {
	n := loadedFake(t)
	changeOutputs(t, n, send(t, n, 101), 7)
	n = loadedFake(t)
	before, first := send(t, n, 6), send(t, n, 101)
	expectFirst(t, before, 6)
	changeOutputs(t, n, first, 7)
}

func changeOutputs(t *testing.T, n *Network, first Pending, v byte) {
	t.Helper()
	second := send(t, n, v)
	outputs, _, err := first.Wait(t.Context())
	if err != nil || len(outputs[0].Tensor.Data) != 101 {
		t.Fatalf("%v, %v", outputs, err)
	}
	expectFirst(t, second, v)
	if _, err := n.Send(t.Context(), time.Second, picture(9)); KindOf(err) != KindBusy {
		t.Errorf("an inference was sent early where outputs change: %v", err)
	}
	if outputs, _, err = n.Infer(t.Context(), time.Second, picture(8)); err != nil || outputs[0].Tensor.Data[0] != 8 {
		t.Errorf("%v, %v", outputs, err)
	}
	if err := n.Release(); err != nil {
		t.Error(err)
	}
	if _, err := n.Send(t.Context(), time.Second, picture(9)); KindOf(err) != KindInvalid {
		t.Errorf("an inference was sent to a network that is gone: %v", err)
	}
}

// TestSecondSetWhereItIsSmall: large tensors have one set.
func TestSecondSetWhereItIsSmall(t *testing.T) {
	for _, c := range []struct {
		bytes int
		twice bool
	}{{1, true}, {mostDoubled, true}, {mostDoubled + 1, false}} {
		layout, err := plan(Signature{Inputs: []TensorInfo{info("in", tensor.Uint8, c.bytes)}})
		if err != nil {
			t.Fatal(err)
		}
		got := layout.doubled()
		if second, ok := got.set(1); ok != c.twice || ok && (!slices.Equal(second.Inputs, []int64{layout.Bytes}) || got.Bytes != 2*layout.Bytes) {
			t.Errorf("%d bytes: %+v", c.bytes, got)
		}
	}
}
