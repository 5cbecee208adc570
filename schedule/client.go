package schedule

// client is whoever shares the device with others.
type client struct {
	name  string
	turns int64  // that it has had, in the sense of clients.reached
	last  uint64 // number of its last turn of all turns; 0: none yet
	lines []*line
	// idle is its place among those that wait for nothing, by the number under
	// which it was put there.
	idle uint64
}

// leave forgets a line that has become empty.
func (c *client) leave(l *line) {
	end := len(c.lines) - 1
	c.lines[l.own] = c.lines[end]
	c.lines[l.own].own = l.own
	c.lines[end] = nil
	c.lines = c.lines[:end]
}

// remembered bounds how many clients that wait for nothing keep their turns:
// names come from outside, and there is no end of them.
const remembered = 1024

// clients count turns. As in start-time fair queueing, one that comes (back)
// begins with the turns that those being served have reached: it neither waits
// until others have caught up nor they until it has.
type clients struct {
	byName  map[string]*client
	reached int64  // the most turns that a client had before it got another
	taken   uint64 // turns of all
	idles   []idle // oldest first; entries may be out of date
	idleNow int    // clients that wait for nothing
	serial  uint64
}

type idle struct {
	client *client
	serial uint64
}

// arrives returns the client, which now waits.
func (c *clients) arrives(name string) *client {
	found, ok := c.byName[name]
	switch {
	case !ok:
		found = &client{name: name, turns: c.reached}
		c.byName[name] = found
	case len(found.lines) == 0:
		found.turns = max(found.turns, c.reached)
		found.idle = 0
		c.idleNow--
	}
	return found
}

// served counts a turn. Nobody saves up more than lead turns, however long
// higher priorities kept him waiting. The client's lines must be moved.
func (c *clients) served(who *client, lead int64) {
	had := max(who.turns, c.reached-lead)
	c.reached = max(c.reached, had)
	c.taken++
	who.turns, who.last = had+1, c.taken
}

// rests is called when a client waits for nothing more; beyond remembered, the
// one that has rested longest is forgotten.
func (c *clients) rests(who *client) {
	c.serial++
	who.idle = c.serial
	c.idles = append(c.idles, idle{who, c.serial})
	c.idleNow++
	for c.idleNow > remembered || len(c.idles) > 2*remembered {
		oldest := c.idles[0]
		c.idles = c.idles[1:]
		if oldest.client.idle == oldest.serial {
			delete(c.byName, oldest.client.name)
			c.idleNow--
		}
	}
}
