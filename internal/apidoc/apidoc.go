// Package apidoc lets tests hold handlers against an OpenAPI document.
package apidoc

import (
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Load reads a document, which must be valid, and a router that finds the
// operation of a request, whatever its host.
func Load(t *testing.T, path string) (*openapi3.T, routers.Router) {
	t.Helper()
	loader := openapi3.NewLoader()
	document, err := loader.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(loader.Context); err != nil {
		t.Fatal(err)
	}
	document.Servers = nil // any address is ours
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		t.Fatal(err)
	}
	return document, router
}

// Operations lists a document's operations as "METHOD /path", sorted.
func Operations(document *openapi3.T) (list []string) {
	for path, item := range document.Paths.Map() {
		for method := range item.Operations() {
			list = append(list, method+" "+path)
		}
	}
	slices.Sort(list)
	return list
}
