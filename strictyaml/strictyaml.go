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
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
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
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // which some editors put first
	node, err := document(text)
	if err == nil && node == nil {
		return nil // nothing but comments, which would set every value to zero
	}
	if err == nil {
		if wrong, want := scalars(node, reflect.TypeOf(into).Elem()); wrong != nil {
			return at(name, text, wrong.GetToken(), "expected "+want)
		}
		err = yaml.NodeToValue(node, into, yaml.Strict())
	}
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[yaml.Error](err); ok {
		message := e.GetMessage()
		if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
			message = "expected " + kindName(wrong.DstType)
		}
		if _, ok := errors.AsType[*yaml.OverflowError](err); ok {
			message = "the number is out of range"
		}
		return at(name, text, e.GetToken(), message)
	}
	return &Error{name, firstLine(err.Error())}
}

// document is the one document that a file may hold; nil for an empty file.
func document(text []byte) (ast.Node, error) {
	tokens := lexer.Tokenize(string(text))
	headers := 0
	for _, t := range tokens {
		if t.Type == token.DocumentHeaderType {
			headers++
		}
		if headers > 1 { // the parser drops what follows two in a row
			return nil, secondDocument(t)
		}
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, err
	}
	var only ast.Node
	for _, d := range file.Docs {
		if d.Body == nil || d.Body.Type() == ast.NullType || d.Body.Type() == ast.DirectiveType {
			continue
		}
		if only != nil {
			return nil, secondDocument(d.Body.GetToken())
		}
		only = d.Body
	}
	return only, nil
}

func secondDocument(t *token.Token) error {
	return &yaml.SyntaxError{Message: "a second document begins here; a file holds one", Token: t}
}

// at says what is wrong with the value of a token, which may be nil. A key may
// hold line ends, which the message must not.
func at(name string, text []byte, token *token.Token, message string) error {
	message = strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(message)
	if token == nil {
		return &Error{name, message}
	}
	line := token.Position.Line
	return &Error{fmt.Sprintf("%s:%d", name, line), message + near(text, line)}
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
	return fmt.Sprintf(" (in %.120q)", bytes.TrimSpace(lines[line-1]))
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
