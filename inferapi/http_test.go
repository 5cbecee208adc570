package inferapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"hailo-depth/oip"
)

// reply is an answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// fields are those of a JSON answer, or of a JSON head.
func (r reply) fields(t testing.TB) (f map[string]any) {
	t.Helper()
	head := r.body
	if n, err := strconv.Atoi(r.header.Get(oip.HeadLength)); err == nil {
		head = head[:n]
	}
	if err := json.Unmarshal(head, &f); err != nil {
		t.Fatalf("%s: %v", head, err)
	}
	return f
}

// refused expects an error with its kind and a part of its text.
func (r reply) refused(t testing.TB, status int, kind, part string) {
	t.Helper()
	f := r.fields(t)
	text, _ := f["error"].(string)
	if r.status != status || f["kind"] != kind || !strings.Contains(text, part) || f["reason"] == "" {
		t.Errorf("answered %d %s; want %d %s %q", r.status, r.body, status, kind, part)
	}
}

// ask sends one request; headers are pairs.
func ask(t testing.TB, c *http.Client, method, url string, body []byte, headers ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, all}
}

const host = "http://localhost"

// flat is a request in JSON alone: a picture of 4 by 4 pixels of one grey.
func flat(grey int, members string) []byte {
	values := strings.TrimSuffix(strings.Repeat(strconv.Itoa(grey)+",", 48), ",")
	return []byte(`{` + members + `"inputs":[{"name":"in","shape":[4,4,3],"datatype":"UINT8","data":[` + values + `]}]}`)
}
