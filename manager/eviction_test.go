package manager

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// used makes a candidate that was last used at a minute.
func used(name string, minute int) candidate {
	return candidate{key{"depth", name}, epoch.Add(time.Duration(minute) * time.Minute)}
}

func TestNextRemedy(t *testing.T) {
	abc := []candidate{used("b", 2), used("c", 3), used("a", 1)}
	for _, c := range []struct {
		name     string
		failures int
		others   []candidate
		limit    int
		wasReset bool
		evict    []string
		reset    bool
		giveUp   bool
	}{
		{name: "the least recently used first", failures: 1, others: abc, limit: 3, evict: []string{"a"}},
		{name: "then all, oldest first", failures: 2, others: abc, limit: 3, evict: []string{"a", "b", "c"}},
		{name: "the same on the last round", failures: 3, others: abc, limit: 3, evict: []string{"a", "b", "c"}},
		{name: "not beyond the limit", failures: 4, others: abc, limit: 3, giveUp: true},
		{name: "one round allowed, one taken", failures: 1, others: abc, limit: 1, evict: []string{"a"}},
		{name: "one round allowed, over", failures: 2, others: abc, limit: 1, giveUp: true},
		{name: "no eviction allowed", failures: 1, others: abc, limit: 0, giveUp: true},
		{name: "nothing to evict: reset", failures: 1, limit: 3, reset: true},
		{name: "nothing to evict, whatever the limit: reset", failures: 9, limit: 0, reset: true},
		{name: "reset only once", failures: 2, limit: 3, wasReset: true, giveUp: true},
		{name: "ties go by name", failures: 1, others: []candidate{used("z", 5), used("m", 5)}, limit: 3, evict: []string{"m"}},
		{name: "after a reset others still go", failures: 2, others: abc, limit: 3, wasReset: true, giveUp: false, evict: []string{"a", "b", "c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := slices.Clone(c.others)
			got := nextRemedy(c.failures, c.others, c.limit, c.wasReset)
			var evicted []string
			for _, k := range got.evict {
				evicted = append(evicted, k.path)
			}
			if !slices.Equal(evicted, c.evict) || got.reset != c.reset || got.giveUp != c.giveUp {
				t.Errorf("evict %v reset %v giveUp %v; want %v %v %v", evicted, got.reset, got.giveUp, c.evict, c.reset, c.giveUp)
			}
			if !slices.Equal(before, c.others) {
				t.Error("the candidates were changed")
			}
		})
	}
}

// TestRemediesEnd plays whole loads that fail every time: whatever is loaded
// and whatever the limit, they end, with the promised sequence of remedies.
func TestRemediesEnd(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var others []candidate
		for i := range r.IntN(6) {
			others = append(others, used(fmt.Sprint(i), r.IntN(4)))
		}
		limit, wasReset, resets := r.IntN(5), false, 0
		rounds := 0
		for failures := 1; ; failures++ {
			if failures > 10 {
				t.Fatalf("seed %d: no end", seed)
			}
			fix := nextRemedy(failures, others, limit, wasReset)
			if acts := count(len(fix.evict) > 0, fix.reset, fix.giveUp); acts != 1 {
				t.Fatalf("seed %d: %d remedies at once: %+v", seed, acts, fix)
			}
			if fix.giveUp {
				if len(others) > 0 && failures <= limit {
					t.Fatalf("seed %d: gave up with %d models to evict and %d rounds left", seed, len(others), limit-failures)
				}
				break
			}
			if fix.reset {
				if len(others) > 0 {
					t.Fatalf("seed %d: reset with models to evict", seed)
				}
				wasReset = true
				resets++
				continue
			}
			if want := map[bool]int{true: 1, false: len(others)}[failures == 1]; len(fix.evict) != want {
				t.Fatalf("seed %d: failure %d evicts %d of %d", seed, failures, len(fix.evict), len(others))
			}
			rounds++
			others = evictInOrder(t, seed, others, fix.evict)
		}
		if rounds > limit || resets > 1 || (len(others) == 0 && resets != 1) {
			t.Fatalf("seed %d: %d rounds of at most %d, %d resets, %d models left", seed, rounds, limit, resets, len(others))
		}
	}
}

// evictInOrder takes the evicted out and checks that each was the oldest left.
func evictInOrder(t *testing.T, seed uint64, others []candidate, evict []key) []candidate {
	t.Helper()
	for _, k := range evict {
		at := slices.IndexFunc(others, func(c candidate) bool { return c.key == k })
		if at < 0 {
			t.Fatalf("seed %d: evicts %v, which is not loaded", seed, k)
		}
		for _, c := range others {
			if c.lastUsed.Before(others[at].lastUsed) {
				t.Fatalf("seed %d: evicts %v before the older %v", seed, k, c.key)
			}
		}
		others = slices.Delete(others, at, at+1)
	}
	return others
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}
