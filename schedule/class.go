package schedule

import "slices"

// class holds the jobs whose effective priorities are the same at any time.
// Those rise by one at every beat for all jobs alike, so a job's class is its
// priority less the beat at which it arrived, and never changes: ageing costs
// nothing, and the highest class that is not empty is the next to be served.
//
// In a class, jobs of one model and one client are a line; lines of one model
// are a group. Heaps keep the line whose turn it is first in its group and that
// group first in the class.
type class struct {
	number int64
	models map[string]*group
	groups heap[*group]
}

type group struct {
	class   *class
	model   string
	clients map[*client]*line
	lines   heap[*line]
	at      int
}

func (g *group) before(other *group) bool { return g.lines[0].before(other.lines[0]) }
func (g *group) place() *int              { return &g.at }

type line struct {
	group  *group
	client *client
	jobs   chain
	at     int // in its group
	own    int // in its client's lines
}

// before says whose turn is first.
func (l *line) before(other *line) bool {
	switch a, b := l.client, other.client; {
	case a.turns != b.turns:
		return a.turns < b.turns
	case a.last != b.last:
		return a.last < b.last
	}
	return l.jobs.first.id < other.jobs.first.id
}

func (l *line) place() *int { return &l.at }

// enter puts the line, which holds jobs, into the order of its class.
func (l *line) enter() {
	g := l.group
	g.lines.push(l)
	if len(g.lines) == 1 {
		g.class.groups.push(g)
	} else {
		g.class.groups.fix(g)
	}
}

// exit takes it out again; until then its key must not change. Several keys
// that change at once would leave a heap in disorder, so all exit first.
func (l *line) exit() {
	g := l.group
	if len(g.lines) == 1 {
		g.class.groups.remove(g) // while it still has a line to be compared by
		g.lines.remove(l)
		return
	}
	g.lines.remove(l)
	g.class.groups.fix(g)
}

// classes are sorted, the highest first.
type classes []*class

func (c *classes) find(number int64) (int, bool) {
	return slices.BinarySearchFunc(*c, number, func(c *class, number int64) int {
		switch {
		case c.number > number:
			return -1
		case c.number < number:
			return 1
		}
		return 0
	})
}

func (c *classes) add(n *node, from *client) {
	i, ok := c.find(n.class)
	if !ok {
		*c = slices.Insert(*c, i, &class{number: n.class, models: map[string]*group{}})
	}
	in := (*c)[i]
	g, known := in.models[n.job.Model]
	if !known {
		g = &group{class: in, model: n.job.Model, clients: map[*client]*line{}}
		in.models[g.model] = g
	}
	l, waits := g.clients[from]
	if !waits {
		l = &line{group: g, client: from, own: len(from.lines)}
		from.lines = append(from.lines, l)
		g.clients[from] = l
	}
	n.line = l
	l.jobs.append(n, inLine)
	if !waits {
		l.enter()
	}
}

func (c *classes) remove(n *node) {
	l := n.line
	g := l.group
	if l.jobs.first != n { // nobody's turn changes
		l.jobs.remove(n, inLine)
		return
	}
	l.exit()
	if l.jobs.remove(n, inLine); l.jobs.first != nil {
		l.enter()
		return
	}
	l.client.leave(l)
	delete(g.clients, l.client)
	if len(g.clients) > 0 {
		return
	}
	delete(g.class.models, g.model)
	if len(g.class.models) == 0 {
		i, _ := c.find(g.class.number)
		*c = slices.Delete(*c, i, i+1)
	}
}
