package fetch

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// quiet swallows what a server logs about clients that leave.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func TestAddressesOfThisMachine(t *testing.T) {
	var asked atomic.Int64
	s := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	_, port, _ := strings.Cut(s.Listener.Addr().String(), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "LOCALHOST"} {
		address := "http://" + host + ":" + port + "/"
		if _, err := New(Rules{LinkLocal: true, Metadata: true, Private: true}, 1<<10, patience).Get(t.Context(), address); err == nil {
			t.Errorf("%s was fetched", host)
		} else if e := refusal(t, err); !strings.HasSuffix(e.Message, "is a loopback address; input.allow_loopback_urls in the configuration would allow it") {
			t.Errorf("%s: %s", host, e.Message)
		}
	}
	if got := asked.Load(); got != 0 {
		t.Errorf("the server was asked %d times", got)
	}
	for _, host := range []string{"127.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]"} {
		if _, err := New(Rules{Loopback: true}, 1<<10, patience).Get(t.Context(), "http://"+host+":"+port+"/"); err != nil {
			t.Errorf("%s, allowed: %v", host, err)
		}
	}
}

// Nothing listens at these; that they are refused, and not tried, is the answer.
func TestAddressesElsewhere(t *testing.T) {
	f := New(Rules{}, 1<<10, patience)
	for class, list := range addresses() {
		for _, address := range list {
			if class == "public" || strings.Contains(address, "%") {
				continue
			}
			host := address
			if strings.Contains(address, ":") {
				host = "[" + address + "]"
			}
			_, err := f.Get(t.Context(), "http://"+host+"/")
			var refused *RefusedError
			if !errors.As(err, &refused) || refusal(t, err).Message != refused.Error() {
				t.Errorf("%s: %v", address, err)
			}
		}
	}
	_, err := f.Get(t.Context(), "http://[fe80::1%25lo]/")
	if e := refusal(t, err); !strings.HasPrefix(e.Message, "fe80::1 is a link-local address") {
		t.Error(e)
	}
}

// Each redirect is checked as the first address was.
func TestRedirects(t *testing.T) {
	var target string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/picture" {
			return
		}
		w.Header().Set("Location", target)
		w.WriteHeader(http.StatusFound)
	})
	f := New(Rules{Loopback: true}, 1<<10, patience)
	for location, want := range map[string]string{
		"/picture":                 "",
		s.URL + "/picture":         "",
		"http://169.254.169.254/":  "169.254.169.254 is a cloud metadata address; input.allow_metadata_urls in the configuration would allow it",
		"http://[fd00:ec2::254]/":  "fd00:ec2::254 is a cloud metadata address; input.allow_metadata_urls in the configuration would allow it",
		"http://[::ffff:a00:1]/":   "10.0.0.1 is a private network address; input.allow_private_urls in the configuration would allow it",
		"//192.168.1.1/":           "192.168.1.1 is a private network address; input.allow_private_urls in the configuration would allow it",
		"http://169.254.1.1:8080/": "169.254.1.1 is a link-local address; input.allow_link_local_urls in the configuration would allow it",
		"file:///etc/passwd":       `the scheme "file" is not fetched; expected http or https`,
		"ftp://127.0.0.1/":         `the scheme "ftp" is not fetched; expected http or https`,
		"http://:1/":               "the URL has no host",
		"http://ho st/":            "failed to parse Location header",
		"":                         "answered 302 Found",
	} {
		target = location
		_, err := f.Get(t.Context(), s.URL)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", location, err)
		case want != "" && !strings.Contains(refusal(t, err).Message, want):
			t.Errorf("%s: %v, want %s", location, err, want)
		}
	}
}

func TestNumberOfRedirects(t *testing.T) {
	var asked atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if left, err := strconv.Atoi(r.URL.Path[1:]); err == nil && left > 0 {
			http.Redirect(w, r, fmt.Sprintf("/%d", left-1), http.StatusSeeOther)
		}
	})
	f := New(Rules{Loopback: true}, 1<<10, patience)
	if _, err := f.Get(t.Context(), s.URL+"/5"); err != nil || asked.Load() != 6 {
		t.Errorf("five redirects: %v after %d requests", err, asked.Load())
	}
	asked.Store(0)
	_, err := f.Get(t.Context(), s.URL+"/6")
	if e := refusal(t, err); e.Message != "more than 5 redirects" || asked.Load() != 6 {
		t.Errorf("six redirects: %s after %d requests", e.Message, asked.Load())
	}
}
