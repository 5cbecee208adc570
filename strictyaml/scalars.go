package strictyaml

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// scalars looks for values that the decoder would bend, or refuse without
// saying where: a fraction for a whole number, a text that is no duration. It
// returns the first with what into's type t expects of it, or nil.
func scalars(node ast.Node, t reflect.Type) (wrong ast.Node, want string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := node.(type) {
	case *ast.SequenceNode:
		if t.Kind() != reflect.Slice {
			return nil, ""
		}
		for _, value := range n.Values {
			if wrong, want := scalars(value, t.Elem()); wrong != nil {
				return wrong, want
			}
		}
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if wrong, want := scalars(pair, t); wrong != nil {
				return wrong, want
			}
		}
	case *ast.MappingValueNode:
		if field, ok := fieldOf(t, n.Key.String()); ok {
			return scalars(n.Value, field)
		}
	case *ast.AnchorNode:
		return scalars(n.Value, t)
	case *ast.StringNode:
		if t == reflect.TypeFor[time.Duration]() {
			if _, err := time.ParseDuration(n.Value); err != nil {
				return n, kindName(t)
			}
			return nil, ""
		}
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil && isFraction(f, t) {
			return n, kindName(t)
		}
	case *ast.FloatNode:
		if isFraction(n.Value, t) {
			return n, kindName(t)
		}
	}
	return nil, ""
}

func isFraction(f float64, t reflect.Type) bool {
	whole := t.Kind() == reflect.Int || t.Kind() == reflect.Int64
	return whole && f != math.Trunc(f)
}

// fieldOf is the type of the field, or of the entry of a map, that a key sets.
func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	if t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	if t.Kind() != reflect.Struct {
		return nil, false
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == strings.Trim(key, `"'`) {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}
