package manager

import "time"

// meanOver is of how many inferences a moving mean is made, about.
const meanOver = 32

// drift compares a model's time of inference with what it was soon after its
// load: a device whose memory is fragmented grows slower while nothing fails.
type drift struct {
	count      int64
	now, first float64 // seconds: a moving mean, and what it was over the first meanOver inferences
}

// add takes one inference's time into account.
func (d *drift) add(took time.Duration) {
	d.count++
	weight := 1 / float64(min(d.count, meanOver)) // the plain mean at first
	d.now += (took.Seconds() - d.now) * weight
	if d.count <= meanOver {
		d.first = d.now
	}
}
