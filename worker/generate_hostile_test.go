package worker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestHostileGenerations: whatever comes instead of pieces and an ending.
func TestHostileGenerations(t *testing.T) {
	piece := func(text string) string { return `{"id":3,"piece":{"token":"` + text + `"}}` }
	const ending = `{"id":3,"ending":{"finish":"end","tokens":1}}`
	many := func(n int, p string) (list []string) {
		for range n {
			list = append(list, p)
		}
		return append(list, ending)
	}
	for _, c := range []struct {
		name    string
		answers []string
		fds     bool // one with every answer
		text    string
		want    string
	}{
		{"good", []string{piece("a"), piece("b"), ending}, false, "ab", ""},
		{"nothing but an ending", []string{ending}, false, "", ""},
		{"with descriptors", []string{piece("a"), ending}, true, "a", ""},
		{"bad UTF-8", []string{piece("a\xffb"), ending}, false, "", "died"},
		{"half an escape", []string{piece(`a\ud800b`), ending}, false, "", "died"},
		{"no piece", []string{`{"id":3,"piece":{}}`, ending}, false, "", ""},
		{"an ending before its time", []string{ending, piece("a"), ending}, false, "", ""},
		{"no ending", []string{piece("a"), `{"id":3}`}, false, "", "without its end"},
		{"a signature", []string{`{"id":3,` + signatureJSON + `,` + regionJSON + `}`}, true, "", "without its end"},
		{"error after pieces", []string{piece("a"), `{"id":3,"error":{"kind":"internal","message":"no"}}`}, false, "", "no"},
		{"piece and ending at once", []string{`{"id":3,"piece":{"token":"a"},"ending":{"finish":"end"}}`, ending}, false, "a", ""},
		{"pieces for somebody else", []string{`{"id":99,"piece":{"token":"x"}}`, piece("a"), ending}, false, "a", ""},
		{"too many pieces", many(MaxPieces+1, `{"id":3,"piece":{}}`), false, "", "generated more than"},
		{"too much text", many(20, piece(strings.Repeat("x", maxMessage-100))), false, "", "generated more than"},
		{"too much speech", many(20, `{"id":3,"piece":{"segment":{"start":0,"end":1,"text":"`+strings.Repeat("x", maxMessage-100)+`"}}}`), false, "", "generated more than"},
		{"another type", []string{`{"id":3,"piece":5}`}, false, "", "died"},
	} {
		t.Run(c.name, func(t *testing.T) {
			noLeak(t, func() {
				p, theirs, end := played(t)
				defer end()
				fd := memfd(t, 8192, seals)
				defer unix.Close(fd)
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					body := make([]byte, maxMessage)
					if _, err := theirs.Read(body); err != nil {
						t.Error(err)
					}
					if err := (packet{text: `{"id":2,"signature":{"memory_bytes":1}}`}).send(theirs); err != nil {
						t.Error(err)
					}
					if _, err := theirs.Read(body); err != nil {
						t.Error(err)
					}
					for _, text := range c.answers {
						var fds []int
						if c.fds {
							fds = []int{fd}
						}
						if (packet{text, fds}).send(theirs) != nil {
							break // the manager reads no more
						}
					}
					if c.want == "died" {
						end()
					}
				}()
				n, err := p.Load(t.Context(), LoadSpec{Path: "/x", Task: TaskVLM})
				if err != nil {
					t.Fatal(err)
				}
				got, _, err := n.Generate(t.Context(), nil, time.Second, Generation{Prompt: "x"}, nil)
				if c.want == "" && (err != nil || got.Text != c.text || got.Finish != FinishEnd) {
					t.Errorf("%+v, %v; want %q", got, err, c.text)
				}
				if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%+v, %v; want %q", got, err, c.want)
				}
				<-sent
				end()
				<-p.Done()
			})
		})
	}
}

// TestHostileLoadsOfGenerators: tensors and memory are not theirs.
func TestHostileLoadsOfGenerators(t *testing.T) {
	for _, answer := range []string{
		`{"id":2}`, `{"id":2,` + signatureJSON + `,` + regionJSON + `}`, `{"id":2,"signature":{"memory_bytes":1},` + regionJSON + `}`,
	} {
		noLeak(t, func() {
			p, theirs, end := played(t)
			defer end()
			fd := memfd(t, 8192, seals)
			defer unix.Close(fd)
			go respond(t, theirs, func(request) packet { return packet{answer, []int{fd}} })
			if _, err := p.Load(t.Context(), LoadSpec{Path: "/x", Task: TaskSpeech}); err == nil || !strings.Contains(err.Error(), "generative network") {
				t.Errorf("%s: %v", answer, err)
			}
		})
	}
}

// TestHostileGenerateRequests: a worker bears what no manager sends.
func TestHostileGenerateRequests(t *testing.T) {
	noLeak(t, func() {
		b := &fakeBackend{}
		p, end := bothSides(t, b)
		defer end()
		n := loadGenerator(t, p)
		frame := []TensorInfo{{Name: "0", DType: 3, Shape: []int{8192}}}
		fd := memfd(t, 8192, seals)
		defer unix.Close(fd)
		unsealed := memfd(t, 8192, 0)
		defer unix.Close(unsealed)
		for _, c := range []struct {
			q    request
			fd   int
			want string
		}{
			{request{}, -1, "what to generate"},
			{request{Generate: &generate{Tensors: frame}}, -1, "without their memory"},
			{request{Generate: &generate{Tensors: frame}}, fd, "without their memory"},
			{request{Generate: &generate{Tensors: frame}, Region: &region{Bytes: 8192, Inputs: []int64{1}}}, fd, "lies outside"},
			{request{Generate: &generate{Tensors: frame}, Region: &region{Bytes: 8192, Inputs: []int64{0, 0}}}, fd, "does not suit"},
			{request{Generate: &generate{Tensors: frame}, Region: &region{Bytes: 1 << 40, Inputs: []int64{0}}}, fd, "does not suit"},
			{request{Generate: &generate{Tensors: frame}, Region: &region{Bytes: 8192, Inputs: []int64{0}}}, unsealed, "sealed"},
			{request{Generate: &generate{Tensors: frame}, Region: &region{Bytes: 8192, Inputs: []int64{0}}}, fd, ""},
			{request{Generate: &generate{}}, fd, ""},
		} {
			c.q.Verb, c.q.Network = verbGenerate, n.id
			call, err := p.begin(t.Context(), c.q, c.fd, newPieces())
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = (<-call.waiting).open()
			if got := fmt.Sprint(err); c.want != "" && !strings.Contains(got, c.want) || c.want == "" && err != nil {
				t.Errorf("%+v: %v, want %q", c.q, err, c.want)
			}
		}
	})
}
