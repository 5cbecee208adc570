package depthmap

import (
	"fmt"
	"strings"
)

// Text is one tEXt entry of a PNG file: what the picture was made from, by which model, with which settings.
type Text struct {
	Key   string // 1..79 printable Latin-1 characters; spaces only single and inside
	Value string // Latin-1 without NUL; lines end with \n
}

// textBodies returns the chunk bodies of the texts, or the error of the first that does not fit.
func textBodies(texts []Text) (bodies [][]byte, err error) {
	for _, t := range texts {
		body, err := t.latin1()
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	return bodies, nil
}

// latin1 is the body of the chunk: key, NUL, value (PNG specification, third edition, section 11.3.3.2).
func (t Text) latin1() ([]byte, error) {
	key, ok := toLatin1(t.Key, func(r rune) bool { return r >= 32 && r <= 126 || r >= 161 })
	if !ok || len(key) < 1 || len(key) > 79 || strings.Trim(t.Key, " ") != t.Key || strings.Contains(t.Key, "  ") {
		return nil, fmt.Errorf("PNG text key %q; expected 1 to 79 printable Latin-1 characters with single spaces inside", t.Key)
	}
	value, ok := toLatin1(t.Value, func(r rune) bool { return r > 0 })
	if !ok {
		return nil, fmt.Errorf("PNG text %q has the value %q; expected Latin-1 characters without NUL", t.Key, t.Value)
	}
	return append(append(key, 0), value...), nil
}

func toLatin1(s string, allowed func(rune) bool) ([]byte, bool) {
	out := make([]byte, 0, len(s)+1)
	for _, r := range s {
		if r > 255 || !allowed(r) {
			return nil, false
		}
		out = append(out, byte(r))
	}
	return out, true
}
