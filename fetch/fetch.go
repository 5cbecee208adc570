// Package fetch gets a picture from a URL that a client named, without letting
// the client reach what it could not reach itself.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Error is a picture that could not be had. Its text is for the client.
type Error struct {
	Message string
	Cause   error // may be nil
	// TooLarge: it is there, but over the limit.
	TooLarge bool
}

func (e *Error) Error() string { return "Failed to fetch image URL: " + e.Message }

func (e *Error) Unwrap() error { return e.Cause }

// maxRedirects is what a camera or a shortened link may need.
const maxRedirects = 5

// Fetcher gets pictures. Make one with New; it is safe for concurrent use.
type Fetcher struct {
	client   *http.Client
	maxBytes int64
	timeout  time.Duration
}

// New makes a Fetcher that keeps to rules and takes at most maxBytes within timeout.
func New(rules Rules, maxBytes int64, timeout time.Duration) *Fetcher {
	return newFetcher(rules, maxBytes, timeout, net.DefaultResolver)
}

func newFetcher(rules Rules, maxBytes int64, timeout time.Duration, names *net.Resolver) *Fetcher {
	dialer := &net.Dialer{
		Timeout:  timeout,
		Resolver: names,
		// Control sees the address that is really connected to, after name
		// resolution and at every redirect: a name that resolves to another address
		// the second time gains nothing.
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			return rules.Check(to.Addr())
		},
	}
	return &Fetcher{
		maxBytes: maxBytes,
		timeout:  timeout,
		client: &http.Client{
			// No proxy: it would connect where Control does not see it.
			Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: timeout, MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true},
			CheckRedirect: func(r *http.Request, via []*http.Request) error {
				if len(via) > maxRedirects {
					return fmt.Errorf("more than %d redirects", maxRedirects)
				}
				return checkURL(r.URL)
			},
		},
	}
}

func checkURL(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("the scheme %q is not fetched; expected http or https", u.Scheme)
	}
	if u.Hostname() == "" { // ":80" is this machine to a dialer
		return errors.New("the URL has no host")
	}
	return nil
}

// Get returns the bytes behind a URL. Every error is an *Error.
func (f *Fetcher) Get(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, &Error{Message: fmt.Sprintf("%.200q is no URL", address), Cause: err}
	}
	if err := checkURL(u); err != nil {
		return nil, &Error{Message: err.Error(), Cause: err}
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, &Error{Message: err.Error(), Cause: err}
	}
	request.Header.Set("Accept", "image/*")
	request.Header.Set("User-Agent", "hailo-depth")
	response, err := f.client.Do(request)
	if err != nil {
		return nil, f.explain(u, err)
	}
	defer func() { _ = response.Body.Close() }() // only read from
	if response.StatusCode != http.StatusOK {
		return nil, &Error{Message: fmt.Sprintf("%s answered %.100s", u.Host, response.Status)}
	}
	if response.ContentLength > f.maxBytes {
		return nil, f.tooLarge(u)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, f.maxBytes+1))
	if err != nil {
		return nil, f.explain(u, err)
	}
	if int64(len(body)) > f.maxBytes {
		return nil, f.tooLarge(u)
	}
	return body, nil
}

func (f *Fetcher) tooLarge(u *url.URL) error {
	return &Error{TooLarge: true, Message: fmt.Sprintf("the picture at %s is over the limit of %.1f MB", u.Host, float64(f.maxBytes)/(1<<20))}
}

func (f *Fetcher) explain(u *url.URL, err error) error {
	var refused *RefusedError
	var transport *url.Error
	switch {
	case errors.As(err, &refused):
		return &Error{Message: refused.Error(), Cause: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Message: fmt.Sprintf("%s did not answer within %v", u.Host, f.timeout), Cause: err}
	case errors.As(err, &transport):
		return &Error{Message: transport.Err.Error(), Cause: err}
	}
	return &Error{Message: err.Error(), Cause: err}
}
