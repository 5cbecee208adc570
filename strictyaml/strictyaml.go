// Package strictyaml reads YAML, and JSON as a part of it, without forgiveness:
// every key must be known, and every error names its file, line and value.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// maxFile bounds a file.
const maxFile = 1 << 20

// Error is a value that cannot be used.
type Error struct {
	Source  string // the file, with its line where known, or whatever else the value came from
	Message string
}

func (e *Error) Error() string { return e.Source + ": " + e.Message }

// Decode reads YAML, or JSON, which is YAML too, over what into holds. A key
// that into does not have is an error, as is a key given twice; messages carry
// the line. name is for messages.
func Decode(r io.Reader, name string, into any) error {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return &Error{name, err.Error()}
	}
	if len(text) > maxFile {
		return &Error{name, fmt.Sprintf("is over %d bytes", maxFile)}
	}
	var anything any
	if yaml.Unmarshal(text, &anything) == nil && anything == nil {
		return nil // nothing but comments, which would set every value to zero
	}
	err = yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(into)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[yaml.Error](err); ok {
		message := e.GetMessage()
		if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
			message = "expected " + kindName(wrong.DstType)
		}
		if token := e.GetToken(); token != nil {
			return &Error{fmt.Sprintf("%s:%d", name, token.Position.Line), message + near(text, token.Position.Line)}
		}
		return &Error{name, message}
	}
	return &Error{name, firstLine(err.Error())}
}

// kindName says what a setting of type t takes.
func kindName(t reflect.Type) string {
	if t == reflect.TypeFor[time.Duration]() {
		return "a duration such as 30s"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Slice:
		return "a list"
	}
	return "a section with keys"
}

// near quotes the line that an error is about, so that it shows the value.
func near(text []byte, line int) string {
	lines := bytes.Split(text, []byte("\n"))
	if line < 1 || line > len(lines) {
		return ""
	}
	return fmt.Sprintf(" (in %q)", bytes.TrimSpace(lines[line-1]))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// DecodeFile reads a file over what into holds. optional files may be missing.
func DecodeFile(path string, optional bool, into any) (found bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && optional {
		return false, nil
	}
	if err != nil {
		return false, &Error{path, err.Error()}
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return true, Decode(f, path, into)
}
