package strictyaml

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// FuzzDecode: no input panics or hangs, and every refusal is an *Error of one
// line and a bounded length that begins with the file's name.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"name: a\nsection:\n  port: 5\n  wait: 1s\n", "{\"list\": [1, .nan]}", "any: &x [*x]", "<<: {name: z}", "a: &a [1]\nany: *a\n",
		"? name\n: b", "? 0\n\n 0", "name: |\n  text\n", "name: !!binary AA==", "---\n---\n", "section: null", "- - -", "bytes: 0x7fffffffffffffff", "bytes: -1e300",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4<<10 {
			return // the parser's time grows with the square of the depth
		}
		got := defaults()
		err := Decode(bytes.NewReader(text), "file", &got)
		if err == nil {
			return
		}
		var e *Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), "file") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %q", text, err)
		}
	})
}
