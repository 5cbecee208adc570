package schedule

// node is a waiting job and its places in the indices.
type node struct {
	id    ID
	job   Job
	class int64 // see class
	line  *line // nil for urgent jobs
	links [2]link
	at    int // in the deadlines; -1 without one
}

// link is a node's place in a chain.
type link struct{ before, after *node }

// Which links a chain uses.
const (
	inLine    = iota // of its line
	byArrival        // of all jobs of its priority, or of all urgent ones
)

// chain is a list of nodes in the order of their arrival.
type chain struct{ first, last *node }

func (c *chain) append(n *node, which int) {
	n.links[which] = link{before: c.last}
	if c.last == nil {
		c.first = n
	} else {
		c.last.links[which].after = n
	}
	c.last = n
}

func (c *chain) remove(n *node, which int) {
	l := n.links[which]
	if l.before == nil {
		c.first = l.after
	} else {
		l.before.links[which].after = l.after
	}
	if l.after == nil {
		c.last = l.before
	} else {
		l.after.links[which].before = l.before
	}
	n.links[which] = link{}
}

// expiry is a node among the deadlines.
type expiry struct{ *node }

func (e expiry) before(other expiry) bool {
	if c := e.job.Deadline.Compare(other.job.Deadline); c != 0 {
		return c < 0
	}
	return e.id < other.id
}

func (e expiry) place() *int { return &e.at }
