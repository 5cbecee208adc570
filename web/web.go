// Package web is the page on which people try the service. It is three files
// without anything from elsewhere; what they need to know they ask the API.
package web

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
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
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// Pages serves the page's files.
type Pages struct{ files map[string][]byte }

// Page reads the embedded files; index.html is served at /.
func Page() (*Pages, error) {
	p := &Pages{files: map[string][]byte{}}
	entries, err := fs.ReadDir(files, "page")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		content, err := files.ReadFile("page/" + e.Name())
		if err != nil {
			return nil, err
		}
		p.files["/"+e.Name()] = content
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
	name := r.URL.Path
	if name == "/" {
		name = "/index.html"
	}
	h := w.Header()
	h.Set("Content-Type", contentTypes[strings.ToLower(path.Ext(name))])
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache") // a new version of the program shows at once
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(p.files[name]) // the browser may have gone; that is its affair
}
