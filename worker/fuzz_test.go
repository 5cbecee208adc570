package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"golang.org/x/sys/unix"
)

// FuzzAnswer: whatever a worker sends, and with whatever memory, the manager
// neither breaks nor keeps anything, and what it accepts lies within the memory.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		`{"id":2,` + signatureJSON + `,` + regionJSON + `}`,
		`{"id":2,"signature":{"inputs":[],"outputs":[],"memory_bytes":-1},"region":{"bytes":4096,"inputs":[],"outputs":[]}}`,
		`{"id":2,"signature":{"inputs":[{"name":"","dtype":"float64","shape":[]}],"outputs":[]},"region":{"bytes":8,"inputs":[0]}}`,
		`{"id":2,"error":{"kind":"device_memory_full","status":81,"message":"full","needed_bytes":9223372036854775807}}`,
		`{"id":2,"statistics":{"temperature_celsius":null}}`, `{"id":-1}`, `{"id":2}{"id":2}`, `[]`, `null`, "", "\xff",
	} {
		f.Add(text, 1)
	}
	f.Fuzz(func(t *testing.T, text string, fds int) {
		noLeak(t, func() {
			p, theirs, end := played(t)
			defer end()
			fd := memfd(t, 8192, seals)
			defer unix.Close(fd)
			answer := packet{text: text}
			for range max(0, min(fds, 3)) {
				answer.fds = append(answer.fds, fd)
			}
			go func() {
				_, _ = theirs.Read(make([]byte, maxMessage)) // the request
				_ = answer.send(theirs)                      // some are too long to be sent
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				_, _ = p.ask(ctx, request{Verb: verbStatistics}) // the channel bears it
				end()
			}()
			n, err := p.Load(t.Context(), LoadSpec{Path: "/x"})
			if err != nil {
				return
			}
			for _, view := range append(n.memory.views(n.signature.Inputs, n.memory.layout.Inputs), n.memory.views(n.signature.Outputs, n.memory.layout.Outputs)...) {
				clear(view)
			}
			if err := n.Release(); err != nil {
				t.Error(err)
			}
		})
	})
}

// FuzzGeneration: whatever packets, one a line, come after a generation was asked
// for, the call ends with the channel at the latest, and within its bounds.
func FuzzGeneration(f *testing.F) {
	for _, text := range []string{
		`{"id":3,"piece":{"token":"a"}}` + "\n" + `{"id":3,"ending":{"finish":"end","tokens":1}}`,
		`{"id":3,"piece":{"segment":{"start":-1e300,"end":0,"text":"a"}}}` + "\n" + `{"id":3,"error":{"kind":"timeout","message":"late"}}`,
		`{"id":3,"ending":{"finish":"dance","tokens":-1}}` + "\n" + `{"id":3,"piece":{"token":"late"}}`,
		`{"id":3,"piece":null,"ending":null}`, `{"id":3}` + "\n" + `{"id":3}`, "{\n", "\xff", `{"id":3,"piece":{"token":"\ud800"}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		noLeak(t, func() {
			p, theirs, end := played(t)
			defer end()
			n := &Network{process: p, id: 1}
			p.lastID = 2
			go func() {
				_, _ = theirs.Read(make([]byte, maxMessage)) // the request
				for line := range strings.SplitSeq(text, "\n") {
					if line != "" && (packet{text: line}).send(theirs) != nil {
						break // too long to be sent, or nobody reads
					}
				}
				end()
			}()
			heard := 0
			got, _, err := n.Generate(t.Context(), nil, 0, Generation{}, func(p Piece) { heard += len(p.Token) })
			if len(got.Text) > maxGeneratedText || err == nil && heard != len(got.Text) || err != nil && got.Text != "" {
				t.Errorf("%q: heard %d bytes, got %+v, %v", text, heard, got, err)
			}
		})
	})
}

// FuzzRequest: whatever a manager sends, a worker answers it or ends.
func FuzzRequest(f *testing.F) {
	for _, text := range []string{
		`{"id":1,"verb":"identify"}`, `{"id":1,"verb":"statistics"}`, `{"id":1,"verb":"close"}`, `{"verb":""}`,
		`{"id":1,"verb":"load","network":3,"load":{"path":"/a","input_shapes":{"in":[1,-1]},"input_type":"float32"}}`,
		`{"id":1,"verb":"load","load":{"path":"/wide"}}`, `{"id":1,"verb":"load","load":{"path":"/huge"}}`, `{"id":1,"verb":"load"}`,
		`{"id":1,"verb":"infer","network":7,"timeout_ms":-9223372036854775808}`, `{"id":1,"verb":"unload"}`,
		`{"id":1,"verb":"generate","network":7,"generate":{"messages":["{}"],"seed":4294967295,"tensors":[{"name":"0","dtype":"uint8","shape":[1]}]},"region":{"bytes":1,"inputs":[0]}}`,
		`{"id":1,"verb":"generate","generate":{"seed":-1}}`, `{"id":1,"verb":"cancel"}`, `{"id":1,"verb":"load","load":{"path":"/g","task":"vlm"}}`, `{"id":1,"verb":"load","load":{"task":"dance"}}`,
		`{"id":18446744073709551615,"verb":"dance\u0000"}`, `{"id":1,"verb":"load","load":{"input_type":"complex64"}}`, `[]`, `null`, "", "\xff",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ours, file, err := newChannelPair()
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := openChannel(file)
		if err != nil {
			t.Fatal(err)
		}
		hold := make(chan struct{})
		close(hold)
		served := make(chan error, 1)
		go func() { served <- serve(context.Background(), theirs, &fakeBackend{hold: hold}) }()
		if err := (packet{text: text}).send(ours.conn); err != nil {
			text = "" // too long to be sent; nothing arrived
		}
		var q request
		readable := text != "" && json.Unmarshal([]byte(text), &q) == nil
		if readable && q.Verb != verbCancel { // which has no answer
			var r reply
			fd, err := ours.receive(&r)
			closeDescriptor(fd)
			if err != nil || r.ID != q.ID {
				t.Errorf("%q was answered with %+v, %v", text, r, err)
			}
			if q.Verb == verbClose { // the worker hangs up, not we
				if _, err := ours.receive(&r); !errors.Is(err, io.EOF) {
					t.Errorf("%q: after the answer came %+v, %v", text, r, err)
				}
			}
			if q.Verb == verbLoad && r.Error == nil { // or the mappings would fill this process
				err := (packet{text: fmt.Sprintf(`{"id":2,"verb":"unload","network":%d}`, q.Network)}).send(ours.conn)
				if _, receiveErr := ours.receive(&r); err != nil || receiveErr != nil {
					t.Error(err, receiveErr)
				}
			}
		}
		if err := ours.close(); err != nil {
			t.Error(err)
		}
		if err := <-served; readable && err != nil {
			t.Errorf("%q ended it: %v", text, err)
		}
		_ = theirs.close() // it may be closed already
	})
}

// FuzzGenerateRequest: whatever is asked of a generator, and with whatever
// memory, the answers are pieces and then one end or error, and all memory is
// given back.
func FuzzGenerateRequest(f *testing.F) {
	for _, text := range []string{
		`{"id":2,"verb":"generate","generate":{"prompt":"a b segment c"}}`, `{"id":2,"verb":"generate","generate":{"messages":["{}","x"],"seed":1,"temperature":1e-9}}`,
		`{"id":2,"verb":"generate","generate":{"tensors":[{"name":"0","dtype":"uint8","shape":[8192]},{"name":"1","dtype":"float32","shape":[0]}]},"region":{"bytes":8192,"inputs":[0,8192]}}`,
		`{"id":2,"verb":"generate","generate":{"tensors":[{"name":"0","dtype":"uint8","shape":[1]}]},"region":{"bytes":1,"inputs":[-1]}}`,
		`{"id":2,"verb":"generate","generate":{"prompt":"bytes "},"region":{"bytes":9223372036854775807},"timeout_ms":-1}`, `{"id":2,"verb":"generate"}`,
		`{"id":2,"verb":"generate","generate":{"prompt":"long "}}`, `{"id":2,"verb":"generate","generate":{"prompt":"refuse "}}`,
	} {
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, withMemory bool) {
		var q request
		if json.Unmarshal([]byte(text), &q) != nil || q.Verb != verbGenerate || strings.Contains(text, "cancelled") || strings.Contains(text, "\\u") {
			return // other requests are FuzzRequest's; one that waits for a cancel has no end here
		}
		noLeak(t, func() {
			ours, file, err := newChannelPair()
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := openChannel(file)
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- serve(context.Background(), theirs, &fakeBackend{}) }()
			var r reply
			load := packet{text: `{"id":1,"verb":"load","load":{"path":"/g","task":"vlm"}}`}
			if err := load.send(ours.conn); err != nil {
				t.Fatal(err)
			}
			if _, err := ours.receive(&r); err != nil || r.Error != nil {
				t.Fatal(err, r.Error)
			}
			ask := packet{text: text}
			if withMemory {
				fd := memfd(t, 8192, seals)
				defer unix.Close(fd)
				ask.fds = []int{fd}
			}
			for more := ask.send(ours.conn) == nil; more; { // else it was too long to be sent
				r = reply{}
				fd, err := ours.receive(&r)
				if err != nil || r.ID != q.ID || fd >= 0 || (r.Piece == nil) == (r.Ending == nil && r.Error == nil) {
					t.Fatalf("%q was answered with %+v, %v", text, r, err)
				}
				more = r.Piece != nil
			}
			if err := errors.Join(ours.close(), <-served); err != nil {
				t.Errorf("%q ended it: %v", text, err)
			}
			_ = theirs.close() // it may be closed already
		})
	})
}
