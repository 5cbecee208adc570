package device

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxModelName bounds a model's name in bytes, as file systems do.
const maxModelName = 255

// ModelName is what a model is called that nobody has named: its file's name
// without the extension.
func ModelName(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// CheckModelName refuses names that are no clean file names.
func CheckModelName(name string) error {
	bad := func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) || r == utf8.RuneError }
	if name == "" || len(name) > maxModelName || name == "." || name == ".." || strings.ContainsFunc(name, bad) {
		return &Error{Kind: KindInvalid, Message: fmt.Sprintf(
			"the model name %.128q is not one; expected a file name of 1 to %d bytes without slashes", name, maxModelName)}
	}
	return nil
}
