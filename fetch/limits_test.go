package fetch

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// sized answers with size bytes, after stating it or not.
func sized(t *testing.T, size int, stated bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if !stated {
			if err := http.NewResponseController(w).Flush(); err != nil { // nothing was stated until now
				t.Error(err)
			}
		}
		_, _ = w.Write(make([]byte, size)) // the client may have gone
	}
}

func TestSize(t *testing.T) {
	const limit = 3 << 19 // 1.5 MB
	f := New(Rules{Loopback: true}, limit, patience)
	for _, stated := range []bool{true, false} {
		for _, size := range []int{0, 1, limit - 1, limit} {
			s := serve(t, sized(t, size, stated))
			if got, err := f.Get(t.Context(), s.URL); err != nil || len(got) != size {
				t.Errorf("%d bytes: %d, %v", size, len(got), err)
			}
		}
		for _, size := range []int{limit + 1, 4 * limit} {
			s := serve(t, sized(t, size, stated))
			got, err := f.Get(t.Context(), s.URL)
			want := "the picture at " + s.Listener.Addr().String() + " is over the limit of 1.5 MB"
			if e := refusal(t, err); got != nil || !e.TooLarge || e.Message != want {
				t.Errorf("%d bytes: %d, %s", size, len(got), e.Message)
			}
		}
	}
}

// A stated size over the limit is enough; the body is not waited for.
func TestStatedSizeAlone(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000000000")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	})
	_, err := New(Rules{Loopback: true}, 1<<10, patience).Get(t.Context(), s.URL)
	if e := refusal(t, err); !e.TooLarge {
		t.Error(e)
	}
}

// A body without an end is read up to the limit, then the connection is closed.
func TestEndlessBody(t *testing.T) {
	ended := make(chan int, 1)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		sent := 0
		for block := make([]byte, 64<<10); ; {
			n, err := w.Write(block)
			if sent += n; err != nil {
				ended <- sent
				return
			}
		}
	})
	const limit = 1 << 20
	_, err := New(Rules{Loopback: true}, limit, patience).Get(t.Context(), s.URL)
	if e := refusal(t, err); !e.TooLarge {
		t.Error(e)
	}
	if sent := <-ended; sent < limit {
		t.Errorf("the server stopped after %d bytes", sent)
	}
}

// What counts is the size after decompression.
func TestCompressedBomb(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes()) // the client would tell
	})
	if _, err := New(Rules{Loopback: true}, int64(packed.Len())*2, patience).Get(t.Context(), s.URL); !refusal(t, err).TooLarge {
		t.Error(err)
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write(make([]byte, 10)) // the client would tell
	})
	s.Config.ErrorLog = quiet()
	got, err := New(Rules{Loopback: true}, 1<<10, patience).Get(t.Context(), s.URL)
	if e := refusal(t, err); got != nil || e.TooLarge || e.Message != "unexpected EOF" {
		t.Errorf("%d bytes, %v", len(got), e)
	}
}

// slow is a Fetcher whose server sends only what it is given and then nothing.
func slow(limit time.Duration, send string) *Fetcher {
	f := New(Rules{}, 1<<20, limit)
	f.client.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer func() { _ = theirs.Close() }() // a pipe
			r := bufio.NewReader(theirs)
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			if _, err := theirs.Write([]byte(send)); err != nil {
				return
			}
			_, _ = r.ReadByte() // until the client leaves
		}()
		return ours, nil
	}
	return f
}

// Wherever a server stops, the whole takes no longer than the limit.
func TestTimeLimit(t *testing.T) {
	for name, send := range map[string]string{
		"no answer":     "",
		"half a header": "HTTP/1.1 200 OK\r\nContent-",
		"half a body":   "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		"no end":        "HTTP/1.1 200 OK\r\n\r\nhalf",
		"redirect":      "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := slow(10*time.Second, send)
				if name == "redirect" { // which leads to a server that says nothing
					first := f.client.Transport
					f.client.Transport = turns{first, slow(time.Hour, "").client.Transport}
				}
				began := time.Now()
				_, err := f.Get(t.Context(), "http://camera.test/")
				if e := refusal(t, err); e.Message != "camera.test did not answer within 10s" || e.TooLarge {
					t.Error(e)
				}
				if took := time.Since(began); took != 10*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// turns sends requests that were redirected another way.
type turns struct{ first, redirected http.RoundTripper }

func (r turns) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.Response != nil {
		return r.redirected.RoundTrip(q)
	}
	return r.first.RoundTrip(q)
}

// The caller's own deadline counts too.
func TestCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		_, err := slow(10*time.Second, "").Get(ctx, "http://camera.test/")
		if refusal(t, err); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
