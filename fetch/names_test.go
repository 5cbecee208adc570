package fetch

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// names is a resolver whose server answers each question with what lookup says,
// nil: there is no such name.
func names(lookup func(name string) []string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer func() { _ = theirs.Close() }() // a pipe
			var size [2]byte
			for {
				if _, err := io.ReadFull(theirs, size[:]); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(size[:]))
				if _, err := io.ReadFull(theirs, query); err != nil {
					return
				}
				reply := answer(query, lookup)
				if _, err := theirs.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
					return
				}
			}
		}()
		return ours, nil
	}}
}

// answer makes the reply to a DNS message (RFC 1035, section 4) with one question.
func answer(query []byte, lookup func(string) []string) []byte {
	const header = 12
	var labels []string
	at := header
	for query[at] != 0 {
		labels = append(labels, string(query[at+1:at+1+int(query[at])]))
		at += 1 + int(query[at])
	}
	kind := binary.BigEndian.Uint16(query[at+1:])
	question := query[header : at+5]
	addresses := lookup(strings.ToLower(strings.Join(labels, ".")))
	var records []byte
	count := 0
	for _, text := range addresses {
		a := netip.MustParseAddr(text)
		if want := map[bool]uint16{true: 1, false: 28}[a.Is4()]; want != kind {
			continue
		}
		count++
		records = append(records, 0xc0, header) // the name is the question's
		records = binary.BigEndian.AppendUint16(records, kind)
		records = append(records, 0, 1, 0, 0, 0, 60)
		records = binary.BigEndian.AppendUint16(records, uint16(a.BitLen()/8))
		records = append(records, a.AsSlice()...)
	}
	reply := append([]byte{}, query[:2]...)
	status := byte(0)
	if addresses == nil {
		status = 3 // no such name
	}
	reply = append(reply, 0x81, 0x80|status, 0, 1, 0, byte(count), 0, 0, 0, 0)
	return append(append(reply, question...), records...)
}

func TestNamesOfRefusedAddresses(t *testing.T) {
	table := map[string][]string{
		"loop.test":     {"127.0.0.1"},
		"loop6.test":    {"::1"},
		"mapped.test":   {"::ffff:127.0.0.1"},
		"nat64.test":    {"64:ff9b::7f00:1"},
		"link.test":     {"169.254.7.7"},
		"meta.test":     {"169.254.169.254"},
		"meta6.test":    {"fd00:ec2::254"},
		"camera.test":   {"192.168.1.20"},
		"both.test":     {"10.1.2.3", "fd00::1"},
		"unspec.test":   {"0.0.0.0"},
		"0x7f000001":    {"127.0.0.1"}, // as some resolvers read it
		"0x7f.0x0.1":    {"127.0.0.1"},
		"127.0.0.1.tst": {"127.0.0.1"},
	}
	f := newFetcher(Rules{}, 1<<10, patience, names(func(name string) []string { return table[name] }))
	for name := range table {
		_, err := f.Get(t.Context(), "http://"+name+"/")
		var refused *RefusedError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := f.Get(t.Context(), "http://absent.test/")
	if e := refusal(t, err); !strings.Contains(e.Message, "no such host") {
		t.Error(e)
	}
}

// Numbers that some programs read as 127.0.0.1 are no address here; where a
// resolver knows better, what it says is checked.
func TestNumbersAsHosts(t *testing.T) {
	var asked atomic.Int64
	s := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	_, port, _ := strings.Cut(s.Listener.Addr().String(), ":")
	everything := names(func(string) []string { return []string{"127.0.0.1", "::1"} })
	for _, host := range []string{"2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0", "127.0.0.1.", "①27.0.0.1"} {
		_, err := newFetcher(Rules{Private: true}, 1<<10, patience, everything).Get(t.Context(), "http://"+host+":"+port+"/")
		refusal(t, err)
	}
	if got := asked.Load(); got != 0 {
		t.Errorf("the server was asked %d times", got)
	}
}

// A name that changes its address gains nothing: what is checked is what is
// connected to, each time.
func TestNameThatChangesItsAddress(t *testing.T) {
	var asked atomic.Int64
	s := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	_, port, _ := strings.Cut(s.Listener.Addr().String(), ":")
	address := "127.0.0.1"
	f := newFetcher(Rules{Loopback: true}, 1<<10, patience, names(func(string) []string { return []string{address} }))
	if _, err := f.Get(t.Context(), "http://rebind.test:"+port+"/"); err != nil {
		t.Fatal(err)
	}
	for _, address = range []string{"169.254.169.254", "192.168.0.1", "fd00:ec2::254"} {
		_, err := f.Get(t.Context(), "http://rebind.test:"+port+"/")
		if e := refusal(t, err); !strings.HasPrefix(e.Message, address+" is a ") {
			t.Error(e)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("%d requests", asked.Load())
	}
}

// Of several addresses the refused ones are left out.
func TestNameWithRefusedAndAllowedAddress(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := strings.Cut(s.Listener.Addr().String(), ":")
	f := newFetcher(Rules{Loopback: true}, 1<<10, patience, names(func(string) []string { return []string{"169.254.169.254", "10.0.0.1", "127.0.0.1"} }))
	if _, err := f.Get(t.Context(), "http://several.test:"+port+"/"); err != nil {
		t.Error(err)
	}
}

// A silent name server counts against the time limit.
func TestSilentNameServer(t *testing.T) {
	silent := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	_, err := newFetcher(Rules{}, 1<<10, 20*time.Millisecond, silent).Get(t.Context(), "http://slow.test/")
	if e := refusal(t, err); e.Message != "slow.test did not answer within 20ms" {
		t.Error(e)
	}
}
