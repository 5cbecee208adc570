// Package schedule decides which request has the device next. It is a list of
// those that wait and a rule; it starts nothing, reads no clock and logs
// nothing: whoever owns a List tells it what happens and when.
//
// The rule, in this order (docs/scheduling.md has the reasons):
//
//  1. Urgent jobs, first come first served.
//  2. Overdue jobs, strictly by arrival. A job's effective priority is its own
//     plus one for every beat of a clock, one each Rules.Step, that it has
//     waited through; beyond device.MostPriority it is overdue.
//  3. Else the jobs of the highest effective priority. Among their clients the
//     one that has had the fewest turns is next, of those the one whose last
//     turn is longest ago, with its oldest job.
//  4. Grouping departs from these turns to save changes of the model: the model
//     that ran last goes on for Rules.Group jobs in a row and Rules.GroupTime,
//     then another one that waits at the same effective priority must come,
//     preferably one that is on the device. No client gets more than Rules.Group
//     turns ahead of another that waits at the same effective priority.
//
// Hence the bound on waiting: a job of priority p is overdue once it has waited
// (10-p)*Step, and then at most Rules.Jobs-1 others (urgent ones apart) run
// before it.
package schedule

import (
	"fmt"
	"time"
)

// ID names a job within its List; later jobs have larger ones.
type ID uint64

// Job is a request for the device.
type Job struct {
	Model    string    // what must be on the device; compared, never read
	Client   string    // whom it counts for
	Priority int       // device.LeastPriority to device.MostPriority; beyond, the nearest of them
	Deadline time.Time // it must not run at or after it; zero: none
	Bytes    int64     // of its input, against Rules.Bytes
	Urgent   bool      // before all others, and not counted
	Arrival  time.Time // set by Admit
}

// Rules are the numbers of the policy.
type Rules struct {
	Jobs      int           // that may wait, urgent ones apart; at least 1
	Bytes     int64         // of the inputs that may wait; at least 1
	Step      time.Duration // of waiting that is worth one priority; more than 0
	Group     int           // jobs of one model in a row while another waits; 0: turns alone decide
	GroupTime time.Duration // for which one model goes on while another waits
}

// DefaultRules are those that docs/scheduling.md states.
func DefaultRules() Rules {
	return Rules{Jobs: 256, Bytes: 256 << 20, Step: 10 * time.Second, Group: 8, GroupTime: 2 * time.Second}
}

// lead is how many turns a client may be ahead of another that waits beside it.
func (r Rules) lead() int64 { return int64(max(r.Group, 1)) }

// Bound is how long a job waits at most before only older jobs run before it.
func (r Rules) Bound(priority int) time.Duration {
	return time.Duration(levels-clamp(priority)) * r.Step
}

// Why is the clause of the rule by which a job was chosen.
type Why string

// The clauses.
const (
	Urgent   Why = "urgent"
	Overdue  Why = "overdue"
	Turn     Why = "turn"     // its client's turn
	Grouped  Why = "grouped"  // out of turn, because its model ran last
	Resident Why = "resident" // out of turn, because its model is on the device
)

// Choice is a decision of Next.
type Choice struct {
	ID     ID
	Job    Job
	Why    Why
	Switch bool // its model is not the one that ran last
}

// Cause is why a job was not admitted.
type Cause string

// The causes.
const (
	TooMany  Cause = "too many requests wait"
	TooMuch  Cause = "the inputs that wait are too large together"
	TooLarge Cause = "the input is larger than all that may wait"
)

// Refusal is the answer to a job that is not admitted.
type Refusal struct {
	Cause   Cause
	Waiting int   // jobs
	Bytes   int64 // of inputs
	Rules   Rules
	// RetryAfter estimates when those that wait now will have been served, within
	// MinRetry and MaxRetry; 0 when trying again will not help.
	RetryAfter time.Duration
}

// Bounds of Refusal.RetryAfter.
const (
	MinRetry = time.Second
	MaxRetry = 30 * time.Second
)

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: %d of %d requests, %d of %d bytes", r.Cause, r.Waiting, r.Rules.Jobs, r.Bytes, r.Rules.Bytes)
}
