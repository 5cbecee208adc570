// Package web is the page on which people try the service. It loads nothing
// from elsewhere; what it needs to know it asks the API.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed page
var files embed.FS

// contentTypes are fixed rather than guessed: a machine's own MIME table may be wrong.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// policy lets the page load its own files and nothing else. Pictures are shown
// from memory (blob:).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// Pages serves the page's files.
type Pages struct{ files map[string]file }

type file struct {
	content   []byte
	kind, tag string // content type and ETag
}

// Page reads the embedded files; index.html is served at /.
func Page() (*Pages, error) {
	p := &Pages{files: map[string]file{}}
	entries, err := fs.ReadDir(files, "page")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		content, err := files.ReadFile("page/" + e.Name())
		if err != nil {
			return nil, err
		}
		kind, ok := contentTypes[path.Ext(e.Name())]
		if !ok {
			return nil, fmt.Errorf("web: page/%s has no content type", e.Name())
		}
		p.files["/"+e.Name()] = file{content, kind, fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(content))[:16])}
	}
	p.files["/"] = p.files["/index.html"]
	return p, nil
}

// Has reports whether the page has a file at that path.
func (p *Pages) Has(path string) bool {
	_, ok := p.files[path]
	return ok
}

// ServeHTTP serves a file that Has reported.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := p.files[r.URL.Path]
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	// Always asked for, hardly ever sent again: a new version of the program
	// shows at once, and its modules never mix with older ones.
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.content))
}
