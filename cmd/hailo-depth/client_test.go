package main

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

// The device manager counts a request for the HTTP client that it came from.
func TestManagerKnowsTheHTTPClient(t *testing.T) {
	file, _ := gradient(t)
	s := startStack(t)
	estimateForm(t, s.URL, file, nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.StatusURL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || !bytes.Contains(text, []byte(`client="hailo-depth/127.0.0.1"`)) {
		t.Errorf("%v: %s", err, text)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}
