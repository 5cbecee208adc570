package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// crowd fills a list with jobs of 50 clients, 6 models and all priorities that
// arrived over two thirds of a step, so that none is overdue yet.
func crowd(n int) (*List, time.Time) {
	rules := DefaultRules()
	rules.Jobs, rules.Bytes = n, 1<<62
	l := New(rules, epoch)
	random := rand.New(rand.NewPCG(1, uint64(n)))
	now := epoch
	for i := range n {
		now = epoch.Add(rules.Step * 2 / 3 * time.Duration(i) / time.Duration(n))
		l.Admit(anyJob(random, now), now)
	}
	return l, now
}

func anyJob(random *rand.Rand, now time.Time) Job {
	return Job{
		Model:    fmt.Sprint("model", random.IntN(6)),
		Client:   fmt.Sprint("client", random.IntN(50)),
		Priority: random.IntN(10),
		Bytes:    245_760,
		Deadline: now.Add(time.Hour),
	}
}

var sizes = []int{10, 1_000, 100_000}

// BenchmarkNext is a decision alone.
func BenchmarkNext(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l, now := crowd(n)
			resident := []string{"model1", "model2", "model3"}
			for b.Loop() {
				if _, ok := l.Next(now, resident); !ok {
					b.Fatal("no choice")
				}
			}
		})
	}
}

// BenchmarkRequest is all that one request costs while n wait: its admission,
// the decision for it, and its end.
func BenchmarkRequest(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l, now := crowd(n)
			random := rand.New(rand.NewPCG(2, 2))
			var jobs [1024]Job
			for i := range jobs {
				jobs[i] = anyJob(random, now)
			}
			resident := []string{"model1", "model2", "model3"}
			for i := 0; b.Loop(); i++ {
				now = now.Add(time.Millisecond)
				l.Expire(now)
				c, ok := l.Next(now, resident)
				if !ok || !l.Take(c, now) {
					b.Fatal("no choice")
				}
				l.Done(now)
				j := jobs[i%len(jobs)]
				j.Deadline = now.Add(time.Hour)
				if _, refused := l.Admit(j, now); refused != nil {
					b.Fatal(refused)
				}
			}
		})
	}
}

// BenchmarkCancel is a caller that comes and leaves again.
func BenchmarkCancel(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l, now := crowd(n)
			l.rules.Jobs++
			j := anyJob(rand.New(rand.NewPCG(3, 3)), now)
			for b.Loop() {
				id, refused := l.Admit(j, now)
				if refused != nil || !l.Remove(id) {
					b.Fatal(refused)
				}
			}
		})
	}
}

// mixed is a device of simulated time: 24 clients that each want one of 6
// models, one request at a time, on a device that holds 3 of them.
type mixed struct {
	rules          Rules
	infer, load    time.Duration
	think          time.Duration // mean, between an answer and the next request
	served, misses int
	switches       int
	longest        time.Duration
	took           time.Duration
}

// run serves n requests.
func (m *mixed) run(n int) {
	const users, kinds, holds = 24, 6, 3
	random := rand.New(rand.NewPCG(7, 7))
	now, l := epoch, New(m.rules, epoch)
	var comes [users]time.Time // when each asks next; zero while it waits
	asks := func(u int) { comes[u] = now.Add(time.Duration(random.ExpFloat64() * float64(m.think))) }
	for u := range users {
		asks(u)
	}
	var resident []string // least recently used first
	for m.served < n {
		first := time.Time{}
		for u, at := range comes {
			switch {
			case at.IsZero():
			case !at.After(now):
				l.Admit(Job{Model: fmt.Sprint("model", u%kinds), Client: fmt.Sprint(u), Priority: 5}, now)
				comes[u] = time.Time{}
			case first.IsZero() || at.Before(first):
				first = at
			}
		}
		c, ok := l.Next(now, resident)
		if !ok {
			now = first
			continue
		}
		l.Take(c, now)
		m.longest = max(m.longest, now.Sub(c.Job.Arrival))
		if c.Switch {
			m.switches++
		}
		if i := slices.Index(resident, c.Job.Model); i >= 0 {
			resident = slices.Delete(resident, i, i+1)
		} else {
			m.misses++
			now = now.Add(m.load)
			if len(resident) == holds {
				resident = resident[1:]
			}
		}
		resident = append(resident, c.Job.Model)
		now = now.Add(m.infer)
		l.Done(now)
		m.served++
		var u int
		fmt.Sscan(c.Job.Client, &u)
		asks(u)
	}
	m.took = now.Sub(epoch)
}

// BenchmarkGrouping reports, in simulated time, what grouping saves on a mixed
// load and what it costs those who wait.
func BenchmarkGrouping(b *testing.B) {
	for _, group := range []int{0, 8} {
		b.Run(fmt.Sprintf("group=%d", group), func(b *testing.B) {
			rules := DefaultRules()
			rules.Group = group
			var m mixed
			for b.Loop() {
				m = mixed{rules: rules, infer: 5 * time.Millisecond, load: 100 * time.Millisecond, think: 20 * time.Millisecond}
				m.run(20_000)
			}
			b.ReportMetric(float64(m.switches)*1000/float64(m.served), "switches/1000")
			b.ReportMetric(float64(m.misses)*1000/float64(m.served), "loads/1000")
			b.ReportMetric(float64(m.longest.Milliseconds()), "longest-ms")
			b.ReportMetric(float64(m.served)/m.took.Seconds(), "requests/s")
		})
	}
}
