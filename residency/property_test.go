package residency

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// step is one event in the life of a simulated device.
type step struct {
	what  string // see play
	model int
	n     int
}

func (s step) String() string { return fmt.Sprintf("%s %d %d", s.what, s.model, s.n) }

// written is a sequence as text, which parse reads: a failing one is added to
// TestRecordedSequences.
func written(capacity int64, steps []step) string {
	lines := []string{fmt.Sprint(capacity)}
	for _, s := range steps {
		lines = append(lines, s.String())
	}
	return strings.Join(lines, "; ")
}

func parse(text string) (capacity int64, steps []step, err error) {
	first, rest, _ := strings.Cut(text, "; ")
	if _, err = fmt.Sscan(first, &capacity); err != nil {
		return 0, nil, err
	}
	for entry := range strings.SplitSeq(rest, "; ") {
		var s step
		if _, err := fmt.Sscan(entry, &s.what, &s.model, &s.n); err != nil {
			return 0, nil, fmt.Errorf("%q: %w", entry, err)
		}
		steps = append(steps, s)
	}
	return capacity, steps, nil
}

// machine is a device of so many bytes that trusts the policy.
type machine struct {
	capacity int64
	now      time.Time
	loaded   []Model
}

func (d *machine) used() (n int64) {
	for _, m := range d.loaded {
		n += m.Bytes
	}
	return n
}

func (d *machine) find(key string) *Model {
	for i := range d.loaded {
		if d.loaded[i].Key == key {
			return &d.loaded[i]
		}
	}
	return nil
}

func (d *machine) drop(key string) {
	d.loaded = slices.DeleteFunc(d.loaded, func(m Model) bool { return m.Key == key })
}

// play runs a sequence and returns what went wrong. Model i has 1+i*i bytes.
func play(capacity int64, steps []step) error {
	d := machine{capacity: capacity, now: epoch}
	for i, s := range steps {
		if err := d.step(s); err != nil {
			return fmt.Errorf("step %d (%v): %w", i, s, err)
		}
		if used := d.used(); used > d.capacity || used < 0 {
			return fmt.Errorf("step %d (%v): %d bytes in use of %d", i, s, used, d.capacity)
		}
	}
	// At the end everything goes, and the device is empty.
	for _, m := range slices.Clone(d.loaded) {
		d.drop(m.Key)
	}
	if d.used() != 0 {
		return fmt.Errorf("%d bytes in use in the end", d.used())
	}
	return nil
}

func (d *machine) step(s step) error {
	key := fmt.Sprint("m", s.model)
	m := d.find(key)
	switch s.what {
	case "time":
		d.now = d.now.Add(time.Duration(s.n) * time.Second)
	case "load": // for a request, which runs later
		if m != nil {
			return nil
		}
		return d.load(Model{Key: key, Bytes: int64(1 + s.model*s.model), LoadTime: time.Duration(s.n) * time.Second, LastUsed: d.now, Unserved: true})
	case "serve": // loaded for a request that runs at once
		for _, what := range []string{"load", "ready", "run", "end"} {
			if err := d.step(step{what, s.model, s.n}); err != nil {
				return err
			}
		}
	case "ready":
		if m != nil {
			m.Loading = false
		}
	case "run":
		if m != nil && !m.Loading {
			m.Running, m.Unserved, m.LastUsed = true, false, d.now
		}
	case "end":
		if m != nil {
			m.Running = false
		}
	case "pin":
		if m != nil {
			m.Pinned = s.n%2 == 1
		}
	case "expire":
		return d.expire(time.Duration(s.n) * time.Second)
	case "lost": // the worker died
		d.loaded = nil
	}
	return nil
}

// load makes room as the policy says and checks all that it promises.
func (d *machine) load(m Model) error {
	free := d.capacity - d.used()
	before := slices.Clone(d.loaded)
	victims, err := Victims(d.loaded, m.Bytes, free, d.now)
	if !slices.Equal(before, d.loaded) {
		return errors.New("the policy changed its input")
	}
	turned := slices.Clone(d.loaded)
	slices.Reverse(turned)
	if again, _ := Victims(turned, m.Bytes, free, d.now); !slices.Equal(again, victims) {
		return fmt.Errorf("the order of the input decides: %q, %q", keys(victims), keys(again))
	}
	if err != nil {
		refusal, ok := errors.AsType[*NoRoomError](err)
		if !ok || len(victims) > 0 {
			return fmt.Errorf("%v with the victims %q", err, keys(victims))
		}
		room := free
		for _, l := range d.loaded {
			if !l.busy() {
				room += l.Bytes
			}
		}
		if room >= m.Bytes || refusal.Need != m.Bytes {
			return fmt.Errorf("refused (%v) though %d bytes could be free", err, room)
		}
		return nil
	}
	freed := free
	for i, v := range victims {
		was := d.find(v.Key)
		if was == nil || was.busy() {
			return fmt.Errorf("the victim %+v may not go", v)
		}
		if i > 0 && Density(victims[i-1], d.now) > Density(v, d.now) {
			return fmt.Errorf("%s goes before %s, which is worth less", victims[i-1].Key, v.Key)
		}
		freed += was.Bytes
	}
	if len(victims) > 0 && freed < m.Bytes {
		return fmt.Errorf("%q free %d of %d bytes", keys(victims), freed, m.Bytes)
	}
	for _, v := range victims {
		if freed-v.Bytes >= m.Bytes {
			return fmt.Errorf("%s need not have gone: without it %d of %d bytes are free", v.Key, freed-v.Bytes, m.Bytes)
		}
	}
	// Who stays is worth no less than some victim, unless it frees too little
	// or was given back: no single model worth less than all victims would do.
	for _, l := range d.loaded {
		cheap := !l.busy() && l.Bytes > 0 && free+l.Bytes >= m.Bytes
		for _, v := range victims {
			cheap = cheap && (Density(l, d.now) < Density(v, d.now))
		}
		if cheap && len(victims) > 0 {
			return fmt.Errorf("%s would have been enough and is worth less than each of %q", l.Key, keys(victims))
		}
	}
	for _, v := range victims {
		d.drop(v.Key)
	}
	m.Loading = true
	d.loaded = append(d.loaded, m)
	return nil
}

// busy says for itself, not as the package does, what must never go.
func (m Model) busy() bool { return m.Running || m.Loading || m.Pinned || m.Unserved }

// expire unloads what has expired.
func (d *machine) expire(keepAlive time.Duration) error {
	for _, m := range slices.Clone(d.loaded) {
		at, ok := Expires(m, keepAlive)
		if ok && m.busy() {
			return fmt.Errorf("%+v expires", m)
		}
		if ok && !at.After(d.now) {
			d.drop(m.Key)
		}
	}
	return nil
}

func random(r *rand.Rand) (capacity int64, steps []step) {
	words := []string{"serve", "serve", "serve", "serve", "serve", "serve", "load", "ready", "run", "end", "time", "time", "time", "pin", "expire", "lost"}
	for range 5 + r.IntN(20) {
		n := r.IntN(20)
		word := words[r.IntN(len(words))]
		if (word == "lost" || word == "expire") && n > 2 {
			word = "serve"
		}
		steps = append(steps, step{word, r.IntN(8), n})
	}
	return int64(r.IntN(120)), steps
}

// shrink takes steps out of a failing sequence for as long as it fails.
func shrink(capacity int64, steps []step) []step {
	for i := 0; i < len(steps); {
		shorter := slices.Delete(slices.Clone(steps), i, i+1)
		if play(capacity, shorter) != nil {
			steps, i = shorter, 0
		} else {
			i++
		}
	}
	return steps
}

func TestRandomSequences(t *testing.T) {
	for seed := range uint64(100_000) {
		capacity, steps := random(rand.New(rand.NewPCG(seed, 1)))
		if play(capacity, steps) != nil {
			steps = shrink(capacity, steps)
			t.Fatalf("seed %d: %v\nreplay: %q", seed, play(capacity, steps), written(capacity, steps))
		}
	}
}

// TestRecordedSequences replays sequences as a failure prints them.
func TestRecordedSequences(t *testing.T) {
	for _, text := range []string{
		"10; load 2 1; ready 2 0; run 2 0; end 2 0; load 3 1",           // one for one
		"14; load 2 1; ready 2 0; load 3 1; run 2 0; end 2 0; load 1 0", // the loading one stays
		"20; load 1 9; run 1 0; load 4 0; load 2 1; time 0 9; expire 0 0; lost 0 0",
	} {
		capacity, steps, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := written(capacity, steps); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
		if err := play(capacity, steps); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
