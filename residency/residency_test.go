package residency

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// idle makes a model of 10 bytes and 1 s that was used so many seconds before now.
const now = 1000

func idle(key string, seconds int) Model {
	return Model{Key: key, Bytes: 10, LoadTime: time.Second, LastUsed: at(now - seconds)}
}

func at(second int) time.Time { return epoch.Add(time.Duration(second) * time.Second) }

func (m Model) with(change func(*Model)) Model {
	change(&m)
	return m
}

func keys(models []Model) string {
	var list []string
	for _, m := range models {
		list = append(list, m.Key)
	}
	return strings.Join(list, " ")
}

func TestVictims(t *testing.T) {
	abc := []Model{idle("b", 20), idle("c", 10), idle("a", 30)}
	big := func(m *Model) { m.Bytes = 40 }
	slow := func(m *Model) { m.LoadTime = time.Minute }
	for _, c := range []struct {
		name       string
		models     []Model
		need, free int64
		want       string
		why        string // of a refusal
	}{
		{name: "it fits already", models: abc, need: 5, free: 5},
		{name: "nothing is needed", models: abc, need: 0, free: 0},
		{name: "alike: the least recently used", models: abc, need: 5, want: "a"},
		{name: "alike: in the order of use", models: abc, need: 25, free: 5, want: "a b"},
		{name: "all of them", models: abc, need: 30, want: "a b c"},
		{name: "one byte too many", models: abc, need: 31, why: "31 bytes are needed, 0 bytes are free and 30 bytes could be freed"},
		{name: "free memory below zero counts as none", models: abc, need: 10, free: -50, want: "a"},
		{name: "a large one rather than a small one of the same age", models: []Model{idle("small", 10), idle("large", 10).with(big)}, need: 5, want: "large"},
		{name: "one that is soon back rather than a slow one", models: []Model{idle("slow", 10).with(slow), idle("fast", 10)}, need: 5, want: "fast"},
		{name: "slow and forgotten goes before fast and fresh", models: []Model{idle("slow", 900).with(slow), idle("fast", 1)}, need: 5, want: "slow"},
		{name: "what turned out not to be needed stays", models: []Model{idle("a", 500), idle("b", 50).with(big)}, need: 35, want: "b"},
		{name: "unknown sizes make no room", models: []Model{idle("a", 30).with(func(m *Model) { m.Bytes = 0 }), idle("b", 1)}, need: 5, want: "b"},
		{name: "busy ones stay", models: []Model{
			idle("r", 90).with(func(m *Model) { m.Running = true }), idle("l", 90).with(func(m *Model) { m.Loading = true }),
			idle("p", 90).with(func(m *Model) { m.Pinned = true }), idle("u", 90).with(func(m *Model) { m.Unserved = true }), idle("x", 1),
		}, need: 10, want: "x"},
		{name: "and are named when they are in the way", models: []Model{
			idle("r", 90).with(func(m *Model) { m.Running = true }), idle("l", 90).with(func(m *Model) { m.Loading = true }),
			idle("p", 90).with(func(m *Model) { m.Pinned = true }), idle("u", 90).with(func(m *Model) { m.Unserved = true }), idle("x", 1),
		}, need: 3 << 20, free: 1 << 20, why: "3.0 MiB are needed, 1.0 MiB are free and 10 bytes could be freed; kept are l (loading), p (pinned), r (running), u (not used yet)"},
		{name: "sizes that do not add up", models: []Model{idle("a", 9).with(func(m *Model) { m.Bytes = math.MaxInt64 }), idle("b", 9).with(func(m *Model) { m.Bytes = math.MaxInt64 })}, need: math.MaxInt64, want: "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := slices.Clone(c.models)
			got, err := Victims(c.models, c.need, c.free, at(now))
			if keys(got) != c.want || (err == nil) != (c.why == "") || err != nil && err.Error() != c.why {
				t.Errorf("victims %q, %v; want %q, %q", keys(got), err, c.want, c.why)
			}
			if !slices.Equal(before, c.models) {
				t.Error("the models were changed")
			}
		})
	}
}

func TestExpires(t *testing.T) {
	m := idle("a", 10)
	for keepAlive, want := range map[time.Duration]time.Time{0: m.LastUsed, time.Minute: m.LastUsed.Add(time.Minute)} {
		if got, ok := Expires(m, keepAlive); !ok || got != want {
			t.Errorf("%v: %v, %v; want %v", keepAlive, got, ok, want)
		}
	}
	if _, ok := Expires(m, Forever); ok {
		t.Error("for ever has an end")
	}
	for _, busy := range []func(*Model){
		func(m *Model) { m.Running = true }, func(m *Model) { m.Loading = true },
		func(m *Model) { m.Pinned = true }, func(m *Model) { m.Unserved = true },
	} {
		if _, ok := Expires(m.with(busy), 0); ok {
			t.Errorf("%+v expires", m.with(busy))
		}
	}
}
