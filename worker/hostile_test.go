package worker

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"hailo-depth/tensor"
)

// gone is a process that has ended: what Kill may be called on.
var gone = sync.OnceValues(func() (*os.Process, error) {
	cmd := exec.Command("true")
	err := cmd.Run()
	return cmd.Process, err
})

// played makes a Process whose worker is the test itself, at the other end of
// the channel. Its end is what the reaper would see: end closes it.
func played(t testing.TB) (p *Process, theirs *net.UnixConn, end func()) {
	t.Helper()
	process, err := gone()
	if err != nil {
		t.Fatal(err)
	}
	ours, file, err := newChannelPair()
	if err != nil {
		t.Fatal(err)
	}
	other, err := openChannel(file)
	if err != nil {
		t.Fatal(err)
	}
	p = &Process{channel: ours, process: process, log: slog.New(slog.DiscardHandler),
		reaped: make(chan struct{}), done: make(chan struct{}), pending: map[uint64]*call{}}
	readers := p.read()
	return p, other.conn, sync.OnceFunc(func() {
		close(p.reaped)
		p.fail(errDied("the test ended it"))
		if err := errors.Join(other.close(), p.channel.close()); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err) // but the played worker may have closed its end
		}
		<-readers
		close(p.done)
	})
}

// packet is what a played worker sends.
type packet struct {
	text string
	fds  []int
}

func (p packet) send(theirs *net.UnixConn) error {
	var rights []byte
	if len(p.fds) > 0 {
		rights = unix.UnixRights(p.fds...)
	}
	_, _, err := theirs.WriteMsgUnix([]byte(p.text), rights, nil)
	return err
}

// openFDs counts this process's descriptors.
func openFDs(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// mappings counts the shared memory that is mapped.
func mappings(t testing.TB) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(maps), "/memfd:")
}

// noLeak compares descriptors and mappings before and after. Closing may end a
// moment after what waits for it.
func noLeak(t testing.TB, what func()) {
	t.Helper()
	if _, err := gone(); err != nil {
		t.Fatal(err)
	}
	fds, maps := openFDs(t), mappings(t)
	what()
	for deadline := time.Now().Add(5 * time.Second); openFDs(t) > fds || mappings(t) > maps; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors, before %d; %d mappings, before %d", openFDs(t), fds, mappings(t), maps)
		}
	}
}

const (
	signatureJSON = `"signature":{"inputs":[{"name":"in","dtype":"uint8","shape":[2,2,3]}],"outputs":[{"name":"out","dtype":"float32","shape":[2]}],"memory_bytes":5}`
	regionJSON    = `"region":{"bytes":8192,"inputs":[0],"outputs":[4096]}`
)

// TestHostileAnswersToALoad: each is an error, at once, and leaves nothing behind.
func TestHostileAnswersToALoad(t *testing.T) {
	for _, c := range []struct {
		name, text string
		fds        int // good memory, this often
		seals      int
		want       string
	}{
		{"good", `{"id":2,` + signatureJSON + `,` + regionJSON + `}`, 1, seals, ""},
		{"unsealed", `{"id":2,` + signatureJSON + `,` + regionJSON + `}`, 1, 0, "sealed"},
		{"no descriptor", `{"id":2,` + signatureJSON + `,` + regionJSON + `}`, 0, seals, "without signature or shared memory"},
		{"two descriptors", `{"id":2,` + signatureJSON + `,` + regionJSON + `}`, 2, seals, "died"},
		{"many descriptors", `{"id":2,` + signatureJSON + `,` + regionJSON + `}`, 20, seals, "died"},
		{"no signature", `{"id":2,` + regionJSON + `}`, 1, seals, "without signature"},
		{"no region", `{"id":2,` + signatureJSON + `}`, 1, seals, "without signature"},
		{"error and memory", `{"id":2,"error":{"kind":"internal","message":"no"},` + signatureJSON + `,` + regionJSON + `}`, 1, seals, "no"},
		{"region too small", `{"id":2,` + signatureJSON + `,"region":{"bytes":8,"inputs":[0],"outputs":[0]}}`, 1, seals, "lies outside"},
		{"unknown type", `{"id":2,"signature":{"inputs":[{"name":"in","dtype":"complex128","shape":[2]}],"outputs":[]},` + regionJSON + `}`, 1, seals, "died"},
		{"not JSON", `hello`, 1, seals, "died"},
		{"empty packet with memory", ``, 1, seals, "died"},
		{"too long", strings.Repeat(" ", maxMessage) + `{}`, 1, seals, "died"},
		{"another type", `{"id":"two"}`, 1, seals, "died"},
		{"deep", strings.Repeat(`[`, maxMessage), 0, seals, "died"},
	} {
		t.Run(c.name, func(t *testing.T) {
			noLeak(t, func() {
				p, theirs, end := played(t)
				defer end()
				fd := memfd(t, 8192, c.seals)
				defer unix.Close(fd)
				answer := packet{text: c.text}
				for range c.fds {
					answer.fds = append(answer.fds, fd)
				}
				go func() {
					request := make([]byte, maxMessage)
					if _, err := theirs.Read(request); err != nil {
						t.Error(err)
					}
					if err := answer.send(theirs); err != nil {
						t.Error(err)
					}
					if c.want == "died" { // what the manager cannot read ends the channel; then the reaper comes
						end()
					}
				}()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				n, err := p.Load(ctx, LoadSpec{Path: "/x"})
				if c.want != "" {
					if err == nil || !strings.Contains(err.Error(), c.want) {
						t.Errorf("got %v, want %q", err, c.want)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := n.Release(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestDescriptorsNobodyAskedFor do not stay open.
func TestDescriptorsNobodyAskedFor(t *testing.T) {
	noLeak(t, func() {
		p, theirs, end := played(t)
		defer end()
		fd := memfd(t, 8192, seals)
		defer unix.Close(fd)
		go func() {
			request := make([]byte, maxMessage)
			for i, text := range []string{
				`{"id":1,"statistics":{"temperature_celsius":40}}`,
				`{"id":2,"error":{"kind":"internal","message":"no"}}`,
				`{"id":3}`,
			} {
				if _, err := theirs.Read(request); err != nil {
					t.Error(err)
				}
				if i == 0 { // nobody asked for this one at all
					if err := (packet{`{"id":99}`, []int{fd}}).send(theirs); err != nil {
						t.Error(err)
					}
				}
				if err := (packet{text, []int{fd}}).send(theirs); err != nil {
					t.Error(err)
				}
			}
		}()
		if s, err := p.Statistics(t.Context()); err != nil || s.TemperatureCelsius == nil {
			t.Errorf("%+v, %v", s, err)
		}
		if _, err := p.Statistics(t.Context()); err == nil {
			t.Error("an error was expected")
		}
		n := &Network{process: p, id: 1}
		if err := n.Unload(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestEmptyPacketWithADescriptor: it reads like the end of the channel.
func TestEmptyPacketWithADescriptor(t *testing.T) {
	noLeak(t, func() {
		p, theirs, end := played(t)
		defer end()
		fd := memfd(t, 8192, seals)
		defer unix.Close(fd)
		rights := unix.UnixRights(fd)
		message := unix.Msghdr{Control: &rights[0]}
		message.SetControllen(len(rights))
		raw, err := theirs.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var errno unix.Errno
		err = raw.Control(func(to uintptr) { // WriteMsgUnix would add a byte
			_, _, errno = unix.Syscall(unix.SYS_SENDMSG, to, uintptr(unsafe.Pointer(&message)), 0)
		})
		if err != nil || errno != 0 {
			t.Fatal(err, errno)
		}
		end()
		<-p.Done()
	})
}

// TestHostileAnswersToAnInference: other inputs, other counts, other memory.
func TestHostileAnswersToAnInference(t *testing.T) {
	load := `{"id":2,` + signatureJSON + `,` + regionJSON + `}`
	for _, c := range []struct {
		name, text string
		memory     bool
		want       string
	}{
		{"good", `{"id":3}`, false, ""},
		{"other output shape", `{"id":3,"signature":{"inputs":[{"name":"in","dtype":"uint8","shape":[2,2,3]}],"outputs":[{"name":"out","dtype":"float32","shape":[7]}]},` + regionJSON + `}`, true, ""},
		{"no outputs", `{"id":3,"signature":{"inputs":[{"name":"in","dtype":"uint8","shape":[2,2,3]}],"outputs":[]},"region":{"bytes":8192,"inputs":[0]}}`, true, "other inputs or outputs"},
		{"no inputs", `{"id":3,"signature":{"outputs":[{"name":"out","dtype":"float32","shape":[2]}]},"region":{"bytes":8192,"outputs":[0]}}`, true, "other inputs or outputs"},
		{"other input shape", `{"id":3,"signature":{"inputs":[{"name":"in","dtype":"uint8","shape":[2,2,4]}],"outputs":[{"name":"out","dtype":"float32","shape":[2]}]},` + regionJSON + `}`, true, "other inputs or outputs"},
		{"other output name", `{"id":3,"signature":{"inputs":[{"name":"in","dtype":"uint8","shape":[2,2,3]}],"outputs":[{"name":"OUT","dtype":"float32","shape":[2]}]},` + regionJSON + `}`, true, "other inputs or outputs"},
		{"memory without signature", `{"id":3}`, true, "without signature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			noLeak(t, func() {
				p, theirs, end := played(t)
				defer end()
				fd := memfd(t, 8192, seals)
				defer unix.Close(fd)
				go func() {
					request := make([]byte, maxMessage)
					for _, answer := range []packet{{load, []int{fd}}, {c.text, map[bool][]int{true: {fd}}[c.memory]}} {
						if _, err := theirs.Read(request); err != nil {
							t.Error(err)
						}
						if err := answer.send(theirs); err != nil {
							t.Error(err)
						}
					}
				}()
				n, err := p.Load(t.Context(), LoadSpec{Path: "/x"})
				if err != nil {
					t.Fatal(err)
				}
				outputs, _, err := n.Infer(t.Context(), time.Second, []tensor.Tensor{{DType: tensor.Uint8, Shape: tensor.Shape{2, 2, 3}, Data: make([]byte, 12)}})
				if c.want == "" && (err != nil || len(outputs) != 1 || outputs[0].Tensor.Check() != nil) {
					t.Errorf("%+v, %v", outputs, err)
				}
				if c.want != "" && (KindOf(err) != KindLost || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("got %v (%s), want %q", err, KindOf(err), c.want)
				}
				if err := n.Release(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
