package web_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"hailo-depth/web"
)

func pages(t *testing.T) *web.Pages {
	t.Helper()
	p, err := web.Page()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func ask(p *web.Pages, method, path string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Header = header
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func TestFilesAreServed(t *testing.T) {
	p := pages(t)
	for path, kind := range map[string]string{
		"/":           "text/html; charset=utf-8",
		"/index.html": "text/html; charset=utf-8",
		"/style.css":  "text/css; charset=utf-8",
		"/app.js":     "text/javascript; charset=utf-8",
		"/icon.svg":   "image/svg+xml",
	} {
		if !p.Has(path) {
			t.Errorf("there is no %s", path)
			continue
		}
		w := ask(p, http.MethodGet, path, nil)
		h := w.Header()
		if w.Code != 200 || h.Get("Content-Type") != kind || w.Body.Len() == 0 {
			t.Errorf("%s: %d %q with %d bytes", path, w.Code, h.Get("Content-Type"), w.Body.Len())
		}
		if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, h)
		}
		if w := ask(p, http.MethodHead, path, nil); w.Code != 200 || w.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d with %d bytes", path, w.Code, w.Body.Len())
		}
	}
	for _, path := range []string{"", "/nothing", "/page/app.js", "/../web.go", "/app.js/"} {
		if p.Has(path) {
			t.Errorf("there is something at %q", path)
		}
	}
}

// A browser that has a file is not sent it again.
func TestUnchangedFilesAreNotSentAgain(t *testing.T) {
	p := pages(t)
	tag := ask(p, http.MethodGet, "/app.js", nil).Header().Get("ETag")
	if tag == "" || tag == ask(p, http.MethodGet, "/style.css", nil).Header().Get("ETag") {
		t.Fatalf("ETag %q", tag)
	}
	if w := ask(p, http.MethodGet, "/app.js", http.Header{"If-None-Match": {tag}}); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("status %d with %d bytes", w.Code, w.Body.Len())
	}
	if w := ask(p, http.MethodGet, "/app.js", http.Header{"If-None-Match": {`"older"`}}); w.Code != http.StatusOK {
		t.Errorf("status %d for an older version", w.Code)
	}
}

// What the policy would block is found here, with the line, rather than in a browser's console.
func TestNothingInlineOrFromElsewhere(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)\sstyle\s*=|\son[a-z]+\s*=|<style|<script>|(src|href)\s*=\s*["']?(https?:)?//|@import|url\(`)
	files := os.DirFS("page")
	names, err := fs.Glob(files, "*.[hc]*") // HTML and CSS
	if err != nil || len(names) < 2 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if found := forbidden.FindString(line); found != "" {
				t.Errorf("page/%s:%d: %q", name, i+1, found)
			}
		}
	}
}

// Every module that is imported and every id that is looked up exists.
func TestNamesInThePageExist(t *testing.T) {
	files := os.DirFS("page")
	html, err := fs.ReadFile(files, "index.html")
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := fs.Glob(files, "*.js")
	if err != nil {
		t.Fatal(err)
	}
	p := pages(t)
	for _, name := range scripts {
		code, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`from '\.(/[^']+)'`).FindAllSubmatch(code, -1) {
			if !p.Has(string(m[1])) {
				t.Errorf("%s imports %s", name, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`(?:\$|set|getElementById)\('([^']+)'`).FindAllSubmatch(code, -1) {
			if !strings.Contains(string(html), `id="`+string(m[1])+`"`) {
				t.Errorf("%s looks for #%s", name, m[1])
			}
		}
	}
}
