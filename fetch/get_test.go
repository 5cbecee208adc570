package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// patience is a limit that no test reaches.
const patience = time.Minute

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

// refusal is the *Error that every failure must be.
func refusal(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v (%T) is no *Error", err, err)
	}
	if !strings.HasPrefix(err.Error(), "Failed to fetch image URL: ") {
		t.Errorf("%v", err)
	}
	return e
}

func TestGet(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.Header.Get("Accept") != "image/*" || r.Header.Get("User-Agent") != "hailo-depth" {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		_, _ = w.Write([]byte(r.RequestURI)) // the client would tell
	})
	f := New(Rules{Loopback: true}, 1<<10, patience)
	for range 2 {
		got, err := f.Get(t.Context(), s.URL+"/a%20b.jpg?size=1&x=%2F#fragment")
		if err != nil || string(got) != "/a%20b.jpg?size=1&x=%2F" {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestURLsThatAreNotFetched(t *testing.T) {
	f := New(Rules{Loopback: true, LinkLocal: true, Metadata: true, Private: true}, 1<<10, patience)
	for address, want := range map[string]string{
		"":                            `the scheme "" is not fetched; expected http or https`,
		"photo.jpg":                   `the scheme "" is not fetched; expected http or https`,
		"//host/photo.jpg":            `the scheme "" is not fetched; expected http or https`,
		"file:///etc/passwd":          `the scheme "file" is not fetched; expected http or https`,
		"ftp://host/photo.jpg":        `the scheme "ftp" is not fetched; expected http or https`,
		"gopher://127.0.0.1:6379/_x":  `the scheme "gopher" is not fetched; expected http or https`,
		"data:image/png;base64,AAAA":  `the scheme "data" is not fetched; expected http or https`,
		"unix:///run/manager.sock":    `the scheme "unix" is not fetched; expected http or https`,
		"http:":                       "the URL has no host",
		"http:///photo.jpg":           "the URL has no host",
		"http://:80/photo.jpg":        "the URL has no host",
		"https://user@:443/photo.jpg": "the URL has no host",
		"http://ho st/":               `"http://ho st/" is no URL`,
		"http://host:port/":           `"http://host:port/" is no URL`,
		"http://[::1/":                `"http://[::1/" is no URL`,
		"http://%zz/":                 `"http://%zz/" is no URL`,
		"http://host/\nX: y":          `"http://host/\nX: y" is no URL`,
	} {
		_, err := f.Get(t.Context(), address)
		if e := refusal(t, err); e.Message != want || e.TooLarge {
			t.Errorf("%q: %s, want %s", address, e.Message, want)
		}
	}
	_, err := f.Get(t.Context(), "http://"+strings.Repeat("x", 1<<20)+" ")
	if e := refusal(t, err); len(e.Message) > 300 {
		t.Errorf("a message of %d bytes", len(e.Message))
	}
}

func TestStatusesOtherThanOK(t *testing.T) {
	f := New(Rules{Loopback: true}, 1<<10, patience)
	for _, status := range []int{201, 204, 206, 304, 400, 401, 403, 404, 418, 500, 503} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		got, err := f.Get(t.Context(), s.URL)
		want := fmt.Sprintf("%s answered %d %s", s.Listener.Addr(), status, http.StatusText(status))
		if e := refusal(t, err); got != nil || e.Message != want {
			t.Errorf("%s, want %s", e.Message, want)
		}
	}
	// What a server says goes to our client only so far.
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, err = conn.Write([]byte("HTTP/1.1 404 " + strings.Repeat("x", 30000) + "\r\n\r\n"))
		if err := errors.Join(err, conn.Close()); err != nil {
			t.Error(err)
		}
	})
	_, err := f.Get(t.Context(), s.URL)
	if e := refusal(t, err); len(e.Message) > 200 || !strings.Contains(e.Message, "answered 404 xxx") {
		t.Errorf("%d bytes: %.200s", len(e.Message), e.Message)
	}
}

// Cameras ask for a password; nobody else may see it.
func TestPassword(t *testing.T) {
	elsewhere := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if a := r.Header.Get("Authorization"); a != "" {
			t.Errorf("another server got %q", a)
		}
		if ref := r.Header.Get("Referer"); strings.Contains(ref, "secret") {
			t.Errorf("another server got the referer %q", ref)
		}
		w.WriteHeader(http.StatusTeapot)
	})
	camera := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case user != "me" || password != "secret":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/moved":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		}
	})
	f := New(Rules{Loopback: true}, 1<<10, patience)
	address := "http://me:secret@" + camera.Listener.Addr().String()
	if _, err := f.Get(t.Context(), address); err != nil {
		t.Error(err)
	}
	_, err := f.Get(t.Context(), camera.URL)
	if e := refusal(t, err); !strings.HasSuffix(e.Message, "answered 401 Unauthorized") {
		t.Error(e)
	}
	_, err = f.Get(t.Context(), address+"/moved")
	if e := refusal(t, err); !strings.HasSuffix(e.Message, "answered 418 I'm a teapot") || strings.Contains(e.Message, "secret") {
		t.Error(e)
	}
	_, err = New(Rules{}, 1<<10, patience).Get(t.Context(), address)
	if e := refusal(t, err); strings.Contains(e.Message, "secret") {
		t.Error(e)
	}
}

func TestNobodyListens(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	_, err := New(Rules{Loopback: true}, 1<<10, patience).Get(t.Context(), s.URL)
	if e := refusal(t, err); !strings.Contains(e.Message, "connection refused") {
		t.Error(e)
	}
}

// Certificates are checked.
func TestUnknownCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	defer s.Close()
	_, err := New(Rules{Loopback: true}, 1<<10, patience).Get(t.Context(), s.URL)
	if e := refusal(t, err); !strings.Contains(e.Message, "certificate") {
		t.Error(e)
	}
}

// A proxy would connect where the rules do not see it.
func TestNoProxy(t *testing.T) {
	transport, ok := New(Rules{}, 1, patience).client.Transport.(*http.Transport)
	if !ok || transport.Proxy != nil {
		t.Error("there is a proxy")
	}
}

func TestCallerLeaves(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := New(Rules{Loopback: true}, 1<<10, patience).Get(ctx, s.URL)
	if refusal(t, err); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
