package picture

// cursor hands out the front of a slice piece by piece. Every length comes from a file, so all of them are checked here.
type cursor struct{ rest []byte }

// take returns the next n bytes, or nil when fewer are left. It keeps answering nil from then on.
func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.rest = nil
		return nil
	}
	piece := c.rest[:n:n]
	c.rest = c.rest[n:]
	return piece
}

func le16(b []byte) int { return int(b[0]) | int(b[1])<<8 }

func le24(b []byte) int { return le16(b) | int(b[2])<<16 }

func le32(b []byte) uint32 { return uint32(le24(b)) | uint32(b[3])<<24 }
